"""The picture of the duty room as of a moment, from what the line had by then: which stations had been
heard and what they said, what was in force and asked for where, who had been reached, what was blind. Pure.
"""

from collections.abc import Iterable

import msgspec

from config.language import Said, Text
from config.records.district import District
from config.records.level import hazard_words
from config.records.quantity import QUANTITIES
from console.model.reach import Reached, arrived
from console.model.shift_log import asked
from console.model.view import View
from dispatch.grade import Grade
from dispatch.records import Alert
from fengsui.inquiry.known import Known
from ingest.observation import Observations


class StationThen(msgspec.Struct, frozen=True):
    """A station. heard_at: the time of its newest reading that had come by then (ms), None: never heard;
    received_at: when that came. said: that reading with its unit. silent: the line held it silent."""

    id: str
    name: Text
    heard_at: int | None
    received_at: int | None
    said: str
    silent: bool


class QuestionThen(msgspec.Struct, frozen=True):
    """What somebody had to decide: since when it was asked, of whom, by when (ms), who had signed."""

    what: str
    words: Text
    since_at: int
    called: tuple[str, ...]
    deadline_at: int | None
    signed: tuple[str, ...]


class WarningThen(msgspec.Struct, frozen=True):
    """A warning in force or waiting. sent, reached: recipients of its newest version, each once; must,
    answered: those of them who must answer."""

    id: str
    version: int
    area: str
    place: Text
    hazard: Text
    state: str
    grade: Text
    asks: Text
    public: bool
    since_at: int
    questions: tuple[QuestionThen, ...]
    sent: int
    reached: int
    must: int
    answered: int


class BlindThen(msgspec.Struct, frozen=True):
    """An area that did not see with all its stations: those that spoke, of how many, which were silent,
    which in service. thin: too few to call it quiet."""

    area: str
    place: Text
    live: int
    expected: int
    silent: tuple[str, ...]
    service: tuple[str, ...]
    thin: bool


class WayThen(msgspec.Struct, frozen=True):
    """A way out that was down: channel and carrier, since when this was known."""

    name: str
    since_at: int
    why: Said


class Moment(msgspec.Struct, frozen=True):
    """The whole of it. at: ms since 1970 UTC; clock_at: as far as the line's own clock had come."""

    at: int
    clock_at: int
    stations: tuple[StationThen, ...]
    warnings: tuple[WarningThen, ...]
    blind: tuple[BlindThen, ...]
    ways_down: tuple[WayThen, ...]
    nodes_silent: tuple[str, ...]
    dead_letters: dict[str, int]


class Room:
    """What the duty room knew, as records come."""

    def __init__(self, district: District) -> None:
        self._district = district
        self.view, self._reached = View(), Reached()
        # station -> quantity, observed_at, received_at, counts
        self._newest: dict[str, tuple[str, int, int, int]] = {}

    def take(self, seen: Known) -> None:
        """Fold one record in. Topics come in the order of the line, each in its own order."""
        record = seen.record
        if record is None:
            return
        if isinstance(record, Observations):
            self._readings(record)
        self.view.take(record)
        self._reached.take(record, self.view)

    def _readings(self, batch: Observations) -> None:
        columns = (batch.station, batch.quantity, batch.observed_at, batch.value)
        for station, quantity, at, value in zip(*columns, strict=True):
            held = self._district.stations.get(station)
            own = held is None or quantity == held.quantity
            if own and at >= self._newest.get(station, ("", -1, 0, 0))[1]:
                self._newest[station] = (quantity, at, batch.received_at, value)

    def picture(self, at: int) -> Moment:
        """As it stands now, which is the moment `at`."""
        view = self.view
        silent = view.silent()
        return Moment(
            at=at,
            clock_at=view.clock_at,
            stations=tuple(self._station(s, silent) for s in sorted(self._district.stations)),
            warnings=tuple(self._warning(a) for a in view.open_alerts()),
            blind=tuple(self._blind()),
            ways_down=tuple(
                WayThen(name, h.checked_at, h.detail)
                for name, h in sorted(view.health.items())
                if not h.up
            ),
            nodes_silent=tuple(sorted(n for n in self._district.nodes if n in silent)),
            dead_letters=dict(sorted(view.dead.items())),
        )

    def _station(self, name: str, silent: set[str]) -> StationThen:
        station, last = self._district.stations[name], self._newest.get(name)
        said = ""
        if last is not None and (quantity := QUANTITIES.get(last[0])) is not None:
            said = f"{quantity.amount(last[3]):g} {quantity.unit}"
            if last[0] == "rain":
                said += f" (60 min {self.view.rain_mm(name, 60):.1f} mm)"
        return StationThen(
            name,
            Text(station.name, station.name_en),
            None if last is None else last[1],
            None if last is None else last[2],
            said,
            name in silent,
        )

    def _warning(self, a: Alert) -> WarningThen:
        reached, keys = self._reached, self._reached.places.get(a.area, {})
        told = [reached.best(self.view, k) for k in keys if k[0] == a.id]
        must = [s for s in told if s.delivery.must_answer]
        return WarningThen(
            id=a.id,
            version=a.version,
            area=a.area,
            place=place(self._district, a.area),
            hazard=hazard_words(a.hazard),
            state=a.state,
            grade=Grade(a.level, a.action).words(a.hazard),
            asks=Grade(a.proposed_level, a.proposed_action).words(a.hazard),
            public=a.public,
            since_at=self.view.first[a.id][0].sent_at,
            questions=tuple(self._question(a, q.what) for q in a.questions),
            sent=len(told),
            reached=sum(map(arrived, told)),
            must=len(must),
            answered=sum(map(arrived, must)),
        )

    def _question(self, a: Alert, what: str) -> QuestionThen:
        """Since the first version from which on it was asked without a break."""
        since = a.sent_at
        for older in reversed(self.view.first[a.id]):
            if all(q.what != what for q in older.questions):
                break
            since = older.sent_at
        q = next(q for q in a.questions if q.what == what)
        return QuestionThen(what, asked(what), since, q.called, q.deadline_at, q.signed)

    def _blind(self) -> Iterable[BlindThen]:
        for area, said in sorted(self.view.coverage.items()):
            cover = said.coverage
            if cover is not None and (cover.silent or cover.service):
                yield BlindThen(
                    area,
                    place(self._district, area),
                    cover.live,
                    cover.expected,
                    cover.silent,
                    cover.service,
                    said.thin,
                )


def place(district: District, area: str) -> Text:
    """大庄科乡铁炉村; Tielu, Dazhuangke."""
    found = district.areas.get(area)
    if found is None:
        return Text(area, area)
    return Text(
        f"{found.township}{found.name}", f"{found.name_en}, {found.township_en}".strip(", ")
    )


def as_of(district: District, records: Iterable[Known], at: int) -> Moment:
    """The picture at a moment (ms): of all records those that the line had by then."""
    room = Room(district)
    for seen in records:
        if seen.at <= at:
            room.take(seen)
    return room.picture(at)
