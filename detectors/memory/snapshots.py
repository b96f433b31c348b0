"""The memory of detect as snapshots hold it, at once or in pieces (`detectors.memory.rounds`)."""

from collections.abc import Mapping, Sequence

from detectors.engine.slot_ring import SeriesState
from detectors.memory.rounds import PIECE_BYTES, Changed, Rounds, unwritten
from detectors.memory.state import DetectState, Packed
from detectors.setup.partition import Part
from stream.log.port import Piece


def dump(part: Part, state: DetectState) -> bytes:
    """All of it."""
    state.remember_seen(part.station)
    series = {f.rule.name: f.rule.dump(state.series[f.rule.name]) for f in part.series}
    packed = Packed(part.rain.dump(state.rain), part.stage.dump(state.stage), series)
    return state.dump(packed, part.names)


def piece(part: Part, state: DetectState, *, whole: bool) -> Piece:
    """The next piece. Where it cannot be made, a new memory in pieces begins with the next one."""
    try:
        return _piece(part, state, whole=whole)
    except Exception:
        for rows in _rows(part, state):
            rows.changed[:] = True
        state.rounds = Rounds()
        raise


def _piece(part: Part, state: DetectState, *, whole: bool) -> Piece:
    state.remember_seen(part.station)
    rounds = state.rounds
    chosen = rounds.choose(_rows(part, state), whole=whole)
    heard, rain, stage, *others = chosen.rows
    series = {}
    for fed, rows in zip(part.series, others, strict=True):
        name = fed.rule.name
        held = state.series[name]
        doubt = {name: (held.doubt, held.sure)} if held.doubt else {}
        news, gone = rounds.news(f"doubt of {name}", doubt)
        if rows.size or news or gone:
            series[name] = fed.rule.dump(held, rows)
    packed = Packed(
        part.rain.dump(state.rain, rain), part.stage.dump(state.stage, stage), series, heard
    )
    body = state.dump(packed, part.names, rounds.news)
    return Piece(body, chosen.point, chosen.back)


def full(part: Part, state: DetectState) -> bool:
    """Has so much changed since the first piece that it fills another?"""
    return state.rounds.begun and unwritten(_rows(part, state)) >= PIECE_BYTES


def load(part: Part, partition: int, bodies: Sequence[bytes]) -> DetectState:
    """Of a snapshot, or of its pieces, oldest first."""

    def series(packed: Sequence[Mapping[str, bytes]]) -> dict[str, SeriesState]:
        """A rule that was not declared before begins with nothing."""
        return {
            f.rule.name: f.rule.load(*(p[f.rule.name] for p in packed if f.rule.name in p))
            if any(f.rule.name in p for p in packed)
            else f.rule.new()
            for f in part.series
        }

    return DetectState.load(partition, bodies, part.rain.load, part.stage.load, series, part.names)


def _rows(part: Part, state: DetectState) -> list[Changed]:
    """The parts of the memory that have rows, in this order."""
    ring, heard = state.stage.ring, state.heard
    found = [
        Changed(heard.changed, heard.row_bytes),
        Changed(state.rain.changed, state.rain.window.nbytes // max(1, state.rain.changed.size)),
        Changed(state.stage.changed, ring.nbytes // max(1, len(ring))),
    ]
    for fed in part.series:
        held = state.series[fed.rule.name]
        found.append(Changed(held.changed, held.ring.nbytes // max(1, len(held.ring))))
    return found
