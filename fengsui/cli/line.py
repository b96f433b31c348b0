"""Commands that are the line: run, and each of its stages as a process of its own."""

import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click

from config.language import Text, text_of
from config.records.district import District
from fengsui.cli.options import RUN, Shared
from fengsui.cli.table import COMMANDS
from fengsui.play import play
from fengsui.run import threshold_gate
from fengsui.run.moments import parse_moment
from fengsui.run.processes import calm_collector, load_stage, run_stage
from fengsui.run.service import answering
from fengsui.run.setup import Setup, refuse_live_keys, shown, stamp
from fengsui.run.terminal import echo
from fengsui.status.waiting import NOBODY
from stream.environment import Usage, spoken
from stream.metrics import watchdog
from stream.pace.stop_signals import stopping_on_signals


@click.command()
@click.option(
    "--no-simulator",
    is_flag=True,
    help=spoken(Text("接真实传感器：实况运行", "wait for real gauges: a live run")),
)
@click.option(
    "--run",
    "run_name",
    default="",
    help=spoken(Text("运行名 [exercise-TIME 或 live]", "the run's name [exercise-TIME, or live]")),
)
@click.option("--scenario", default="yanqing-storm", show_default=True)
@click.option(
    "--seed",
    type=int,
    default=None,
    help=spoken(Text("随机种子 [情景自己的]", "random seed [the scenario's own]")),
)
@click.option(
    "--speed",
    type=float,
    default=None,
    help=spoken(Text("一秒放几秒情景", "scenario seconds a second")),
)
@click.option(
    "--until-done", is_flag=True, help=spoken(Text("暴雨结束后自动退出", "end with the storm"))
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=spoken(Text("结束时导出到这里", "export here at the end")),
)
@click.option(
    "--plain",
    is_flag=True,
    help=spoken(Text("逐行输出，不用活动屏幕", "lines instead of a moving screen")),
)
@click.option(
    "--port",
    type=int,
    default=1883,
    show_default=True,
    help=spoken(Text("内置 MQTT 服务器的端口", "port of the embedded MQTT broker")),
)
@click.option(
    "--console/--no-console",
    "pages",
    default=None,
    help=spoken(
        Text("值班台网页 [除非 --until-done]", "the duty room's pages [unless --until-done]")
    ),
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
    """全线运行：所有环节在一个进程里，可带模拟暴雨。

    The whole line: every stage in this process, with the simulated storm or without.
    """
    name = run_name or ("live" if no_simulator else f"exercise-{stamp()}")
    if name == "live" and not no_simulator:
        raise Usage(
            Text(
                "实战不用模拟器：加 --no-simulator，或不写 --run",
                "a live run takes no simulator: add --no-simulator, or no --run",
            )
        )
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


_HELP = {name: Text(e.zh, e.en) for named in COMMANDS.values() for name, e in named.items()}


def _stage(name: str) -> click.Command:
    @click.command(name, help=spoken(_HELP[name]))
    @RUN
    @click.option(
        "--start",
        default="",
        help=spoken(Text("演练开始时间，RFC 3339", "an exercise's start, RFC 3339")),
    )
    @click.option(
        "--carrier",
        default="",
        help=spoken(Text("演练短信网关的本机 URL", "loopback URL of an exercise's carrier")),
    )
    @click.pass_obj
    def stage(obj: Shared, run_name: str, start: str, carrier: str) -> None:
        setup = obj.setup(run_name, start_at=parse_moment(start) if start else 0)
        sys.exit(_run_one(name, setup, carrier))

    return stage


ingest = _stage("ingest")
detect = _stage("detect")
decide = _stage("decide")
address = _stage("address")
send = _stage("send")
archive = _stage("archive")


def _run_one(name: str, setup: Setup, carrier: str) -> int:
    """One stage until a signal."""
    refuse_live_keys(setup)
    if name == "detect":
        _answer_for_thresholds(setup)
    stop, ready = threading.Event(), threading.Event()
    load_stage(name)
    calm_collector()
    where = shown(setup.log)
    echo(
        Text(
            f"fengsui {name}: {setup.district.name} {setup.run.name}，日志 {where}",
            f"fengsui {name}: {setup.district.name_en} {setup.run.name}, log {where}",
        ),
        err=True,
    )
    if name == "decide" and not setup.district.officers:
        echo(NOBODY, err=True)
    with stopping_on_signals(stop), answering():
        threading.Thread(target=watchdog, args=(stop,), name="watchdog", daemon=True).start()
        run_stage(name, setup, stop, ready, carrier_url=carrier, on_console=lambda text: echo(text))
    return 0


def _answer_for_thresholds(setup: Setup) -> None:
    if text := threshold_gate.start(setup):
        echo(text, err=True)


def _run_line(
    setup: Setup, *, out: Path | None, plain: bool, port: int, beside: play.Beside
) -> int:
    """All stages without a simulator."""
    _answer_for_thresholds(setup)
    if not setup.district.officers:
        echo(NOBODY, err=True)
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
        echo(text, err=True)
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
        raise Usage(text_of(e)) from e
