"""The memory of the stage detect."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from detectors.camera.state import CameraState
from detectors.detection import Evidence
from detectors.engine.compound import CompoundState
from detectors.engine.minute_ring import Ints
from detectors.engine.owed_ends import OwedEnds, PackedOwed
from detectors.engine.slot_ring import SeriesState
from detectors.engine.snapshot_arrays import EVERY, rows_in
from detectors.memory.backfill import Backfill, PackedBackfill
from detectors.memory.cap import CapState
from detectors.memory.observers import PeopleState
from detectors.memory.rounds import Rounds
from detectors.quality.level_course import Course
from detectors.quality.service_mode import ServiceState
from detectors.quality.silence import SilenceState
from detectors.quality.station_memory import StationMemory
from detectors.rain.threshold_state import RainState
from detectors.water.cascade import CascadeState
from detectors.water.stage_trend import StageState
from stream.records import Run

T = TypeVar("T", bound=msgspec.Struct)


class RowSaid(msgspec.Struct):
    """What one row of a rule last said."""

    level: int
    action: int
    sure_level: int
    sure_action: int
    evidence: Evidence
    next_at: int | None
    earliest_at: int | None = None  # of what is on its way here
    latest_at: int | None = None


class Said(msgspec.Struct):
    """What a rule last said of an area and hazard; at: when, and nth: how often before at this time."""

    level: int = 0
    action: int = 0
    suspect: bool = False
    since_at: int = 0
    at: int = 0
    nth: int = 0

    def begins(self, level: int, action: int) -> bool:
        """Does something begin with that: a higher level, the order of a rule that has no level, or
        nothing at all any more?"""
        orders = self.level == level == 0 and action > self.action
        return level > self.level or orders or (level, action) == (0, 0)

    def again(self, at: int) -> str:
        """What tells apart the statements of one time, which may go and come again; empty of the first."""
        self.nth = self.nth + 1 if at == self.at else 0
        self.at = at
        return f"+{self.nth}" if self.nth else ""


class _Packed(msgspec.Struct):
    run: Run | None
    rain: bytes
    stage: bytes
    heard: bytes
    heard_width: int
    heard_test: dict[str, str]
    memory: dict[str, Course]
    cameras: dict[str, CameraState]
    silence: SilenceState
    complete: dict[str, int]
    rows: dict[str, dict[str, RowSaid]]
    said: dict[str, Said]
    series: dict[str, bytes] = {}
    compounds: dict[str, CompoundState] = {}
    cap: CapState = msgspec.field(default_factory=CapState)
    people: PeopleState = msgspec.field(default_factory=PeopleState)
    service: ServiceState = msgspec.field(default_factory=ServiceState)
    heard_lone: dict[str, dict[int, int]] = {}
    heard_filled: dict[str, dict[int, int]] = {}
    cascades: dict[str, CascadeState] = {}
    heard_owed: dict[str, dict[int, int]] = {}
    heard_awaited: dict[str, list[int]] = {}
    backfill: PackedBackfill = msgspec.field(default_factory=PackedBackfill)
    owed_ends: PackedOwed = msgspec.field(default_factory=PackedOwed)
    # of a piece: field -> keys that are no more
    gone: dict[str, list[str]] = msgspec.field(name="_gone", default_factory=dict)


class Packed(NamedTuple):
    """The parts with rows, as bytes, and which rows of `heard` these are of."""

    rain: bytes
    stage: bytes
    series: Mapping[str, bytes]
    rows: Ints | slice = EVERY


# of which a piece holds what is new alone; in `memory` that of its rows
_KEYED = (
    *("heard_test", "heard_lone", "heard_filled", "heard_owed", "heard_awaited"),
    *("cameras", "complete", "rows", "said", "compounds", "cascades"),
)


def _in_order(held: T) -> T:
    """With lists in the place of its sets: the same memory is the same bytes in every process."""
    sets = {f: x for f in held.__struct_fields__ if isinstance(x := getattr(held, f), set)}
    return msgspec.structs.replace(held, **{f: sorted(x) for f, x in sets.items()})


class DetectState:
    """Of one partition."""

    def __init__(
        self, partition: int, rain: RainState, stage: StageState, heard: StationMemory
    ) -> None:
        self.partition = partition
        self.run: Run | None = None
        self.rain = rain
        self.stage = stage
        self.heard = heard
        self.memory: dict[int, Course] = {}  # of rows that need more
        self.cameras: dict[str, CameraState] = {}
        self.silence = SilenceState()
        self.touched = np.zeros(heard.head.size, np.bool_)  # heard since `silence.seen` was told
        self.complete: dict[str, int] = {}
        self.rows: dict[str, dict[str, RowSaid]] = {}  # rule|area|hazard -> station -> said
        self.said: dict[str, Said] = {}  # rule|area|hazard
        self.series: dict[str, SeriesState] = {}  # by rule
        # of rules that are laid together, of which each one's is a part: `detectors.engine.calm_together`
        self.joined: list[SeriesState] = []
        self.compounds: dict[str, CompoundState] = {}
        self.cascades: dict[str, CascadeState] = {}  # by rule and watch group
        self.cap = CapState()  # of other authorities
        self.people = PeopleState()
        self.service = ServiceState()
        self.backfill = Backfill()
        self.owed_ends = OwedEnds(heard.head.size)
        self.rounds = Rounds()

    def remember_seen(self, stations: Sequence[str]) -> None:
        """The newest moment of each station into `silence.seen`, from the rows of `heard`: once a
        tick, not with every reading."""
        rows = np.nonzero(self.touched)[0]
        seen = self.silence.seen
        for row, head in zip(rows.tolist(), self.heard.head[rows].tolist(), strict=True):
            station = stations[row]
            if head > seen.get(station, -1) or station not in seen:
                seen[station] = head
        self.touched[:] = False

    def dump(
        self, packed: Packed, names: Sequence[str], news: Callable[..., Any] | None = None
    ) -> bytes:
        """As a snapshot holds it. `names` of the rows of `heard`. news: of a piece, as `Rounds.news`."""
        which = packed.rows
        rows = self.memory if isinstance(which, slice) else which.tolist()
        found = _Packed(
            self.run,
            packed.rain,
            packed.stage,
            self.heard.dump(names, which),
            self.heard.keys.shape[1],
            {names[row]: test for row, test in self.heard.test.items()},
            {names[row]: self.memory[row] for row in rows if row in self.memory},
            self.cameras,
            msgspec.structs.replace(
                _in_order(self.silence), caught_days=_in_order(self.silence.caught_days)
            ),
            self.complete,
            self.rows,
            self.said,
            dict(packed.series),
            self.compounds,
            self.cap,
            self.people,
            _in_order(self.service),
            {names[row]: held for row, held in self.heard.lone.items()},
            {names[row]: held for row, held in self.heard.filled.items()},
            self.cascades,
            {names[row]: held for row, held in self.heard.owed.items()},
            {names[row]: sorted(held) for row, held in self.heard.awaited.items()},
            self.backfill.pack(names),
            self.owed_ends.pack(names),
        )
        if news is not None:
            for field in _KEYED:
                held, found.gone[field] = news(field, getattr(found, field))
                setattr(found, field, held)
            seen, found.gone["seen"] = news("seen", found.silence.seen)
            found.silence.seen = seen
            found.gone = {field: keys for field, keys in found.gone.items() if keys}
        return msgspec.msgpack.encode(found)

    @classmethod
    def load(
        cls,
        partition: int,
        bodies: Sequence[bytes],
        rain: Callable[..., RainState],
        stage: Callable[..., StageState],
        series: Callable[[Sequence[Mapping[str, bytes]]], dict[str, SeriesState]],
        names: Sequence[str],
    ) -> "DetectState":
        """Of a snapshot, or of its pieces, oldest first."""
        pieces = [msgspec.msgpack.decode(body, type=_Packed) for body in bodies]
        packed = _joined(pieces)
        row = {name: n for n, name in enumerate(names)}
        heard = StationMemory(len(names))
        for piece in pieces:
            heard.load(names, piece.heard, piece.heard_width)
        heard.test = {row[k]: v for k, v in packed.heard_test.items() if k in row}
        heard.lone = {row[k]: v for k, v in packed.heard_lone.items() if k in row}
        heard.filled = {row[k]: v for k, v in packed.heard_filled.items() if k in row}
        heard.owed = {row[k]: v for k, v in packed.heard_owed.items() if k in row}
        heard.awaited = {row[k]: set(v) for k, v in packed.heard_awaited.items() if k in row}
        state = cls(
            partition,
            rain(*(piece.rain for piece in pieces)),
            stage(*(piece.stage for piece in pieces)),
            heard,
        )
        state.run, state.silence, state.complete = packed.run, packed.silence, packed.complete
        state.memory = {row[k]: m for k, m in packed.memory.items() if k in row}
        state.cameras, state.rows, state.said = packed.cameras, packed.rows, packed.said
        state.series = series([piece.series for piece in pieces])
        state.compounds, state.cascades = packed.compounds, packed.cascades
        state.backfill = Backfill.of(packed.backfill, row)
        state.owed_ends.load(packed.owed_ends, row)
        state.cap, state.people, state.service = packed.cap, packed.people, packed.service
        return state


def _joined(pieces: Sequence[_Packed]) -> _Packed:
    """What is no array: of what a piece holds the news of, what it and those before it hold."""
    whole = pieces[0]
    for piece in pieces[1:]:
        gone = {**piece.gone, "memory": rows_in(piece.heard)}
        for field in (*_KEYED, "memory"):
            setattr(piece, field, _after(getattr(whole, field), getattr(piece, field), gone, field))
        piece.silence.seen = _after(whole.silence.seen, piece.silence.seen, gone, "seen")
        whole = piece
    return whole


def _after(
    held: dict[str, Any], news: dict[str, Any], gone: Mapping[str, list[str]], field: str
) -> dict[str, Any]:
    for key in gone.get(field, ()):
        held.pop(key, None)
    held.update(news)
    return held
