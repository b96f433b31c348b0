"""What each command of the CLI does; returns its exit code."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from config.district import District
from config.gateways import NONE as NO_GATEWAYS
from config.load import ConfigError, load, read
from config.plan_check import gaps
from config.proof import Proof, standing
from config.table import Problem
from detectors.declared import problems as rule_problems
from dispatch.channels.declared import problems as channel_problems
from dispatch.channels.declared import unjudged
from dispatch.keys import sender_keys
from dispatch.word_check import word_problems
from fengsui import proved, storm
from fengsui.backup import take
from fengsui.cli_reach import coverage_summary
from fengsui.export import export
from fengsui.line import calm_collector, open_run_log, run_stage
from fengsui.orders import NOBODY
from fengsui.restore import restore as put_back
from fengsui.scenarios import play_scenarios
from fengsui.screen import local
from fengsui.setup import Setup, Usage, now_ms, refuse_live_keys, shown
from fengsui.status import status_lines
from fengsui.targets import read_plan
from ingest.meters import serve, watchdog
from ingest.rights import SIMULATOR
from simulators.carriers import Carrier
from simulators.nodes import Nodes
from simulators.replay import replay
from simulators.run import Player, Stuck, play
from simulators.scenario import scenario
from simulators.world import World

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def parse_moment(text: str) -> int:
    """RFC 3339 -> milliseconds since 1970; raises Usage."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(
            f"{text!r} 不是时间 is not a time; 应如 write 2025-07-26T12:00:00+08:00"
        ) from None
    if moment.tzinfo is None:
        raise Usage(
            f"{text!r} 没有时区 has no time zone; 应如 write {moment.isoformat()}+08:00, or …Z for UTC"
        )
    return int(moment.timestamp() * 1000)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`, so that every stage ends with a commit and a snapshot."""
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in _STOP_SIGNALS}
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


def run_one(name: str, setup: Setup, carrier: str) -> int:
    """One stage until a signal."""
    refuse_live_keys(setup)
    if name == "detect":
        _answer_for_thresholds(setup)
    stop, ready = threading.Event(), threading.Event()
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
    if text := proved.start(setup):
        click.echo(text, err=True)


@contextmanager
def answering() -> Iterator[None]:
    """Metrics and health at the address of FENGSUI_HTTP; none is named: nowhere."""
    address = os.environ.get("FENGSUI_HTTP", "")
    try:
        with serve(address) as port:
            if port:
                click.echo(f"fengsui: /metrics /healthz /readyz 端口 on port {port}", err=True)
            yield
    except ValueError as e:
        raise Usage(str(e)) from e


def load_district(folder: Path) -> District:
    """The checked district, with rules that can be. Raises ConfigError."""
    district = load(folder)
    if wrong := [*rule_problems(district), *channel_problems(district), *word_problems(district)]:
        raise ConfigError(folder, wrong)
    return district


def judged(folder: Path) -> tuple[District | None, list[Problem], Proof | None]:
    """The district, where it can be read, all that is wrong with its folder, and who answers for its
    thresholds."""
    district, problems = read(folder)
    proof = None
    try:
        read_plan(None, folder)
    except ConfigError as e:
        problems += e.problems
    if district is not None:
        proof, _, wrong = standing(folder, district)
        problems += [*rule_problems(district), *channel_problems(district), *wrong]
        problems += word_problems(district)
    return district, problems, proof


def check_config(folder: Path) -> int:
    """Validate, then play the district's own scenarios."""
    district, problems, proof = judged(folder)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems or district is None:
        click.echo(
            f"{folder}: {len(problems)} 处问题 problems; 不能启动 nothing will start", err=True
        )
        return 2
    click.echo(
        f"{folder}: 配置正确 well. {district.name} {district.name_en}: "
        f"{len(district.stations)} 监测站 stations, {len(district.areas)} 预警区 areas, "
        f"{len(district.groups)} 监测组 watch groups, {len(district.nodes)} 终端 nodes, "
        f"{len(district.contacts)} 联系人 contacts, {len(district.officers)} 决定人 officers, "
        f"版本 version {district.version}"
    )
    if not district.officers:
        click.echo(f"  ! {NOBODY}", err=True)
    if district.gateways is None:
        click.echo(f"  ! {NO_GATEWAYS}", err=True)
    if proof is None:
        click.echo(f"  {proved.unproved(district)}", err=True)
    else:
        click.echo(f"  阈值 thresholds {district.rules_version}: {proved.told(proof)}")
    for text in unjudged(district):
        click.echo(f"  ! {text}", err=True)
    for text in (*coverage_summary(district), *(f"! {gap}" for gap in gaps(district))):
        click.echo(f"  {text}", err=True)
    failed = 0
    for name, misses in play_scenarios(district):
        click.echo(f"  {'✗' if misses else '✓'} {name}")
        for miss in misses:
            failed += 1
            click.echo(f"      {miss}", err=True)
    return 1 if failed else 0


def export_topic(setup: Setup, topic: str, times: bool) -> int:
    """Lines of JSON on standard output."""
    log = open_run_log(setup)
    for row in export(log, topic, times):
        sys.stdout.buffer.write(row)
    sys.stdout.buffer.flush()
    log.close()
    return 0


def backup(setup: Setup, folder: Path, file: Path) -> int:
    """The run and its district's folder into one file."""
    manifest = take(setup, folder, file, now_ms())
    click.echo(
        f"{file}: {setup.run.name}, {len(manifest.members)} 个文件 members, 已核对 verified; "
        "不含密钥 without keys and passwords, 含联系人 with the contacts"
    )
    for name in manifest.redacted:
        click.echo(f"  {name}: 口令或私钥未备份 a password or key was left out", err=True)
    if not any(n.startswith("state/") for n in manifest.members):
        words = "值班台账户、链接、联系人库不在内 accounts, links and contacts are not in it"
        click.echo(f"  ! {words}: FENGSUI_BACKUP_PASSPHRASE_FILE=…", err=True)
    for behind in [g.group for g in manifest.groups if not g.exact]:
        click.echo(f"  {behind}: 一直在动 never stood still: 恢复后重做几条 repeats some records")
    return 0


def restore(
    make: Callable[[District, str], Setup], file: Path, into: str, *, new_history: bool
) -> int:
    """A backup into a new run."""
    setup = put_back(file, into, make, click.echo, new_history=new_history)
    click.echo(
        f"已恢复 restored: {setup.run.name}, {shown(setup.log)}; 配置 its config: "
        f"{setup.folder / 'config' / setup.district.id}\n"
        f"启动前 before send starts: 放回密钥 put the keys back into {setup.folder / 'keys'}, "
        "否则终端拒绝新密钥 or the nodes refuse its commands"
    )
    return 0


def show_status(setup: Setup) -> int:
    log = open_run_log(setup)
    for text in status_lines(log, setup.district, now_ms(), setup.run):
        click.echo(text)
    log.close()
    return 0


def run_line(
    setup: Setup, *, out: Path | None, plain: bool, port: int, beside: storm.Beside
) -> int:
    """All stages without a simulator."""
    _answer_for_thresholds(setup)
    if not setup.district.officers:
        click.echo(NOBODY, err=True)
    stop = threading.Event()
    with stopping_on_signals(stop), answering():
        return storm.run_line(setup, out=out, plain=plain, port=port, stop=stop, beside=beside)


def run_storm(
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
    beside: storm.Beside,
) -> int:
    """All stages and a simulated storm."""
    for text in proved.doubts(district):
        click.echo(text, err=True)
    stop = threading.Event()
    try:
        with stopping_on_signals(stop), answering():
            return storm.run_storm(
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


def replay_alone(
    make: Callable[..., Setup], file: Path, speed: float, slot_s: int, out: Path | None
) -> int:
    """A record through a line of its own."""
    stop = threading.Event()
    try:
        with stopping_on_signals(stop):
            return storm.replay_alone(make, file, speed, slot_s, out, stop)
    except ValueError as e:
        raise Usage(str(e)) from e


def replay_to_broker(setup: Setup, file: Path, speed: float, lockstep: bool, slot_s: int) -> int:
    """A record to a line that runs elsewhere."""
    stop = threading.Event()
    try:
        rows = storm.good_rows(file)
    except ValueError as e:
        raise Usage(str(e)) from e
    with stopping_on_signals(stop):
        player = _player(setup, stop, speed, lockstep, 0)
        replay(player, rows, stop, slot_s=slot_s, on_slot=_progress(setup))
        player.close()
    return 0


def simulate_to_broker(
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
        chosen = scenario(name)
    except ValueError as e:
        raise Usage(str(e)) from e
    world = World(setup.district, chosen, seed)
    with stopping_on_signals(stop):
        player = _player(
            setup, stop, chosen.speed if speed is None else speed, lockstep, carrier_port
        )
        try:
            play(player, world, stop, drain_h=drain_h, on_slot=_progress(setup))
        except Stuck as e:
            click.echo(f"fengsui: {e}", err=True)
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
            "模拟和回放只能进演练 a simulator never speaks into a live run: --run exercise-NAME"
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
        raise Usage(str(e)) from e


def _progress(setup: Setup) -> Callable[[int], None]:
    """A line of progress every simulated half hour."""

    def tell(clock_at: int) -> None:
        if clock_at // 1000 % 1800 == 0:
            click.echo(local(clock_at, setup.district.timezone), err=True)

    return tell


def score_storms(district: District, count: int, *, faults: bool) -> int:
    """Many storms in memory: misses and false alarms first; or what broken gauges do to them."""
    from fengsui.fault_figures import figures
    from fengsui.scoring import score_all

    for text in (figures if faults else score_all)(district, count):
        click.echo(text)
    return 0
