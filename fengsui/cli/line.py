"""Commands that are the line: run, and each of its stages as a process of its own."""

import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click

from config.records.district import District
from fengsui.cli.options import RUN, Shared
from fengsui.play import play
from fengsui.run import threshold_gate
from fengsui.run.moments import parse_moment
from fengsui.run.processes import calm_collector, load_stage, run_stage
from fengsui.run.service import answering, stopping_on_signals
from fengsui.run.setup import Setup, refuse_live_keys, shown, stamp
from fengsui.status.waiting import NOBODY
from stream.environment import Usage
from stream.metrics import watchdog


@click.command()
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
    obj: Shared,
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
    beside = _pages(obj.config) if shown else play.nothing
    if no_simulator:
        code = _run_line(obj.setup(name), out=out, plain=plain, port=port, beside=beside)
    else:
        code = _run_storm(
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


def _pages(folder: Path) -> play.Beside:
    """The duty room's pages, whose server is loaded when they come up: the line is there before."""

    def beside(setup: Setup) -> AbstractContextManager[None]:
        from fengsui.play import console

        return console.beside(setup, folder)

    return beside


def _stage(name: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @RUN
    @click.option("--start", default="", help="演练开始时间 an exercise's start, RFC 3339")
    @click.option(
        "--carrier", default="", help="演练短信网关 loopback URL of an exercise's carrier"
    )
    @click.pass_obj
    def stage(obj: Shared, run_name: str, start: str, carrier: str) -> None:
        setup = obj.setup(run_name, start_at=parse_moment(start) if start else 0)
        sys.exit(_run_one(name, setup, carrier))

    return stage


ingest = _stage(
    "ingest",
    "接入 MQTT to observations: decode, identify, check; one stage as a process of its own.",
)
detect = _stage("detect", "检测 observations to cases: quality memory, rules, silence.")
decide = _stage("decide", "决策 cases to alerts: raise, hold, step down, by authority.")
address = _stage("address", "定向 alerts to deliveries: who, which words, which channels.")
send = _stage(
    "send", "发送 deliveries to loudspeakers, phones and feeds, until each recipient is reached."
)
archive = _stage("archive", "归档 every topic to history.")


def _run_one(name: str, setup: Setup, carrier: str) -> int:
    """One stage until a signal."""
    refuse_live_keys(setup)
    if name == "detect":
        _answer_for_thresholds(setup)
    stop, ready = threading.Event(), threading.Event()
    load_stage(name)
    calm_collector()
    where = shown(setup.log)
    click.echo(
        f"fengsui {name}: {setup.district.name} {setup.run.name}, 日志 log {where}", err=True
    )
    if name == "decide" and not setup.district.officers:
        click.echo(NOBODY, err=True)
    with stopping_on_signals(stop), answering():
        threading.Thread(target=watchdog, args=(stop,), name="watchdog", daemon=True).start()
        run_stage(
            name, setup, stop, ready, carrier_url=carrier, on_console=lambda text: click.echo(text)
        )
    return 0


def _answer_for_thresholds(setup: Setup) -> None:
    if text := threshold_gate.start(setup):
        click.echo(text, err=True)


def _run_line(
    setup: Setup, *, out: Path | None, plain: bool, port: int, beside: play.Beside
) -> int:
    """All stages without a simulator."""
    _answer_for_thresholds(setup)
    if not setup.district.officers:
        click.echo(NOBODY, err=True)
    stop = threading.Event()
    with stopping_on_signals(stop), answering():
        return play.run_line(setup, out=out, plain=plain, port=port, stop=stop, beside=beside)


def _run_storm(
    district: District,
    make: Callable[..., Setup],
    name: str,
    seed: int | None,
    speed: float | None,
    *,
    until_done: bool,
    out: Path | None,
    plain: bool,
    port: int,
    beside: play.Beside,
) -> int:
    """All stages and a simulated storm."""
    for text in threshold_gate.doubts(district):
        click.echo(text, err=True)
    stop = threading.Event()
    try:
        with stopping_on_signals(stop), answering():
            return play.run_storm(
                district,
                make,
                name,
                seed,
                speed,
                until_done=until_done,
                out=out,
                plain=plain,
                port=port,
                stop=stop,
                beside=beside,
            )
    except ValueError as e:
        raise Usage(str(e)) from e
