"""A storm over one run, while its stages become those of the new build, then of the old one again, and of the
new one in the end."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from config.language import Text, en, text_of
from config.load import load
from console.model.follow import Follower
from dispatch.nodes.keys import sender_keys
from fengsui.files.ledger_export import verify_log
from fengsui.play.play import broker_of
from fengsui.run.run_log import READS, open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from fengsui.upgrade.account import Found, Reading, account
from fengsui.upgrade.builds import STAGES, Build, Processes
from simulators.carriers.phones import Carrier
from simulators.nodes import Nodes
from simulators.run import Player, Stuck, play
from simulators.scenario import scenario
from simulators.world import World
from stream.environment import Usage
from stream.log.port import Log
from stream.log.unread import unread
from stream.mqtt.access import SIMULATOR

RUN = "exercise-upgrade"
_SPEED = 400.0
_SETTLE_S = 120.0
_PATIENCE_S = 900.0  # a stage that is changed lets a slot wait
_WAVES = (
    (0.2, "new", False),
    (0.45, "old", True),
    (0.7, "new", False),
)  # when, to what, last stage first


class _Heard(Player):
    """A player that remembers which readings it has published: the broker acknowledges each slot whole."""

    published: set[Reading]

    def publish(self, suffix: str, payload: bytes) -> None:
        match suffix.split("/"):
            case ["station", station, _]:
                at = round(json.loads(payload)["time"] * 1000)
                self.published.add((station, at))
        super().publish(suffix, payload)


class Change(threading.Thread):
    """Changes the stages at three moments of the storm; what it could not do is in `failed`, and ends it."""

    def __init__(
        self,
        processes: Processes,
        builds: dict[str, Build],
        start_at: int,
        minutes: int,
        stop: threading.Event,
    ) -> None:
        super().__init__(name="upgrade-check")
        self._processes, self._builds = processes, builds
        self._start_at, self._minutes = start_at, minutes
        self._clock_at, self._moved = start_at, threading.Condition()
        self.stop, self.failed = stop, ""

    def hear(self, clock_at: int) -> None:
        """The storm's clock."""
        with self._moved:
            self._clock_at = clock_at
            self._moved.notify_all()

    def run(self) -> None:
        for share, to, backward in _WAVES:
            due = self._start_at + int(share * self._minutes) * 60_000
            with self._moved:
                self._moved.wait_for(lambda due=due: self._clock_at >= due or self.stop.is_set())  # type: ignore[misc]
            for stage in reversed(STAGES) if backward else STAGES:
                if self.stop.is_set():
                    return
                try:
                    self._processes.change(stage, self._builds[to])
                except RuntimeError as e:
                    self.failed = str(e)
                    self.stop.set()
                    return
                echo(Text(f"{stage} → {to}", f"{stage} → {to}"), err=True)


def upgrade_check(
    setup_of: Callable[[int], Setup], old: Build, new: Build, state: Path, name: str
) -> int:
    """Play the scenario, change the stages, and say what held: 0 all of it, 1 not. state: where the run and the
    journals of all processes are kept; setup_of: the run in it, that begins at a moment. Raises Usage, and
    ValueError for a scenario that there is not."""
    builds, chosen = {"old": old, "new": new}, scenario(name)
    setup = setup_of(chosen.start_at)
    district = setup.district
    if not setup.broker:
        raise Usage(
            Text(
                "给出 MQTT 服务器（--broker，如 mosquitto）：内置的不为停下的环节留消息",
                "name a broker (--broker, such as mosquitto): the embedded one keeps nothing for a stage "
                "that is away",
            )
        )
    known = load(old.config).stations.keys() & district.stations.keys()
    carrier, stop = Carrier(), threading.Event()
    where = {
        "FENGSUI_STATE": str(state.resolve()), "FENGSUI_BROKER": setup.broker, "FENGSUI_LOG": setup.log,
    }  # fmt: skip
    start = datetime.fromtimestamp(chosen.start_at / 1000, UTC).isoformat()
    with broker_of(setup, 0):
        processes = Processes(state, where, RUN, start, carrier.url)
        world = World(district, chosen, None)
        try:
            ports = {stage: processes.start(stage, builds["old"]) for stage in STAGES}
            for stage, port in ports.items():
                processes.wait_ready(stage, port)
            heard, failed = _storm(setup, world, carrier, processes, builds, stop)
            _settle(setup)
        except RuntimeError as e:
            heard, failed = frozenset(), str(e)
        finally:
            processes.close()
            carrier.close()
    run_log = open_run_log(setup)
    try:
        records = Follower(run_log).take()
        both = frozenset(r for r in heard if r[0] in known)
        found = account(records, both, carrier.posts, carrier.taken, _behind(run_log))
        found.faults.extend(Text("台账：", "ledger: ") + text_of(f) for f in verify_log(run_log)[1])
    finally:
        run_log.close()
    return _said(found, processes, failed, state)


