"""The command `fengsui`."""

import sys
from functools import partial
from pathlib import Path

import click

from config.district import District
from config.load import ConfigError
from fengsui import (
    cli_bench,
    cli_broker,
    cli_cap,
    cli_channels,
    cli_console,
    cli_contacts,
    cli_decide,
    cli_drill,
    cli_ledger,
    cli_nodes,
    cli_people,
    cli_reach,
    cli_signer,
    cli_skill,
    cli_stations,
    cli_tasks,
    cli_terrain,
    cli_why,
    cli_words,
    commands,
    duty_room,
    storm,
    watch,
)
from fengsui.export import EXPORTS
from fengsui.line import STAGES
from fengsui.setup import Setup, Usage, default_config, make_setup, stamp
from ingest.log import Corrupt, Unavailable


class _Context:
    """The options every command shares."""

    def __init__(self, config: Path, state: Path, broker: str, log: str, history: str) -> None:
        self.config = config
        self.state = state
        self.urls = {"broker": broker, "log": log, "history": history}

    def district(self) -> District:
        return commands.load_district(self.config)

    def setup(self, run: str, **more: object) -> Setup:
        return make_setup(self.district(), run, self.state, **self.urls, **more)  # type: ignore[arg-type]


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
退出码 exit codes: 0 成功 well · 1 失败 failed · 2 用法或配置有误 wrong usage or configuration
环境变量 environment: FENGSUI_CONFIG FENGSUI_STATE FENGSUI_BROKER FENGSUI_LOG FENGSUI_HISTORY""",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_config,
    envvar="FENGSUI_CONFIG",
    help="区县配置目录 the district's folder [default: the package's config/yanqing]",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    envvar="FENGSUI_STATE",
    help="运行数据目录 where runs keep their data [default: var]",
)
@click.option("--broker", default="", help="MQTT 服务器 mqtt://USER:PASSWORD@HOST:PORT, mqtts://…")
@click.option("--log", default="", help="日志 sqlite:///FOLDER or kafka://HOST:PORT")
@click.option("--history", default="", help="历史库 sqlite:///DIR or influx://HOST:PORT/ORG/BUCKET")
@click.version_option(package_name="fengsui")
@click.pass_context
def cli(ctx: click.Context, config: Path, state: Path, broker: str, log: str, history: str) -> None:
    """烽燧 Fengsui: 从雨量计到村里的大喇叭 from the rain gauge to the loudspeaker in the village.

    先试试 to begin: `fengsui run` plays a mountain storm over Yanqing, with nothing else installed.
    """
    ctx.obj = _Context(config, state, broker, log, history)


@cli.command()
@click.option("--no-simulator", is_flag=True, help="接真实传感器 wait for real gauges: a live run")
@click.option(
    "--run", "run_name", default="", help="运行名 the run's name [exercise-TIME, or live]"
)
@click.option("--scenario", default="yanqing-storm", show_default=True)
@click.option("--seed", type=int, default=None, help="随机种子 [the scenario's own]")
@click.option("--speed", type=float, default=None, help="情景秒/真实秒 scenario seconds a second")
@click.option("--until-done", is_flag=True, help="暴雨结束后自动退出 end with the storm")
@click.option("--out", type=click.Path(path_type=Path), help="结束时导出 export here at the end")
@click.option("--plain", is_flag=True, help="逐行输出 lines instead of a moving screen")
@click.option("--port", type=int, default=1883, show_default=True, help="内置 MQTT 端口")
@click.option(
    "--console/--no-console",
    "pages",
    default=None,
    help="值班台网页 the duty room's pages [unless --until-done]",
)
@click.pass_obj
def run(
    obj: _Context,
    no_simulator: bool,
    run_name: str,
    scenario: str,
    seed: int | None,
    speed: float | None,
    until_done: bool,
    out: Path | None,
    plain: bool,
    port: int,
    pages: bool | None,
) -> None:
    """全线运行 the whole line: every stage in this process, with the simulated storm or without."""
    name = run_name or ("live" if no_simulator else f"exercise-{stamp()}")
    if name == "live" and not no_simulator:
        raise Usage("实战不用模拟器 a live run takes no simulator: add --no-simulator, or no --run")
    shown = not until_done if pages is None else pages
    beside = partial(duty_room.beside, folder=obj.config) if shown else storm.nothing
    if no_simulator:
        code = commands.run_line(obj.setup(name), out=out, plain=plain, port=port, beside=beside)
    else:
        code = commands.run_storm(
            obj.district(),
            lambda **kw: obj.setup(name, **kw),
            scenario,
            seed,
            speed,
            until_done=until_done,
            out=out,
            plain=plain,
            port=port,
            beside=beside,
        )
    sys.exit(code)


def _stage_command(name: str, text: str) -> None:
    @cli.command(name, help=text)
    @click.option("--run", "run_name", default="live", show_default=True, help="运行名 run's name")
    @click.option("--start", default="", help="演练开始时间 an exercise's start, RFC 3339")
    @click.option(
        "--carrier", default="", help="演练短信网关 loopback URL of an exercise's carrier"
    )
    @click.pass_obj
    def stage(obj: _Context, run_name: str, start: str, carrier: str) -> None:
        setup = obj.setup(run_name, start_at=commands.parse_moment(start) if start else 0)
        sys.exit(commands.run_one(name, setup, carrier))


for _name, _text in zip(
    STAGES,
    (
        "接入 MQTT to observations: decode, identify, check; one stage as a process of its own.",
        "检测 observations to cases: quality memory, rules, silence.",
        "决策 cases to alerts: raise, hold, step down, by authority.",
        "定向 alerts to deliveries: who, which words, which channels.",
        "发送 deliveries to loudspeakers, phones and feeds, until each recipient is reached.",
        "归档 every topic to history.",
    ),
    strict=True,
):
    _stage_command(_name, _text)


@cli.command()
@click.argument("scenario", required=False, default="yanqing-storm")
@click.option("--run", "run_name", default="exercise", show_default=True)
@click.option("--seed", type=int, default=None)
@click.option("--speed", type=float, default=None, help="情景秒/真实秒; 0: 尽快 as fast as it goes")
@click.option(
    "--lockstep", is_flag=True, help="等全线处理完每一时段 wait for the line at each slot"
)
@click.option("--carrier-port", type=int, default=0, help="模拟短信网关端口 simulated carrier")
@click.option("--drain", type=float, default=3.0, show_default=True, help="雨后小时数 hours after")
@click.option("--seeds", type=int, default=0, help="在内存中评分 N 场 score N storms in memory")
@click.option("--score", is_flag=True, help="打印漏报与空报 print misses and false alarms")
@click.option("--faults", is_flag=True, help="有无测站故障各一遍 each storm without and with faults")
@click.pass_obj
def simulate(
    obj: _Context,
    scenario: str,
    run_name: str,
    seed: int | None,
    speed: float | None,
    lockstep: bool,
    carrier_port: int,
    drain: float,
    seeds: int,
    score: bool,
    faults: bool,
) -> None:
    """模拟 publish SCENARIO to any MQTT broker; or score many storms: --seeds 30 --score."""
    if score or seeds or faults:
        sys.exit(commands.score_storms(obj.district(), seeds or 30, faults=faults))
    sys.exit(
        commands.simulate_to_broker(
            obj.setup(run_name), scenario, seed, speed, lockstep, carrier_port, drain
        )
    )


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--run", "run_name", default="", help="送入已在运行的演练 feed a run that is running")
@click.option("--speed", type=float, default=0.0, help="事件秒/真实秒; 0: 尽快 [default: 0]")
@click.option("--lockstep/--no-lockstep", default=True, show_default=True)
@click.option("--slot", "slot_s", type=int, default=300, show_default=True, help="时段秒数")
@click.option("--out", type=click.Path(path_type=Path), help="结束时导出 export here at the end")
@click.pass_obj
def replay(
    obj: _Context,
    file: Path,
    run_name: str,
    speed: float,
    lockstep: bool,
    slot_s: int,
    out: Path | None,
) -> None:
    """回放 a CSV of measurements (station,quantity,time,value) through MQTT, keeping event times.

    Without --run it starts a line of its own around the file and prints what was warned.
    """
    if run_name:
        sys.exit(commands.replay_to_broker(obj.setup(run_name), file, speed, lockstep, slot_s))
    sys.exit(
        commands.replay_alone(
            lambda **kw: obj.setup(f"exercise-{stamp()}", **kw), file, speed, slot_s, out
        )
    )


@cli.command()
@click.argument("folder", metavar="CONFIG", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def check(obj: _Context, folder: Path | None) -> None:
    """检查配置 validate a district's folder and play its scenarios."""
    sys.exit(commands.check_config(folder or obj.config))


