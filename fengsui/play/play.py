"""Plays a scenario or a record through the whole embedded line, and shows it."""

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.live import Live

from config.language import Text, en, text_of, zh
from config.records.district import District
from console.model.follow import Follower
from console.model.view import View
from dispatch.nodes.keys import sender_keys
from fengsui.files.export import export_folder
from fengsui.play.screen import STAYS, change_line, screen
from fengsui.play.summary import summary
from fengsui.run.folder_lock import held
from fengsui.run.invite import invitation
from fengsui.run.processes import Line
from fengsui.run.recipients import link_of
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, answers, free_port, own, refuse_live_keys
from fengsui.run.terminal import echo
from simulators.carriers.personal_page import PersonalPages
from simulators.carriers.phones import Carrier
from simulators.nodes import Nodes
from simulators.replay import BadRow, Measured, read_csv, replay
from simulators.run import Player, Stuck, play
from simulators.scenario import scenario
from simulators.world import World
from skill.verify.storms import StormScore, score, warned
from stream.disk.files import write_file
from stream.environment import Usage
from stream.log.port import Log, Unavailable
from stream.mqtt.access import SIMULATOR, rights
from stream.mqtt.broker import Broker, as_user, start_broker

_DRAIN_H = 24.0  # of a storm's clock, until all is lifted and its last report is made
_QUIET_SLOTS = 4
_LEAVES_S = 8.0  # so long a line that was stopped takes to let go of its port


@contextlib.contextmanager
def broker_of(setup: Setup, port: int) -> Iterator[Setup]:
    """The broker named, or the embedded one for as long as this lasts, for this line alone."""
    refuse_live_keys(setup)
    os.umask(0o077)
    own(setup.folder)
    with held(setup.folder, _LEAVES_S):
        yield from _broker(setup, port)


def _broker(setup: Setup, port: int) -> Iterator[Setup]:
    broker: Broker | None = None
    if not setup.broker:
        _alone(setup)
        table = rights(setup.district, setup.run.name)
        broker = start_broker(setup.folder, _port(port), table)
        url = broker.url if setup.live else as_user(broker.url, setup.folder, SIMULATOR)
        write_file(setup.broker_file, url.encode())  # whoever waits for it reads it whole
    try:
        yield setup
    finally:
        if broker is not None:
            broker.stop()
            setup.broker_file.unlink(missing_ok=True)


def _alone(setup: Setup) -> None:
    """Raises `Usage` while another line's embedded broker answers at the address in this folder: a
    second line would take its address from everybody and never come up itself."""
    if not setup.broker_file.exists():
        return
    port = urlsplit(setup.broker_file.read_text().strip()).port or 0
    until = time.monotonic() + _LEAVES_S
    while port and answers(port):
        if time.monotonic() > until:
            raise Usage(
                Text(
                    f"{setup.folder}: 已有一条线在此目录运行，它的服务器在端口 {port}：先停掉它，或"
                    "换 --run 或 --state",
                    f"{setup.folder}: a line runs on this folder already, its broker answers on "
                    f"port {port}: stop it first, or use another --run or --state",
                )
            )
        time.sleep(0.2)


def _port(preferred: int) -> int:
    """The port asked for, once whoever had it has let go; another one is told."""
    until = time.monotonic() + _LEAVES_S
    while (port := free_port(preferred)) != preferred and preferred and time.monotonic() < until:
        time.sleep(0.2)
    if preferred and port != preferred:
        words = Text(
            f"端口 {preferred} 被占用，MQTT 服务器改用 {port}",
            f"port {preferred} is taken, the broker listens on {port}",
        )
        echo(
            Text(f"! {zh(words)}；--port N 可另选", f"! {en(words)}; --port N chooses another"),
            err=True,
        )
    return port


