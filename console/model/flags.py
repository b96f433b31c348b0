"""What detect holds against stations, and clocks that are fast: what it is, since when, and what to do.
Pure: records in.

A flag of `clogged`, `undercatch` or `clock_slow` lasts until detect says that it is over. What a clock
that is fast sends is refused (`clock_ahead`) and reaches no rule: three refusals in a row, of different
arrivals, with no reading taken in after them, are a flag here; one is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from config.language import zh
from detectors.detection import Detection
from ingest.identify import ahead_of
from ingest.observation import Observations
from stream.records import DeadLetter

_REFUSALS = 3


class _Words(NamedTuple):
    """What it is and what to do, in Chinese and in English. {much}: how long."""

    zh: str
    en: str
    todo_zh: str
    todo_en: str


_WORDS = {
    "clogged": _Words("堵塞或冻结", "clogged or frozen", "去清洗雨量筒", "clean it"),
    "undercatch": _Words(
        "少收：半堵、倾斜或遮挡",
        "catches a part only: half clogged, tilted or sheltered",
        "去清洗、调平",
        "clean and level it",
    ),
    "clock_slow": _Words(
        "时钟慢约 {much}，或一直晚到",
        "its clock is slow, or its link late, by {much}",
        "校时；时钟对就查通信",
        "set the clock; if it is right, look at the link",
    ),
    "clock_ahead": _Words(
        "时钟快约 {much}，读数不收",
        "its clock is fast by {much}: nothing of it is taken in",
        "校时",
        "set the clock",
    ),
}


class Flagged(NamedTuple):
    """zh, en: what it is; todo_zh, todo_en: what to do."""

    station: str
    test: str
    since_at: int
    zh: str
    en: str
    todo_zh: str
    todo_en: str


@dataclass
class Flags:
    """held: station -> test -> since when, and how many minutes of it there are. refused: of each
    station the last arrivals that were refused, and by how much they were ahead."""

    held: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    refused: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)  # when a reading was last taken in

    @staticmethod
    def knows(test: str) -> bool:
        """Is this word of rule `quality` one of those that are kept here?"""
        return test.partition(" ")[0] in _WORDS

    def said(self, d: Detection) -> None:
        """A word of rule `quality`: "R28 rain: clock_slow 60 min", "R28 rain: clock_slow over"."""
        what, _, test = zh(d.note).partition(": ")
        station, (name, *more) = what.partition(" ")[0], (test.split() or [""])
        if name not in _WORDS:
            return
        flags = self.held.setdefault(station, {})
        if more[:1] == ["over"]:
            flags.pop(name, None)
            return
        much = int(more[0]) if more and more[0].isdecimal() else 0
        since = flags[name][0] if name in flags else d.detected_at
        flags[name] = (since, much)

    def taken(self, batch: Observations) -> None:
        """Readings that were taken in."""
        for station in set(batch.station):
            self.heard[station] = max(self.heard.get(station, 0), batch.received_at)

    def letter(self, letter: DeadLetter) -> None:
        """A reading that was refused."""
        if letter.reason != "clock_ahead" or (found := ahead_of(zh(letter.detail))) is None:
            return
        station, minutes = found
        last = self.refused.setdefault(station, [])
        if not last or last[-1][0] != letter.received_at:
            last.append((letter.received_at, minutes))
            del last[:-_REFUSALS]

    def of(self, station: str) -> Iterator[Flagged]:
        """Its flags now."""
        flags = dict(self.held.get(station, {}))
        last = self.refused.get(station, [])
        if len(last) == _REFUSALS and last[-1][0] >= self.heard.get(station, 0):
            flags["clock_ahead"] = (last[0][0], min(m for _, m in last))
        for test, (since, minutes) in sorted(flags.items()):
            words = _WORDS[test]
            zh, en = _much(minutes)
            yield Flagged(
                station,
                test,
                since,
                words.zh.format(much=zh),
                words.en.format(much=en),
                words.todo_zh,
                words.todo_en,
            )

    def stations(self) -> list[str]:
        """Who has any, in order."""
        return sorted(s for s in {*self.held, *self.refused} if any(True for _ in self.of(s)))


def _much(minutes: int) -> tuple[str, str]:
    """In Chinese and in English."""
    if minutes < 120:
        return f"{minutes} 分钟", f"{minutes} min"
    if minutes < 2 * 1440:
        return f"{minutes / 60:.3g} 小时", f"{minutes / 60:.3g} h"
    return f"{minutes / 1440:.3g} 天", f"{minutes / 1440:.3g} days"
