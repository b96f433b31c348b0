"""Rain and humidity of surface reports in BUFR (FM 94), by ecCodes. Run as a process of its own, with bounds: a
message that the library dies on ends nothing but its own reading; see `ingest.weather.bufr_process`.

Amounts of rain (0 13 011, 0 13 019 … 0 13 023): kg/m² over a period that 0 04 024 (hours) or 0 04 025
(minutes) gives before it, negative for the past; scale 1, reference -1, so that -0.1 is the code for a trace
and no amount (WMO-No. 306, vol. I.2, table B, and note to class 13).
"""

import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from stream.stages.process_limits import bound

MEMORY, CPU_S = 4_000_000_000, 60
MOST_SUBSETS = 20_000
MISSING = -1e99  # and less: ecCodes writes -1e100
_TRACE = -0.1
_HOURS, _MINUTES = 4024, 4025
_RAIN = "totalPrecipitationOrTotalWaterEquivalent"
# elements whose name says over how many minutes they are
_FIXED = {
    "totalPrecipitationPast1Hour": 60,
    "totalPrecipitationPast3Hours": 180,
    "totalPrecipitationPast6Hours": 360,
    "totalPrecipitationPast12Hours": 720,
    "totalPrecipitationPast24Hours": 1440,
}
_WHEN = ("year", "month", "day", "hour", "minute")
_IDS = ("blockNumber", "stationNumber")
_WIGOS = ("wigosIdentifierSeries", "wigosIssuerOfIdentifier", "wigosIssueNumber")
_LOCAL = "wigosLocalIdentifierCharacter"
_HUMIDITY = "relativeHumidity"
_PERIOD = "timePeriod"
_NUMBERS = {*_WHEN, *_IDS, *_WIGOS, _RAIN, *_FIXED, _HUMIDITY, _PERIOD}


class Amount(msgspec.Struct, array_like=True):
    """Rain: minutes over which it fell, minutes from their end to the report's time; None: missing."""

    minutes: int
    before: int
    value: float | None
    trace: bool


class Report(msgspec.Struct):
    """One subset. at: year, month, day, hour, minute UTC, None where it is not told; ids: as a table may call
    the station; humidity: %."""

    n: int
    at: list[int] | None
    ids: list[str]
    rain: list[Amount]
    humidity: list[float | None]


class _Subset:
    """What is said of one, in the order of its elements."""

    def __init__(self, n: int) -> None:
        self.head: dict[str, int] = {}
        self.local = ""
        self.report = Report(n, None, [], [], [])
        self._period: list[float | None] = []  # minutes; two in a row are a beginning and an end
        self._open = False

    def take(self, name: str, value: float, code: int) -> None:
        missing = value <= MISSING
        if name == _PERIOD:
            if not self._open:
                self._period, self._open = [], True
            minutes = value * 60 if code == _HOURS else value
            if code in (_HOURS, _MINUTES):
                self._period.append(None if missing else minutes)
            return
        self.other()
        if name in _FIXED:
            self._rain(_FIXED[name], 0, value, missing)
        elif name == _RAIN:
            self._of_period(value, missing)
        elif name == _HUMIDITY:
            self.report.humidity.append(None if missing else value)
        elif not missing:
            self.head.setdefault(name, int(value))

    def other(self) -> None:
        """An element that is none of ours: the period before it was its."""
        self._open = False

    def _of_period(self, value: float, missing: bool) -> None:
        told = [p for p in self._period[-2:] if p is not None]
        if not told or len(told) < len(self._period[-2:]) or max(told) > 0:
            return  # over how long nobody says, or what is still to come
        begin, end = (told[0], told[1]) if len(told) == 2 else (told[0], 0.0)
        if begin < end:
            self._rain(round(end - begin), round(-end), value, missing)

    def _rain(self, minutes: int, before: int, value: float, missing: bool) -> None:
        trace = not missing and round(value * 10) == round(_TRACE * 10)
        amount = 0.0 if trace else round(value, 3)
        self.report.rain.append(Amount(minutes, before, None if missing else amount, trace))

    def done(self) -> Report:
        head, found = self.head, self.report
        if all(k in head for k in _WHEN):
            found.at = [head[k] for k in _WHEN]
        if all(k in head for k in _IDS):
            found.ids.append(f"{head['blockNumber']:02d}{head['stationNumber']:03d}")
        if self.local and all(k in head for k in _WIGOS):
            found.ids.append("-".join([*(str(head[k]) for k in _WIGOS), self.local]))
        return found