@cli.command()
@click.argument("topic", type=click.Choice([*EXPORTS, "ledger"]))
@click.option("--run", "run_name", default="live", show_default=True)
@click.option("--times", is_flag=True, help="含处理时间 with this program's own times")
@click.option("--out", type=click.Path(path_type=Path), help="台账存于 the ledger's new folder")
@click.pass_obj
def export(obj: _Context, topic: str, run_name: str, times: bool, out: Path | None) -> None:
    """导出 a topic as JSON lines, in an order that two runs of one storm share; `ledger --out DIR`:
    台账 the signed ledger as a folder for `fengsui audit DIR`."""
    if (topic == "ledger") != (out is not None):
        raise Usage("export ledger --out DIR: --out 与 ledger 同用 belong together")
    if out is not None:
        sys.exit(watch.put_ledger(obj.setup(run_name), out))
    sys.exit(commands.export_topic(obj.setup(run_name), topic, times))


@cli.command()
@click.option("--run", "run_name", default="live", show_default=True)
@click.pass_obj
def status(obj: _Context, run_name: str) -> None:
    """状态 stages, lag, silent stations, open warnings, undelivered, dead letters."""
    sys.exit(commands.show_status(obj.setup(run_name)))


@cli.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--key", "keys", multiple=True, type=click.Path(path_type=Path), help="公钥 of DIR's signer"
)
@click.option("--ledger", is_flag=True, help="核对日志内的台账 the run's ledger in the log itself")
@click.option("--run", "run_name", default="live", show_default=True)
@click.option(
    "--once", is_flag=True, help="查一遍 look once; exit code 1 if anything is unexplained"
)
@click.option(
    "--heartbeat", default="", envvar="FENGSUI_HEARTBEAT", help="外部心跳 URL fetched every minute"
)
@click.pass_obj
def audit(
    obj: _Context,
    folder: Path | None,
    keys: tuple[Path, ...],
    ledger: bool,
    run_name: str,
    once: bool,
    heartbeat: str,
) -> None:
    """稽核 is every detection decided, every warning addressed, every delivery ended?

    With DIR 查台账: was a byte of an exported ledger changed, or an entry removed, put in, moved or
    cut off? It needs nothing but the folder and the public key: --key FILE, kept elsewhere.
    """
    if folder is not None and not ledger and not once:
        sys.exit(watch.check_ledger(folder, list(keys)))
    if folder is not None or keys:
        raise Usage("DIR --key: 单独使用 not together with --ledger or --once; --key goes with DIR")
    if ledger:
        sys.exit(watch.check_run_ledger(obj.setup(run_name)))
    sys.exit(watch.audit(obj.setup(run_name), heartbeat, once=once))