class Watch:
    """Follows the log and draws: a moving screen on a terminal, else a line for each change."""

    def __init__(self, setup: Setup, log: Log, plain: bool) -> None:
        self.view = View(ours=setup.run)
        self._district = setup.district
        self._follower = Follower(log)
        self._console = Console(stderr=False, soft_wrap=plain)
        self._plain = plain or not self._console.is_terminal
        self._live: Live | None = None
        self._told = 0
        self._lock = threading.Lock()

    def __enter__(self) -> "Watch":
        if not self._plain:
            self._live = Live(console=self._console, refresh_per_second=4, screen=False)
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.__exit__(None, None, None)

    def look(self) -> None:
        """Take what is new and draw it."""
        with self._lock:
            for _, record in self._follower.take():
                self.view.take(record)
            if self._live is not None:
                height = self._console.size.height
                self._live.update(screen(self.view, self._district, height))
                return
            for change in self.view.changes[self._told :]:
                self._console.print(change_line(change, self._district))
            self._told = len(self.view.changes)

    def end(self, result: StormScore | None) -> None:
        """The summary."""
        self.look()
        with self._lock:
            if self._live is not None:
                self._live.__exit__(None, None, None)
                self._live = None
            self._told = len(self.view.changes)  # the moving screen has shown them
        Console(width=None if self._console.is_terminal else 118).print(
            summary(self.view, self._district, result)
        )


# what runs beside a line as long as it does: the duty room's pages
Beside = Callable[[Setup], contextlib.AbstractContextManager[None]]


def nothing(_setup: Setup) -> contextlib.AbstractContextManager[None]:
    """Nothing beside it."""
    return contextlib.nullcontext()


def run_line(
    setup: Setup,
    *,
    out: Path | None,
    plain: bool,
    port: int,
    beside: Beside = nothing,
    carrier_url: str = "",
    stop: threading.Event,
) -> int:
    """The line alone, until a signal: a live run, or an exercise that somebody feeds."""
    with broker_of(setup, port):
        line = Line(setup, carrier_url=carrier_url)
        if not line.start(stop=stop):
            return line.code
        try:
            log = open_run_log(setup)
            for told in invitation(setup):
                echo(told)
            with beside(setup), Watch(setup, log, plain) as watch:
                while not stop.wait(0.5) and not line.stop_event.is_set():
                    with contextlib.suppress(Unavailable):  # the stages say so
                        watch.look()
        finally:
            line.stop()
        _export(setup, log, out)
        log.close()
    return line.code


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
    stop: threading.Event,
    beside: Beside = nothing,
) -> int:
    """The whole line, and a simulated storm that crosses it."""
    chosen = scenario(name)
    world = World(district, chosen, seed)
    pace = chosen.speed if speed is None else speed
    setup = make(start_at=chosen.start_at, seed=world.seed, scenario=name, speed=pace)
    about = f"{name}: " + chosen.title + Text(f"；种子 {world.seed}", f"; seed {world.seed}")
    echo(Text("情景 ", "scenario ") + about, err=True)

    def show(player: Player, watch: Watch) -> None:
        quiet = 0

        def settled() -> bool:
            nonlocal quiet
            quiet = quiet + 1 if watch.view.closed() else 0
            return quiet >= _QUIET_SLOTS

        play(player, world, stop, drain_h=_DRAIN_H, settled=settled)

    return _around(
        setup,
        show,
        pace=pace,
        out=out,
        plain=plain,
        port=port,
        stop=stop,
        linger=not until_done,
        beside=beside,
        judge=lambda view: judge(world, view),
    )


def replay_alone(
    make: Callable[..., Setup],
    file: Path,
    speed: float,
    slot_s: int,
    out: Path | None,
    stop: threading.Event,
) -> int:
    """A line of its own around a file of measurements."""
    rows = good_rows(file)
    setup = make(
        start_at=rows[0].at // (slot_s * 1000) * slot_s * 1000,
        scenario=f"replay {file.name}",
        speed=speed,
    )

    def show(player: Player, _watch: Watch) -> None:
        replay(player, rows, stop, slot_s=slot_s)

    return _around(
        setup,
        show,
        pace=speed,
        out=out,
        plain=True,
        port=0,
        stop=stop,
        linger=False,
        judge=lambda _: None,
    )