def _storm(
    setup: Setup,
    world: World,
    carrier: Carrier,
    processes: Processes,
    builds: dict[str, Build],
    stop: threading.Event,
) -> tuple[frozenset[Reading], str]:
    """What was published, and why it came to no end ("" it did)."""
    nodes = Nodes(list(setup.district.nodes), sender_keys(setup.folder).public, "exercise")
    player = _Heard(
        setup.district, setup.broker_url(SIMULATOR), RUN, stop, nodes=nodes, carrier=carrier,
        speed=_SPEED, lockstep=True, patience_s=_PATIENCE_S,
    )  # fmt: skip
    player.published = set()
    change = Change(processes, builds, world.scenario.start_at, world.minutes, stop)
    change.start()

    failed = ""
    try:
        play(player, world, stop, on_slot=change.hear)
    except Stuck as e:
        failed = en(e)
    finally:
        change.hear(world.at(world.minutes))
        change.join()
        player.close()
    return frozenset(player.published), change.failed or failed


def _settle(setup: Setup) -> None:
    """Until all has been read, as long as that takes: the ledger and history follow by themselves."""
    log, until = open_run_log(setup), time.monotonic() + _SETTLE_S
    try:
        while any(_behind(log).values()) and time.monotonic() < until:
            time.sleep(0.5)
    finally:
        log.close()


def _behind(log: Log) -> dict[str, int]:
    return {stage: unread(log, topic, stage) for stage, topic in READS.items()}


def _said(found: Found, processes: Processes, failed: str, state: Path) -> int:
    for line in processes.of_snapshots():
        echo("  " + line)
    for words in found.told:
        echo(Text("  ", "  ") + words)
    faults = list(found.faults)
    if failed:
        faults.insert(0, Text(f"没有走完：{failed}", f"it did not come to its end: {failed}"))
    for s in processes.stopped:
        if s.code:
            who = f"{s.stage} ({s.build})"
            faults.append(Text(f"{who} 退出码 {s.code}", f"{who} ended with code {s.code}"))
    for words in faults:
        echo(Text("✗ ", "✗ ") + words)
    if failed and any(s.code == 2 and s.build == "old" for s in processes.stopped):
        echo(
            Text(
                "旧版不接受这份配置或用法，原话在上；区县是新版的，就用 --old-config 给出旧版那份",
                "the old version refused its settings, in the words above: where the district is of the new "
                "version, name the one that the old version had with --old-config",
            )
        )
    if not faults:
        echo(
            Text(
                "✓ 旧 → 新 → 旧 → 新，暴雨不停：没有丢，没有发两次",
                "✓ old → new → old → new in the storm: nothing was lost, nothing was sent twice",
            )
        )
    echo(Text(f"各进程的日志在 {state}", f"the journals of all processes are in {state}"), err=True)
    return 1 if faults else 0
