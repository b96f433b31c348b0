"""Who is heard, and who is told to be gone: what ends a silence, and what begins one at once."""

from config.records.district import District
from detectors.memory.state import DetectState
from detectors.quality.silence import bury, late
from detectors.screening.columns import Columns
from detectors.setup.partition import Part
from detectors.statements import Saying
from ingest.observation import Away
from stream.stages.stage import Write


def gone(district: District, part: Part, state: DetectState, record: Away) -> list[Write]:
    """A death certificate: silence is news, and known at once."""
    state.remember_seen(part.station)
    saying = Saying(district, state)
    changed = bury(state.silence, record, part.silent_ms, state.service.now)
    for area in part.areas_of(changed) if part.silence else ():
        saying.coverage(0, area, max(record.away_at, state.silence.clock_at))
    return saying.writes()


def heard(district: District, part: Part, state: DetectState, c: Columns, saying: Saying) -> None:
    """Whoever is heard is not silent."""
    silence = state.silence
    if not silence.silent and not silence.gone:
        return
    state.remember_seen(part.station)
    for n, (row, at) in enumerate(zip(c.batch.row.tolist(), c.batch.at.tolist(), strict=True)):
        station = part.station[row]
        if silence.gone.get(station, at) < at:
            del silence.gone[station]  # it speaks again
        if station not in silence.silent or at <= silence.seen.get(station, -1):
            continue
        silence.seen[station] = at
        if not late(district, silence, station):
            silence.silent.discard(station)
            for area in part.areas_of({station}):
                saying.coverage(int(c.nth[n]), area, at)
