"""Stations and nodes that a person has taken out of judgement while they are cleaned, calibrated or
swapped.

Sees: `Service` records. What comes from such a station, or was measured while it was, is kept in
history and judged by nobody; its areas are thin, so nothing there is called off meanwhile; what it said
before stands. It ends by its own end, whoever forgot it, or by a later record.
Delay it adds: up to one tick at the end.
Cannot see: a station that is serviced and nobody said so (see the quality tests).
Source: gauges are cleaned and tested with water (滴定, SL 21); a value of a test is no rain.
"""

import msgspec

from config.records.district import District
from ingest.observation import SERVICE_LONGEST_MS, Service
from stream.stages.stage import Write

_KEPT_MS = 31 * 24 * 3_600_000  # readings that are older are not taken in


class Span(msgspec.Struct, array_like=True):
    """From when until when."""

    from_at: int
    until_at: int


class ServiceState(msgspec.Struct):
    """spans: station or node -> its services, the newest last. now: those that last, by the state's
    clock. seen: ids of records -> when they were said."""

    spans: dict[str, list[Span]] = {}
    now: set[str] = set()
    seen: dict[str, int] = {}


def hear(
    district: District, state: ServiceState, record: Service, clock_at: int, *, first: bool
) -> tuple[list[Write], set[str]]:
    """Take a record; what goes on, and whose state changed. It stands in every partition; only the
    first passes it on. Its end counts from the line's clock: a writer whose clock is wrong takes
    nothing away for longer than it said."""
    thing = record.thing
    if record.id in state.seen or (thing not in district.stations and thing not in district.nodes):
        return [], set()
    state.seen[record.id] = clock_at
    lasts = min(max(0, record.until_at - record.said_at), SERVICE_LONGEST_MS)
    at = max(clock_at, 0)
    held = state.spans.setdefault(thing, [])
    open_ = held[-1] if held and thing in state.now else None
    if open_ is not None:
        open_.until_at = at + lasts
    elif lasts:
        held.append(Span(at, at + lasts))
    changed = set()
    if bool(lasts) != (thing in state.now):
        changed = {thing}
        (state.now.add if lasts else state.now.discard)(thing)
    writes = [Write("cases", "service", record)] if first else []
    return writes, changed


def end(state: ServiceState, clock_at: int) -> set[str]:
    """Whose service is over at that clock; old ones are forgotten."""
    over = {t for t in state.now if state.spans[t][-1].until_at <= clock_at}
    state.now -= over
    old = clock_at - _KEPT_MS
    if state.seen and min(state.seen.values()) < old:
        state.seen = {k: at for k, at in state.seen.items() if at >= old}
        kept = {t: [s for s in some if s.until_at >= old] for t, some in state.spans.items()}
        state.spans = {t: some for t, some in kept.items() if some}
    return over
