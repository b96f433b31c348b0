"""Files of a weather office, the door that reads them with its log, and BUFR messages made by ecCodes."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec.structs import replace

from config.records.devices.weather import Weather, WeatherForm, WeatherRow
from config.records.district import District
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from ingest.observation import Observation, Observations
from ingest.weather.folder import DropFolder
from ingest.weather.memory import FileMemory
from ingest.weather.run import FileDoor
from stream import metrics
from stream.log.port import Log
from stream.records import DeadLetter
from stream.stages.run_identity import begin
from tests.support.at_work import stands_in
from tests.support.districts import yanqing

CSV = WeatherForm(
    files="pre_*.csv",
    station="站号",
    time=("日期", "时间"),
    time_form="%Y-%m-%d %H:%M",
    zone="Asia/Shanghai",
)
BUFR = WeatherForm(files="*.bufr *.bin", kind="bufr")
ROWS = (
    WeatherRow(form="hourly", id="54406", column="PRE", station="R01"),
    WeatherRow(form="hourly", id="54406", column="LEVEL", station="S01", unit="cm"),
    WeatherRow(form="hourly", id="A1234", column="PRE", station="R02"),
    WeatherRow(form="synop", id="54406", column="rain", station="R01"),
    WeatherRow(form="synop", id="0-20000-0-54499", column="rain", station="R02"),
)
HEAD = "站号,日期,时间,PRE,LEVEL\n"
# 2026-07-26 08:00 in Beijing
AT = 1_785_024_000_000
NOW = AT + 3_600_000


def district(rows: Sequence[WeatherRow] = ROWS, **forms: WeatherForm) -> District:
    """Yanqing with files of a weather office, whose rain sums over an hour."""
    found = yanqing()
    stations = {
        name: replace(s, sum_interval_s=3600) if s.quantity == "rain" else s
        for name, s in found.stations.items()
    }
    kinds = forms or {"hourly": CSV, "synop": BUFR}
    return replace(found, stations=stations, weather=Weather(forms=kinds, rows=tuple(rows)))


class Door:
    """A door on a folder, with its log; `look` as often as files need to be settled."""

    def __init__(self, of: District, folder: Path, log: Log) -> None:
        self.folder, self.log = folder / "drop", log
        self.folder.mkdir(exist_ok=True)
        self.time = 0.0
        self._memory = FileMemory(folder / "weather.db")
        self.drop = DropFolder(self.folder, lambda: self.time)
        self.door = FileDoor(
            of,
            log,
            self.drop,
            self._memory,
            lambda: NOW,
            threading.Event(),
            metrics.Pulse("weather"),
        )

    def close(self) -> None:
        self._memory.close()

    @property
    def memory(self) -> FileMemory:
        return self._memory

    def drop_file(self, name: str, body: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
        return path

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.door.look()

    def readings(self) -> list[Observation]:
        """As they stand in the log; once, where several groups have them."""
        found = [
            o
            for r in stands_in(self.log, "observations")
            if isinstance(r, Observations)
            for o in r.items
        ]
        groups = self.door._register.groups
        kept: dict[object, int] = {}
        for o in found:
            kept[o] = kept.get(o, 0) + 1
        return [o for o, n in kept.items() for _ in range(n // len(groups[o.station]))]

    def letters(self) -> list[DeadLetter]:
        return [r for r in stands_in(self.log, "dead-letters") if isinstance(r, DeadLetter)]


@contextmanager
def door(folder: Path, of: District | None = None) -> Iterator[Door]:
    """As long as this lasts."""
    setup = make_setup(of or district(), "live", folder / "var")
    with closing(open_run_log(setup)) as log:
        begin(log, setup.run)
        found = Door(of or district(), folder, log)
        try:
            yield found
        finally:
            found.close()


Subset = Mapping[str, float | str]


def synop(
    subsets: Sequence[Subset], descriptors: Sequence[int] = (307080,), compressed: bool = False
) -> bytes:
    """One BUFR message of edition 4; what a subset does not name is missing."""
    import eccodes

    handle = eccodes.codes_bufr_new_from_samples("BUFR4")
    many = len(subsets)
    eccodes.codes_set(handle, "masterTablesVersionNumber", 35)
    eccodes.codes_set(handle, "numberOfSubsets", many)
    eccodes.codes_set(handle, "compressedData", int(compressed))
    if 307080 in descriptors:
        each = [0, 0] * (1 if compressed else many)
        eccodes.codes_set_array(handle, "inputDelayedDescriptorReplicationFactor", each)
    eccodes.codes_set_array(handle, "unexpandedDescriptors", list(descriptors))
    if compressed:
        for key in subsets[0]:
            eccodes.codes_set_array(handle, key, [float(s[key]) for s in subsets])
    else:
        for n, subset in enumerate(subsets):
            for key, value in subset.items():
                rank, name = key[1:].split("#") if key.startswith("#") else ("1", key)
                per = _many(handle, name) // many
                eccodes.codes_set(handle, f"#{n * per + int(rank)}#{name}", value)
    eccodes.codes_set(handle, "pack", 1)
    message: bytes = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    return message


def _many(handle: int, name: str) -> int:
    """How often an element stands in a whole message."""
    import eccodes

    keys, found = eccodes.codes_bufr_keys_iterator_new(handle), 0
    while eccodes.codes_bufr_keys_iterator_next(keys):
        found += eccodes.codes_bufr_keys_iterator_get_name(keys).endswith(f"#{name}")
    eccodes.codes_bufr_keys_iterator_delete(keys)
    return found


HOUR = {"year": 2026, "month": 7, "day": 26, "hour": 0, "minute": 0}
P, RAIN = "timePeriod", "totalPrecipitationOrTotalWaterEquivalent"
