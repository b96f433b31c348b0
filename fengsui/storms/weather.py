"""Rain and water over the proving ground, and what its stations say of them. Pure: a storm's plan is all
that it rests on."""

import json
from typing import NamedTuple

from fengsui.storms.plan import GAUGES, STATIONS, STEP_MS, Storm

_REST_M = 0.4
_PLAN = 5  # steps between two readings in the dry
_TIP_MM = 0.1


class Said(NamedTuple):
    """A reading on the wire, without the topic's prefix, and by what it is known again."""

    station: str
    suffix: str
    payload: bytes
    observed_at: int


class Weather:
    """Of one storm; `said` once for each step, in order."""

    def __init__(self, storm: Storm, start_at: int) -> None:
        self._storm, self._start_at = storm, start_at
        self._level, self._seq = _REST_M, 0
        self._held: dict[str, list[Said]] = {}

    def rain(self, area: str, step: int) -> float:
        """mm in this step."""
        return sum(
            b.mm for b in self._storm.bursts if b.area == area and b.step <= step < b.step + b.steps
        )

    def said(self, step: int, at: int) -> list[Said]:
        """What arrives in this step. at: the stations' time, ms: they have a satellite clock."""
        self._level += 0.08 * self.rain("V01", step) - 0.12 * (self._level - _REST_M)
        found: list[Said] = []
        for nth, station in enumerate(STATIONS):
            body = self._reading(station, nth, step)
            if body is None or self._suffers("dead", station, step):
                continue
            self._seq += 1
            quantity, value, unit = body
            row = {"time": at / 1000, "value": value, "unit": unit, "seq": self._seq}
            said = Said(station, f"station/{station}/{quantity}", json.dumps(row).encode(), at)
            if self._suffers("backlog", station, step):
                self._held.setdefault(station, []).append(said)
            else:
                found += [*self._held.pop(station, ()), said]
        return found

    def _reading(self, station: str, nth: int, step: int) -> tuple[str, float, str] | None:
        planned = (step + nth) % _PLAN == 0
        if station not in GAUGES:
            return ("stage", round(self._level, 2), "m") if planned or step % 2 == 0 else None
        mm = self.rain(GAUGES[station], step) * (1.0 if nth % 2 else 0.9)
        mm = round(mm / _TIP_MM) * _TIP_MM
        return ("rain", round(mm, 1), "mm") if mm or planned else None

    def _suffers(self, kind: str, station: str, step: int) -> bool:
        faults = self._storm.faults
        return any(f.kind == kind and f.who == station and f.now(step) for f in faults)


def at(start_at: int, step: int) -> int:
    """The moment of a step, ms."""
    return start_at + step * STEP_MS
