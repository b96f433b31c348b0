"""The command that is the whole line: run."""

import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click

from config.language import Text, text_of
from config.records.district import District
from fengsui.cli.options import Shared
from fengsui.play import play
from fengsui.run import threshold_gate
from fengsui.run.service import answering
from fengsui.run.setup import Setup, stamp
from fengsui.run.terminal import echo
from fengsui.status.waiting import NOBODY
from stream.environment import Usage, spoken
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


def _run_line(
    setup: Setup, *, out: Path | None, plain: bool, port: int, beside: play.Beside
) -> int:
    """All stages without a simulator."""
    if text := threshold_gate.start(setup):
        echo(text, err=True)
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