def good_rows(file: Path) -> list[Measured]:
    """Rows in order of time; bad ones are told and left out. Raises ValueError if none is good."""
    rows, bad = [], 0
    for row in read_csv(file):
        if isinstance(row, BadRow):
            bad += 1
            if bad <= 5:
                echo(f"{file}:{row.row}: " + row.why, err=True)
        else:
            rows.append(row)
    if bad:
        echo(
            Text(f"{file}: {bad} 行不是测值，已跳过", f"{file}: {bad} bad rows left out"), err=True
        )
    if not rows:
        raise ValueError(Text(f"{file}: 没有可回放的行", f"{file}: there is no row to replay"))
    rows.sort()
    return rows


def _around(
    setup: Setup,
    show: Callable[[Player, Watch], None],
    *,
    pace: float,
    out: Path | None,
    plain: bool,
    port: int,
    stop: threading.Event,
    linger: bool,
    judge: Callable[[View], StormScore | None],
    beside: Beside = nothing,
) -> int:
    """Broker, line, loudspeakers and phones around a play; then the summary and the export."""
    code = 0
    carrier = Carrier()
    with broker_of(setup, port):
        keys = sender_keys(setup.folder)
        nodes = Nodes(list(setup.district.nodes), keys.public, "exercise")
        line = Line(setup, carrier_url=carrier.url)
        if not line.start(stop=stop):
            carrier.close()
            return line.code
        log = open_run_log(setup)
        player = Player(
            setup.district,
            setup.broker_url(SIMULATOR),
            setup.run.name,
            stop,
            nodes=nodes,
            carrier=carrier,
            speed=pace,
            lockstep=True,
            pages=PersonalPages(partial(link_of, setup), setup.district.timezone).post,
        )
        with beside(setup), Watch(setup, log, plain) as watch:
            drawing = threading.Thread(
                target=_draw, args=(watch, line, stop), name="screen", daemon=True
            )
            drawing.start()
            try:
                show(player, watch)
                settle(line, log)
            except Stuck as e:
                echo("fengsui: " + text_of(e), err=True)
                code = 1
            if not linger or stop.is_set():
                stop.set()
                drawing.join()
            watch.end(judge(watch.view))
            if linger and not stop.is_set():
                echo(STAYS)
            while linger and not stop.wait(0.3):
                pass
            stop.set()
        player.close()
        line.stop()
        _export(setup, log, out)
        log.close()
        carrier.close()
    return line.code or code


def _draw(watch: Watch, line: Line, stop: threading.Event) -> None:
    while not stop.wait(0.25):
        with contextlib.suppress(Unavailable):  # the stages say so
            watch.look()
        if line.stop_event.is_set():
            stop.set()  # a stage failed: end the play


def settle(line: Line, log: Log, timeout_s: float = 120.0) -> None:
    """Wait until every stage has read all there is; what stays unread then is told."""
    until = time.monotonic() + timeout_s
    while not line.settled(log):
        if time.monotonic() > until:
            words = Text(
                "仍有环节没有读完，导出可能不全",
                "some stage has not read all: an export may lack its end",
            )
            echo(f"! {timeout_s:.0f} s: " + words, err=True)
            return
        time.sleep(0.05)


def judge(world: World, view: View) -> StormScore:
    """The public warnings of a view against the world's truth."""
    return score(world.truth, warned(a for versions in view.first.values() for a in versions))


def _export(setup: Setup, log: Log, out: Path | None) -> None:
    if out is None:
        return
    paths = export_folder(log, out)
    cap = out / "cap"
    cap.mkdir(exist_ok=True)
    for source in setup.folder.glob("**/cap/*.xml"):
        shutil.copy(source, cap / source.name)
    names = ", ".join(p.name for p in paths)
    echo(Text(f"已导出到 {out}：{names}, cap/", f"exported to {out}: {names}, cap/"), err=True)
    sys.stderr.flush()