@cli.command()
@click.argument("what")
@click.option("--at", default="", help="读数时间 a reading's time, RFC 3339 (WHAT is a station)")
@click.option("--run", "run_name", default="live", show_default=True)
@click.pass_obj
def trace(obj: _Context, what: str, at: str, run_name: str) -> None:
    """追踪 WHAT through the line: a station, or the id of a delivery, warning or detection."""
    moment = commands.parse_moment(at) if at else None
    sys.exit(watch.trace(obj.setup(run_name), what, moment))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--run", "run_name", default="live", show_default=True)
@click.pass_obj
def backup(obj: _Context, file: Path, run_name: str) -> None:
    """备份 the run and the district's folder into FILE.tar.gz, without secrets; the line may run."""
    sys.exit(commands.backup(obj.setup(run_name), obj.config, file))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--into", default="", help="新运行名 a run without records [the backup's own run]")
@click.option("--new-history", is_flag=True, help="历史库也丢失 write history anew from the log")
@click.pass_obj
def restore(obj: _Context, file: Path, into: str, new_history: bool) -> None:
    """恢复 FILE.tar.gz into a new run; what had been sent is not sent again."""
    sys.exit(
        commands.restore(
            lambda district, run: make_setup(district, run, obj.state, **obj.urls),  # type: ignore[arg-type]
            file,
            into,
            new_history=new_history,
        )
    )


_PARTS = (
    cli_bench, cli_broker, cli_skill, cli_tasks, cli_ledger, cli_why, cli_words, cli_decide,
    cli_drill, cli_cap, cli_nodes, cli_channels, cli_contacts, cli_reach, cli_console, cli_people,
    cli_terrain, cli_signer, cli_stations,
)  # fmt: skip
for _part in _PARTS:
    for _command in _part.COMMANDS:
        cli.add_command(_command)


def main() -> None:
    """Entry point: conventional exit codes, no traceback for what a person did."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("已停止 stopped", err=True)
        sys.exit(130)
    except ConfigError as e:
        click.echo(str(e), err=True)
        sys.exit(2)
    except Usage as e:
        click.echo(f"fengsui: {e}", err=True)
        sys.exit(2)
    except Corrupt as e:
        click.echo(f"fengsui: {e}", err=True)
        sys.exit(2)
    except Unavailable as e:
        click.echo(f"fengsui: {e}", err=True)
        sys.exit(1)
