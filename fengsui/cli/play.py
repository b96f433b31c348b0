"""Commands that feed a line: simulate, replay."""

import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click

from config.language import Said, Text, text_of
from config.records.district import District
from dispatch.nodes.keys import sender_keys
from dispatch.words.local_time import local
from fengsui.cli.options import Shared
from fengsui.play import play as storm
from fengsui.run.setup import Setup, stamp
from fengsui.run.terminal import echo
from simulators.carriers.phones import Carrier
from simulators.nodes import Nodes
from simulators.replay import replay as feed
from simulators.run import Player, Stuck, play
from simulators.scenario import scenario as scenario_of
from simulators.world import World
from stream.environment import Usage, spoken
from stream.mqtt.access import SIMULATOR
from stream.pace.stop_signals import stopping_on_signals


@click.command()
@click.argument("scenario", required=False, default="yanqing-storm")
@click.option("--run", "run_name", default="exercise", show_default=True)
@click.option("--seed", type=int, default=None)
@click.option(
    "--speed",
    type=float,
    default=None,
    help=spoken(
        Text("一秒放几秒情景；0: 尽快", "scenario seconds a second; 0: as fast as it goes")
    ),
)
@click.option(
    "--lockstep",
    is_flag=True,
    help=spoken(Text("等全线处理完每一时段", "wait for the line at each slot")),
)
@click.option(
    "--carrier-port",
    type=int,
    default=0,
    help=spoken(Text("模拟短信网关的端口", "port of the simulated carrier")),
)
@click.option(
    "--drain",
    type=float,
    default=3.0,
    show_default=True,
    help=spoken(Text("雨后再放几小时", "hours after the rain")),
)
@click.option(
    "--seeds",
    type=int,
    default=0,
    help=spoken(Text("在内存中评分 N 场", "score N storms in memory")),
)
@click.option(
    "--from",
    "first",
    type=int,
    default=0,
    help=spoken(
        Text("从第几场起；率定用 500–999", "which storm is the first; 500–999 are for tuning")
    ),
)
@click.option(
    "--score", is_flag=True, help=spoken(Text("打印漏报与空报", "print misses and false alarms"))
)
@click.option(
    "--faults",
    is_flag=True,
    help=spoken(Text("有无测站故障各放一遍", "each storm without and with faults")),
)
@click.option(
    "--rules-only",
    is_flag=True,
    help=spoken(
        Text(
            "只看所写规则和雨量阈值表，不走全线，快得多",
            "the declared rules and the rain table alone, without the line, much faster",
        )
    ),
)
@click.pass_obj
def simulate(
    obj: Shared,
    scenario: str,
    run_name: str,
    seed: int | None,
    speed: float | None,
    lockstep: bool,
    carrier_port: int,
    drain: float,
    seeds: int,
    first: int,
    score: bool,
    faults: bool,
    rules_only: bool,
) -> None:
    """模拟：把 SCENARIO 发到任何 MQTT 服务器；或给许多场暴雨评分：--seeds 30 --score。

    Publish SCENARIO to any MQTT broker; or score many storms: --seeds 30 --score.
    """
    if score or seeds or faults or rules_only:
        if rules_only and faults:
            raise Usage(Text("--rules-only 不看测站故障", "--rules-only plays no faults of gauges"))
        told = _told(faults=faults, rules_only=rules_only)
        sys.exit(_score_storms(obj.district(), seeds or 30, first, told))
    sys.exit(
        _simulate_to_broker(
            obj.existing_judged(run_name), scenario, seed, speed, lockstep, carrier_port, drain
        )
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--run",
    "run_name",
    default="",
    help=spoken(Text("送入已在运行的演练", "feed a run that is running")),
)
@click.option(
    "--speed",
    type=float,
    default=0.0,
    help=spoken(
        Text("一秒放几秒事件；0: 尽快 [0]", "event seconds a second; 0: as fast as it goes [0]")
    ),
)
@click.option("--lockstep/--no-lockstep", default=True, show_default=True)
@click.option(
    "--slot",
    "slot_s",
    type=int,
    default=300,
    show_default=True,
    help=spoken(Text("每个时段几秒", "seconds of a slot")),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=spoken(Text("结束时导出到这里", "export here at the end")),
)
@click.pass_obj
def replay(
    obj: Shared,
    file: Path,
    run_name: str,
    speed: float,
    lockstep: bool,
    slot_s: int,
    out: Path | None,
) -> None:
    """回放测值 CSV（station,quantity,time,value），经 MQTT，保留事件时间。

    不写 --run 时，自己起一条全线放这个文件，并打印预警了什么。

    A CSV of measurements (station,quantity,time,value) through MQTT, keeping event times.

    Without --run it starts a line of its own around the file and prints what was warned.
    """
    if run_name:
        sys.exit(_replay_to_broker(obj.existing_judged(run_name), file, speed, lockstep, slot_s))
    sys.exit(
        _replay_alone(lambda **kw: obj.setup(f"exercise-{stamp()}", **kw), file, speed, slot_s, out)
    )


