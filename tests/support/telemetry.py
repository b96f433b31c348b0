"""A listener for telemetry stations at work, with its log, in this process."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from config.records.district import District, TelemetryRow
from fengsui.run.run_log import frames_folder, open_run_log
from fengsui.run.setup import Setup, make_setup
from ingest.observation import Observation, Observations
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.run import run_telemetry
from ingest.telemetry.server import USUAL, Bounds
from stream.disk.blobs import FrameStore
from stream.log.port import Log
from stream.records import DeadLetter
from tests.support.at_work import WAIT_S, at_work, stands_in
from tests.support.districts import yanqing

A, B, C = "0060321234", "0060325678", "1101190007"
ROWS = (
    TelemetryRow(station="R01", address=A, element="F4"),
    TelemetryRow(station="S01", address=A, element="39"),
    TelemetryRow(station="S01", address=A, element="F5", offset=1.0),
    TelemetryRow(station="R01", address=A, element="38", quantity="battery", scale=50, offset=-550),
    TelemetryRow(station="R02", address=B, element="F4", password="1234"),
    TelemetryRow(station="V01", address=B, element="F3", password="1234"),
    TelemetryRow(station="S02", address=C, element="39", mode="M4", ask_min=1),
    TelemetryRow(station="R03", address="5303810D00", element="1", protocol="szy206"),
)


def frames_651(at: int) -> list[bytes]:
    """One frame of each kind of report, of the addresses above."""
    slots = [encode.rain_slots([0.5, None] * 6), encode.level_slots(0xF5, [0.3, None] * 6)]
    level = encode.element(0x39, -1.5, 4, 3)
    found = [
        encode.frame(A, function, encode.report(A, n, at, 0x48, at, [*slots, level]))
        for n, function in enumerate(range(0x2F, 0x37))
    ]
    series = [b"\x04\x18\x00\x01\x00", b"\x39\x23" + bytes.fromhex("00001234" * 6)]
    picture = encode.report(B, 9, at, 0x48, at, [b"\xf3\xf3" + bytes(600)])
    found.append(encode.frame(C, 0x31, encode.report(C, 3, at, 0x48, at, series)))
    return [*found, *encode.in_packets(B, 0x36, picture, password="1234")]


@cache
def district(rows: tuple[TelemetryRow, ...] = ROWS) -> District:
    """Yanqing with telemetry stations; rain of theirs sums over five minutes."""
    found = yanqing()
    stations = {
        name: replace(s, sum_interval_s=300) if s.quantity == "rain" else s
        for name, s in found.stations.items()
    }
    return replace(found, stations=stations, telemetry=rows)


class Listening:
    """ports: tcp, udp."""

    def __init__(self, setup: Setup, log: Log, ports: list[int]) -> None:
        self.setup, self.log, (self.tcp, self.udp) = setup, log, ports

    def observations(self) -> list[Observation]:
        """All that stand in the log, of whatever group once."""
        found: dict[tuple[str, str, int, int], Observation] = {}
        many: dict[tuple[str, tuple[str, str, int, int]], int] = {}
        for record in stands_in(self.log, "observations"):
            for o in record.items if isinstance(record, Observations) else ():
                key = (o.station, o.quantity, o.observed_at, o.value)
                found[key] = o
                assert isinstance(record, Observations)
                many[record.group, key] = many.get((record.group, key), 0) + 1
        assert not many or max(many.values()) == 1, "stored twice"
        return list(found.values())

    def letters(self) -> list[DeadLetter]:
        return [r for r in stands_in(self.log, "dead-letters") if isinstance(r, DeadLetter)]


@contextmanager
def listening(
    folder: Path,
    *,
    log: str = "",
    bounds: Bounds = USUAL,
    of: District | None = None,
    run: str = "live",
) -> Iterator[Listening]:
    """As long as this lasts."""
    setup = make_setup(of or district(), run, folder, log=log)
    own = open_run_log(setup)
    ports: list[int] = []

    def work(stop: threading.Event, up: Callable[[], None]) -> None:
        def ready(found: list[int]) -> None:
            ports.extend(found)
            up()

        here = [("127.0.0.1", 0)]
        frames = FrameStore(frames_folder(setup))
        run_telemetry(setup.district, setup.run, own, frames, here, here, bounds, stop, ready)

    with closing(own), at_work("telemetry", work), closing(open_run_log(setup)) as opened:
        yield Listening(setup, opened, ports)


def until(found: Callable[[], object]) -> None:
    """Waits for it."""
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.05)):
        if found():
            return
        pause.wait(0.05)
    raise AssertionError("it did not come")


def fresh() -> str:
    """The name of a run that nobody has."""
    return f"exercise-{uuid.uuid4().hex[:8]}"
