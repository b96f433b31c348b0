"""What a station in service (`detectors.quality.service_mode`) means for the memory and for what is judged."""

from collections.abc import Sequence

import numpy as np

from config.records.district import District
from detectors.engine.minute_ring import Bools
from detectors.memory.state import DetectState
from detectors.quality.service_mode import hear
from detectors.screening.columns import Columns
from detectors.setup.partition import LEVEL, Part
from detectors.statements import Saying
from ingest.observation import Service
from stream.stages.stage import Write


def take(district: District, part: Part, state: DetectState, record: Service) -> list[Write]:
    """A person takes a station or node out of judgement, or puts it back."""
    clock_at, first = state.silence.clock_at, state.partition == 0
    writes, changed = hear(district, state.service, record, clock_at, first=first)
    saying = Saying(district, state)
    back(part, state, changed - state.service.now)
    for area in part.areas_of(changed) if part.silence else ():
        saying.coverage(0, area, clock_at)
    return writes + saying.writes()


def back(part: Part, state: DetectState, things: set[str]) -> set[str]:
    """These are judged again. A counter begins anew, and a level is compared with none of before: the
    gauge may be another. What was said of them stands until they say otherwise."""
    if not things:  # as at nearly every look at the clock
        return things
    rows = np.array([n for t in sorted(things) for n in part.rows_of.get(t, ())], np.int64)
    for row in rows.tolist():
        state.memory.pop(row, None)
        state.heard.test.pop(row, None)
    state.heard.changed[rows] = True
    levels = rows[part.kind[rows] == LEVEL]
    part.stage.forget(state.stage, part.stage_rows.expand(levels)[0])
    for fed in part.series:
        entries, inputs = fed.entries.expand(levels)[0], fed.rule.inputs
        series = state.series[fed.rule.name]
        series.ring[entries // inputs, entries % inputs] = np.nan
        series.changed[entries // inputs] = True
    return things


def to_judge(part: Part, state: DetectState, columns: Columns) -> Columns:
    """Without what nobody judges; of that only the time is remembered: whoever speaks is not silent."""
    kept, out = aside(part, state, columns)
    seen = state.silence.seen
    for n in out:
        station, at = part.station[columns.batch.row[n]], int(columns.batch.at[n])
        seen[station] = max(at, seen.get(station, -1))
    return kept


def aside(part: Part, state: DetectState, columns: Columns) -> tuple[Columns, Sequence[int]]:
    """The observations that are judged, and which of the batch are not."""
    service = state.service
    if not service.spans:
        return columns, ()
    batch = columns.batch
    out: Bools = np.zeros(batch.row.size, np.bool_)
    for thing, spans in service.spans.items():
        rows = part.rows_of.get(thing, ())
        if not rows:
            continue
        mine = np.isin(batch.row, rows)
        if thing in service.now:
            out |= mine
            continue
        for span in spans:
            out |= mine & (batch.at > span.from_at) & (batch.at <= span.until_at)
    if not out.any():
        return columns, ()
    keep = np.nonzero(~out)[0]
    return columns.some(keep), np.nonzero(out)[0].tolist()