def _replay_alone(
    make: Callable[..., Setup], file: Path, speed: float, slot_s: int, out: Path | None
) -> int:
    """A record through a line of its own."""
    stop = threading.Event()
    try:
        with stopping_on_signals(stop):
            return storm.replay_alone(make, file, speed, slot_s, out, stop)
    except ValueError as e:
        raise Usage(text_of(e)) from e


def _replay_to_broker(setup: Setup, file: Path, speed: float, lockstep: bool, slot_s: int) -> int:
    """A record to a line that runs elsewhere."""
    stop = threading.Event()
    try:
        rows = storm.good_rows(file)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    with stopping_on_signals(stop):
        player = _player(setup, stop, speed, lockstep, 0)
        feed(player, rows, stop, slot_s=slot_s, on_slot=_progress(setup))
        player.close()
    return 0


def _simulate_to_broker(
    setup: Setup,
    name: str,
    seed: int | None,
    speed: float | None,
    lockstep: bool,
    carrier_port: int,
    drain_h: float,
) -> int:
    """A scenario to a line that runs elsewhere."""
    stop = threading.Event()
    try:
        chosen = scenario_of(name)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    world = World(setup.district, chosen, seed)
    with stopping_on_signals(stop):
        player = _player(
            setup, stop, chosen.speed if speed is None else speed, lockstep, carrier_port
        )
        try:
            play(player, world, stop, drain_h=drain_h, on_slot=_progress(setup))
        except Stuck as e:
            echo("fengsui: " + text_of(e), err=True)
            return 1
        finally:
            player.close()
            if player.carrier is not None:
                player.carrier.close()
    return 0


def _player(
    setup: Setup, stop: threading.Event, speed: float, lockstep: bool, carrier_port: int
) -> Player:
    if setup.live:
        raise Usage(
            Text(
                "模拟和回放只能进演练：--run exercise-NAME",
                "a simulator never speaks into a live run: --run exercise-NAME",
            )
        )
    nodes = Nodes(list(setup.district.nodes), sender_keys(setup.folder).public, "exercise")
    carrier = Carrier(carrier_port) if carrier_port else None
    try:
        return Player(
            setup.district,
            setup.broker_url(SIMULATOR),
            setup.run.name,
            stop,
            nodes=nodes,
            carrier=carrier,
            speed=speed,
            lockstep=lockstep,
        )
    except ConnectionError as e:
        raise Usage(text_of(e)) from e


def _progress(setup: Setup) -> Callable[[int], None]:
    """A line of progress every simulated half hour."""

    def tell(clock_at: int) -> None:
        if clock_at // 1000 % 1800 == 0:
            echo(local(clock_at, setup.district.timezone), err=True)

    return tell


def _told(*, faults: bool, rules_only: bool) -> Callable[[District, int, int], Iterator[Said]]:
    """What is said of many storms: misses and false alarms first; or what broken gauges do to them."""
    from fengsui.play.fault_scores import figures
    from fengsui.play.scoring import score_all

    return figures if faults else partial(score_all, rules_only=rules_only)


def _score_storms(
    district: District,
    count: int,
    first: int,
    told: Callable[[District, int, int], Iterator[Said]],
) -> int:
    """Many storms in memory."""
    if first < 0:
        raise Usage(Text(f"--from {first}: 应不小于 0", f"--from {first}: must not be negative"))
    for text in told(district, count, first):
        echo(text)
    return 0