def reports(message: bytes) -> list[Report]:
    """The subsets of one message. Raises eccodes' errors and ValueError."""
    import eccodes

    handle = eccodes.codes_new_from_message(message)
    try:
        eccodes.codes_set(handle, "skipExtraKeyAttributes", 1)
        eccodes.codes_set(handle, "unpack", 1)
        many = eccodes.codes_get_long(handle, "numberOfSubsets")
        if not 0 < many <= MOST_SUBSETS:
            raise ValueError(f"{many} subsets")
        if eccodes.codes_get_long(handle, "compressedData"):
            return _compressed(eccodes, handle, many)
        return _plain(eccodes, handle)
    finally:
        eccodes.codes_release(handle)


def _names(eccodes: Any, handle: Any) -> Iterator[str]:
    keys = eccodes.codes_bufr_keys_iterator_new(handle)
    try:
        while eccodes.codes_bufr_keys_iterator_next(keys):
            yield eccodes.codes_bufr_keys_iterator_get_name(keys)
    finally:
        eccodes.codes_bufr_keys_iterator_delete(keys)


def _code(eccodes: Any, handle: Any, key: str, name: str) -> int:
    return int(eccodes.codes_get_long(handle, f"{key}->code")) if name == _PERIOD else 0


def _plain(eccodes: Any, handle: Any) -> list[Report]:
    """Subset after subset."""
    found: list[_Subset] = []
    for key in _names(eccodes, handle):
        if key == "subsetNumber":
            found.append(_Subset(len(found) + 1))
            continue
        name = key.rpartition("#")[2]
        if not found:
            continue
        if name == _LOCAL:
            found[-1].local = found[-1].local or eccodes.codes_get_string(handle, key).strip()
        elif name not in _NUMBERS:
            found[-1].other()
        else:
            value = eccodes.codes_get_double(handle, key)
            found[-1].take(name, value, _code(eccodes, handle, key, name))
    return [s.done() for s in found]


def _compressed(eccodes: Any, handle: Any, many: int) -> list[Report]:
    """Element after element, each of all subsets; one value where all are the same."""
    found = [_Subset(n + 1) for n in range(many)]
    for key in _names(eccodes, handle):
        name = key.rpartition("#")[2]
        if name == _LOCAL:
            texts = eccodes.codes_get_string_array(handle, key)
            for n, one in enumerate(found):
                one.local = one.local or texts[n if len(texts) > 1 else 0].strip()
        if name not in _NUMBERS:
            for one in found:
                one.other()
            continue
        values = [float(v) for v in eccodes.codes_get_double_array(handle, key)]
        if len(values) not in (1, many):
            raise ValueError(f"{key}: {len(values)} values")
        code = _code(eccodes, handle, key, name)
        for n, one in enumerate(found):
            one.take(name, values[n if len(values) > 1 else 0], code)
    return [s.done() for s in found]


def main() -> int:
    """A message a line of base64 in, a line of JSON out: its reports, or why there are none."""
    bound(MEMORY, CPU_S)
    from base64 import b64decode

    for line in sys.stdin.buffer:
        try:
            said: Any = reports(b64decode(line))
        except Exception as e:  # noqa: BLE001  # the library has an error for everything
            said = f"{type(e).__name__}: {e}"[:200]
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
