"""What the cells of a weather office's file mean, whatever kind of file it is. Pure."""

import re
from collections.abc import Collection
from typing import NamedTuple

from msgspec.structs import replace

from config.language import Said, Text, each, text_of
from config.records.devices.weather import WeatherForm, WeatherRow
from config.records.district import District
from ingest.decode.reading import Reading
from ingest.identify import Register, identify
from ingest.observation import Flag, Observation
from stream.records import Rejected

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_SHOWN = 40
# no rain of six hours or less was ever so much: what reads so is a code that no table declares
# (840 mm in six hours, Muduocaidang, China, 1977: WMO-No. 1045, the world's greatest known point rainfalls)
_NO_RAIN, _SHORT_S = 9_000, 6 * 3600  # 0.1 mm
_UNDECLARED = Text(
    "像是代码，不是雨量：写进 weather.toml 的 missing 或 trace",
    "looks like a code and no rain: declare it at missing or trace of weather.toml",
)


class CellValue(NamedTuple):
    """A value of a file. where: the row and column, in words. value None: the file says that there is none; at:
    ms; raw: what it was read from."""

    row: WeatherRow
    where: Said
    value: float | None
    at: int
    trace: bool = False
    doubt: bool = False
    raw: bytes = b""


class BadCell(NamedTuple):
    """What of a file could not be read."""

    why: Rejected
    raw: bytes = b""


class FileSays(NamedTuple):
    """What a file says. others: rows of stations that nobody asked for. refused: nothing of it could be
    read. periods: reports of our stations whose rain is of other periods than theirs."""

    values: list[CellValue]
    bad: list[BadCell]
    others: int = 0
    refused: bool = False
    periods: int = 0


def refused(reason: str, words: Said, raw: bytes = b"") -> FileSays:
    """A file of which nothing can be read."""
    return FileSays([], [BadCell(Rejected(reason, words), raw)], refused=True)


def number_of(text: str) -> float | None:
    """None: it is none."""
    return float(text) if len(text) <= _SHOWN and _NUMBER.fullmatch(text) else None


class CellCodes:
    """What says that there is no value, or a trace, in one column."""

    def __init__(self, row: WeatherRow, form: WeatherForm, quantity: str) -> None:
        self._missing = _meant(row.missing or form.missing)
        self._trace = _meant(row.trace or form.trace) if quantity == "rain" else frozenset()

    def read(self, text: str) -> tuple[float | None, bool] | None:
        """(value, whether it is a trace): (None, False) where the cell says that there is none; None: it is
        neither a number nor a code."""
        text = text.strip()
        number = number_of(text)
        meant = text.casefold() if number is None else number
        if meant in self._trace:
            return 0.0, True
        if meant in self._missing:
            return None, False
        return None if number is None else (number, False)


def _meant(codes: Collection[str]) -> frozenset[str | float]:
    """A number is one, however it is written: -0.1 and -0.10."""
    texts = [c.strip() for c in codes]
    return frozenset(t.casefold() if (n := number_of(t)) is None else n for t in texts)


def shown(text: str) -> str:
    """A cell, for a person."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


class OfficeJudge:
    """Values as observations of our stations."""

    def __init__(self, district: District, register: Register) -> None:
        self._register = register
        self._sums = {s.id: s.sum_interval_s for s in district.stations.values()}

    def quantity(self, row: WeatherRow) -> str:
        """What its station measures."""
        return self._register.measures[row.station]

    def observation(self, file: str, one: CellValue, now: int) -> Observation | Rejected:
        """A value that is there, received at `now` (ms)."""
        assert one.value is not None
        row, quantity = one.row, self.quantity(one.row)
        value = 0.0 if one.trace else one.value * row.scale + row.offset
        reading = Reading(value=value, time=one.at / 1000, unit=row.unit or None)
        found = identify(self._register, reading, row.station, quantity, now)
        if isinstance(found, Observation) and self._undeclared(found):
            found = Rejected("bad_value", shown(f"{one.value:g}") + " " + _UNDECLARED)
        if isinstance(found, Rejected):
            detail = each(found.detail, lambda words: words.removeprefix(f"{row.station}: "))
            return Rejected(
                found.reason, f"{row.station}: {file} " + text_of(one.where) + ": " + detail
            )
        if found.flag == Flag.FAIL:
            return found
        if one.doubt:
            return _changed(found, Flag.SUSPECT, "office_quality")
        return _changed(found, found.flag, "trace") if one.trace else found

    def _undeclared(self, found: Observation) -> bool:
        short = self._sums.get(found.station, 0) <= _SHORT_S
        return found.quantity == "rain" and short and abs(found.value) >= _NO_RAIN


def _changed(one: Observation, flag: Flag, test: str) -> Observation:
    return replace(one, flag=flag, test=test)
