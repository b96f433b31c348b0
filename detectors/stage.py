"""The stage detect: observations to detections and progress marks.

Within a batch everything is judged in order of arrival; the two rules with arrays judge the batch
at once and their changes are put back into that order, so that batches do not show.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from config.records.district import District
from detectors.camera.picture import Picture, decode
from detectors.camera.state import CameraState
from detectors.camera.watch import Reading, watch
from detectors.detection import Mark
from detectors.engine.minute_ring import Ints
from detectors.memory import snapshots
from detectors.memory.state import DetectState
from detectors.messages.cap_rule import expire, hear
from detectors.messages.observer_rule import hear as hear_person
from detectors.messages.observer_rule import tick as tick_people
from detectors.quality.infill import filled_note
from detectors.quality.service_mode import end
from detectors.quality.silence import quiet
from detectors.quality.station_memory import Batch, StationMemory
from detectors.screening import presence
from detectors.screening.blind import dry, lose, slow
from detectors.screening.columns import Columns, pieces
from detectors.screening.dry import Dry
from detectors.screening.hold_back import hold_back, let_in
from detectors.screening.judge_back import judge_back, remember
from detectors.screening.listening import conclude, listen
from detectors.screening.set_aside import back, to_judge
from detectors.screening.set_aside import take as take_service
from detectors.screening.sift import Sifted, sift
from detectors.screening.window_readings import ForRule, for_rules
from detectors.setup.partition import COUNTER, FRAME, LEVEL, NEVER, RAIN, Fed, Part
from detectors.statements import Saying
from ingest.observation import (
    HISTORICAL,
    Away,
    CapIn,
    ObservationRecord,
    Observations,
    PersonSays,
    Service,
)
from stream.log.port import Piece
from stream.records import Record, Run, Tick
from stream.stages.stage import Item, Write

_PICTURES = 16  # decoded ones at hand: those beside a frame, and references


class Detect:
    """See `stream.stages.stage.Stage` and `InPieces`. `frame` gives the bytes of a picture by its hash."""

    name = "detect"
    reads = "observations"
    format = 4
    ticks = 5.0

    def __init__(self, district: District, frame: Callable[[str], bytes | None]) -> None:
        self._district = district
        self._frame = frame
        self._decoder = msgspec.json.Decoder(ObservationRecord)
        self._parts: dict[int, Part] = {}
        self._dry: dict[int, Dry] = {}
        self._pictures: dict[str, Picture | str] = {}

    def decode(self, value: bytes) -> Record:
        record: Record = self._decoder.decode(value)
        return record

    def begun(self, state: DetectState) -> Run | None:
        return state.run

    def part(self, partition: int) -> Part:
        """What the groups of a partition need."""
        if partition not in self._parts:
            part = self._parts[partition] = Part(self._district, partition)
            self._dry[partition] = Dry(self._district, part)
        return self._parts[partition]

    def new(self, partition: int) -> DetectState:
        part = self.part(partition)
        state = DetectState(
            partition, part.rain.new(), part.stage.new(), StationMemory(len(part.station))
        )
        state.series = {fed.rule.name: fed.rule.new() for fed in part.series}
        state.compounds = {c.name: c.new() for c in part.compounds}
        return state

    def step(self, state: DetectState, items: Sequence[Item]) -> tuple[DetectState, list[Write]]:
        part = self.part(state.partition)
        writes: list[Write] = []
        batch: list[Observations] = []
        for item in items:
            record = item.record
            if isinstance(record, Observations):
                batch.append(record)
                continue
            writes += self._observe(part, state, batch)
            batch = []
            if isinstance(record, Run) and state.run is None:
                state.run = record
                state.silence.started_at = record.start_at
                state.silence.clock_at = max(state.silence.clock_at, record.start_at)
                writes.append(Write("cases", "run", record))
            elif isinstance(record, Tick) and record.clock_at > state.silence.clock_at:
                writes += self._let_in(part, state)
                writes += self._tick(part, state, record.clock_at)
            elif isinstance(record, CapIn):
                writes += hear(self._district, part, state, record)
            elif isinstance(record, PersonSays):
                writes += hear_person(self._district, state, record)
            elif isinstance(record, Service):
                writes += take_service(self._district, part, state, record)
            elif isinstance(record, Away):
                writes += presence.gone(self._district, part, state, record)
        writes += self._observe(part, state, batch)
        return state, writes

    def _tick(self, part: Part, state: DetectState, clock_at: int) -> list[Write]:
        """Silence can be heard only when time passes; then each group's progress."""
        state.silence.clock_at = clock_at
        state.remember_seen(part.station)
        saying = Saying(self._district, state)
        missed = dry(self._district, part, state, clock_at, saying)
        if missed:
            self._rules(part, state, *missed, saying)
            self._compounds(part, state, saying)
        if part.silence:
            changed = back(part, state, end(state.service, clock_at))
            silent = quiet(self._district.rules.silence.grace_s, state.silence, part.silent_ms)
            silent |= state.silence.gone.keys() & part.silent_ms.keys()
            silent -= state.service.now
            changed |= silent ^ state.silence.silent
            state.silence.silent = silent
            for area in part.areas_of(changed):
                saying.coverage(0, area, clock_at)
        for compound in part.compounds:
            held = state.compounds.setdefault(compound.name, compound.new())
            for said in compound.tick(held, clock_at):
                saying.compound(compound, said)
        conclude(part, state, clock_at, saying)
        writes = saying.writes() + expire(self._district, part, state, clock_at)
        writes += tick_people(self._district, state, clock_at)
        counts = (state.heard.head >= 0) & ~part.of((*state.silence.silent, *state.service.now))
        heads = np.where(counts, state.heard.head, NEVER)
        for group, complete in zip(part.groups, part.least_of_groups(heads), strict=True):
            if complete == NEVER:
                complete = state.complete.get(group, 0)
            state.complete[group] = max(state.complete.get(group, 0), min(complete, clock_at))
            writes.append(
                Write(
                    "cases",
                    group,
                    Mark(group=group, clock_at=clock_at, complete_at=state.complete[group]),
                )
            )
        return writes

    def _let_in(self, part: Part, state: DetectState) -> list[Write]:
        """What came late and waited; and what late readings since the last tick have called for."""
        saying, late = Saying(self._district, state), let_in(state)
        if late is not None:
            self._sift(part, state, late, saying)
        writes, saying = saying.writes(), Saying(self._district, state)
        if judge_back(part, state, saying):
            self._compounds(part, state, saying)
        return writes + saying.writes()

    def _observe(
        self, part: Part, state: DetectState, batch: Sequence[Observations]
    ) -> list[Write]:
        if not batch or self._dry[state.partition].take(state, batch):
            return []
        writes: list[Write] = []
        for records in pieces(batch):
            columns = Columns.of(part, records)
            if columns.nth.size:
                saying = Saying(self._district, state)
                self._judge(part, state, columns, saying)
                writes += saying.writes()
        return writes

    def take(self, state: DetectState, batch: Batch) -> list[Write]:
        """As `step` with records of these observations, in order of arrival: a row is a station in
        a watch group as `part(partition).names` has them."""
        saying = Saying(self._district, state)
        columns = Columns(np.arange(batch.row.size), batch, {}, {})
        self._judge(self.part(state.partition), state, columns, saying)
        return saying.writes()

    def _judge(self, part: Part, state: DetectState, c: Columns, saying: Saying) -> None:
        """One batch through memory, quality and rules."""
        presence.heard(self._district, part, state, c, saying)
        slow(self._district, part, state, c, saying)
        c = hold_back(part, state, self._district.rules.lateness_s, to_judge(part, state, c))
        if c.nth.size:
            self._sift(part, state, c, saying)

    def _sift(self, part: Part, state: DetectState, c: Columns, saying: Saying) -> None:
        """What is judged of a batch."""
        rule = self._district.rules.quality
        new = sift(rule, part, state.heard, state.memory, c.batch, c.tests)
        stored = [n for n, test in c.tests.items() if test == HISTORICAL]
        late_s = self._district.rules.lateness_s
        new = new.at_clock(c.received - c.batch.at, c.received, late_s, stored)
        state.touched[c.batch.row] = True
        remember(part, state, new)
        for piece in new.pieces():
            self._rules(part, state, c, piece, saying)
            for n, row, counts in piece.trusted:
                self._trust(part, state, int(c.nth[n]), row, counts, saying)
        self._compounds(part, state, saying)
        lose(part, state, c, new.blind, saying)
        for nth, row, test in new.flagged:
            what = f"{part.station[row]} {part.quantity[row]}"
            for area in part.areas_of({part.station[row]}):
                saying.quality(int(c.nth[nth]), area, what, int(c.batch.at[nth]), test)

    def _rules(
        self, part: Part, state: DetectState, c: Columns, new: Sifted, saying: Saying
    ) -> None:
        kind = part.kind[new.row]
        for what, rows, judge in (
            ((kind == RAIN) | (kind == COUNTER), part.rain_rows, self._rain),
            (kind == LEVEL, part.stage_rows, self._stage),
        ):
            which = what.nonzero()[0]
            if which.size:
                judged, source = rows.expand(new.row[which])
                if judged.size:
                    judge(part, state, new, judged, which[source], c.nth, saying)
        for one in for_rules(part, state, new):
            self._series(one, state, new, c, saying)
        if part.listened:
            listen(part, state, new)
        if part.cameras:
            for k in new.young((kind == FRAME).nonzero()[0]):
                self._look(part, state, c, int(new.nth[k]), saying)

    def _trust(
        self,
        part: Part,
        state: DetectState,
        nth: int,
        row: int,
        counts: dict[int, int],
        saying: Saying,
    ) -> None:
        """A second gauge bears out what one had said alone."""
        for r in part.rain_rows.expand(np.array([row]))[0].tolist():
            for change in part.rain.trust(state.rain, r, counts, nth):
                saying.change(nth, "rain_threshold", part.rain.rows[r], change)
        for fed in part.series:
            if fed.feeds[row]:
                for entry in fed.entries.expand(np.array([row]))[0].tolist():
                    r, of = divmod(entry, fed.rule.inputs)
                    state.series[fed.rule.name].trust(r, of, fed.rule.slot_ms, counts)

    def _rain(
        self,
        part: Part,
        state: DetectState,
        new: Sifted,
        rows: Ints,
        k: Ints,
        nth: Ints,
        saying: Saying,
    ) -> None:
        args = (rows, new.minute[k], new.amount[k], new.add[k], new.doubt[k], new.clock_of(k))
        for change in part.rain.judge(state.rain, *args):
            one = k[change.nth]
            filled = state.heard.filled.get(int(new.row[one]), {})
            note = filled_note(filled, change.minute, change.window_min)
            saying.change(
                int(nth[new.nth[one]]), "rain_threshold", part.rain.rows[change.row], change, note
            )

    def _stage(
        self,
        part: Part,
        state: DetectState,
        new: Sifted,
        rows: Ints,
        k: Ints,
        nth: Ints,
        saying: Saying,
    ) -> None:
        args = (rows, new.minute[k], new.amount[k], new.suspect()[k], new.old_of(k))
        for change in part.stage.judge(state.stage, *args):
            at = int(nth[new.nth[k[change.nth]]])
            saying.change(at, "stage_trend", part.stage.rows[change.row], change)

    def _series(
        self, one: ForRule, state: DetectState, new: Sifted, c: Columns, saying: Saying
    ) -> None:
        rule, k = one.fed.rule, one.k
        changes = rule.judge(
            state.series[rule.name],
            one.rows,
            one.inputs,
            new.at[k],
            new.amount[k],
            new.add[k],
            new.in_doubt(k, rule.least_min),
            new.old_of(k),
            calm=one.calm,
        )
        for change in changes:
            saying.series(int(c.nth[new.nth[k[change.nth]]]), rule, change)

    def _compounds(self, part: Part, state: DetectState, saying: Saying) -> None:
        """Rules over other rules hear what changed, in order of arrival."""
        if not saying.heard:
            return
        for compound in part.compounds:
            held = state.compounds.setdefault(compound.name, compound.new())
            for heard in sorted(saying.heard, key=lambda h: h.nth):
                for said in compound.hear(held, heard):
                    saying.compound(compound, said)

    def _look(self, part: Part, state: DetectState, c: Columns, n: int, saying: Saying) -> None:
        """A camera's frame: what it shows, and what the rules over that make of it."""
        row, at, ref = int(c.batch.row[n]), int(c.batch.at[n]), c.refs.get(n, "")
        if row not in part.cameras:
            return
        nth, station, (view, needs) = int(c.nth[n]), part.station[row], part.cameras[row]
        camera = state.cameras.setdefault(part.names[row], CameraState())
        found = watch(self._district.rules.camera, view, needs, camera, at, ref, self._picture)
        areas = part.areas_of({station})
        if found.told is not None:
            (state.silence.blind.add if found.told else state.silence.blind.discard)(station)
            for area in areas:
                saying.sight(nth, area, station, at, found.sight)
                if part.silence:
                    saying.coverage(nth, area, at)
        if part.motion and found.look.changed:
            for area in areas:
                saying.camera(nth, area, station, at, found.look, camera)
        for fed in part.series:
            for reading in found.readings:
                if reading.quantity == fed.seen and fed.feeds[row]:
                    self._show(fed, state, nth, row, reading, camera, saying)
        if camera.frames and camera.frames[-1].at == at:
            saying.clips(nth, station, camera, at)

    def _show(
        self,
        fed: Fed,
        state: DetectState,
        nth: int,
        row: int,
        reading: Reading,
        camera: CameraState,
        saying: Saying,
    ) -> None:
        """What a frame shows, to a rule that takes it."""
        entries, _ = fed.entries.expand(np.array([row], np.int64))
        rule, whole = fed.rule, np.ones(entries.size, np.int64)
        rows, inputs = entries // rule.inputs, entries % rule.inputs
        held = state.series[rule.name]
        for change in rule.judge(held, rows, inputs, reading.at * whole, reading.counts * whole):
            saying.series(nth, rule, change, (camera, reading.at, reading.note))

    def _picture(self, digest: str) -> Picture | str:
        """By its hash; the last few stay decoded."""
        if digest not in self._pictures:
            while len(self._pictures) >= _PICTURES:
                self._pictures.pop(next(iter(self._pictures)))
            self._pictures[digest] = decode(self._frame(digest))
        return self._pictures[digest]

    def dump(self, state: DetectState) -> bytes:
        return snapshots.dump(self.part(state.partition), state)

    def load(self, partition: int, body: bytes) -> DetectState:
        return snapshots.load(self.part(partition), partition, [body])

    def piece(self, state: DetectState, *, whole: bool) -> Piece:
        return snapshots.piece(self.part(state.partition), state, whole=whole)

    def full(self, state: DetectState) -> bool:
        return snapshots.full(self.part(state.partition), state)

    def load_pieces(self, partition: int, pieces: Sequence[bytes]) -> DetectState:
        return snapshots.load(self.part(partition), partition, pieces)
