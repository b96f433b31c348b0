"""What came of every warning and every silence of a run, from its log and its history."""

from config.language import Said, Text, en, zh
from config.records.quantity import QUANTITIES
from dispatch.records import Outcome
from fengsui.explain.past import kept, recall
from fengsui.run.run_view import alerts_view, run_clock
from fengsui.run.setup import Setup
from skill.report.district import STEPS
from skill.report.outcomes import Ledger, ledger, told, warnings
from stream.history.port import History
from stream.log.port import Unavailable
from stream.wall_clock import now_ms

_DAY_MS = 86_400_000


def kept_score(setup: Setup, lead_ms: int, step: str = "any") -> tuple[Ledger, list[Said]]:
    """What came of every warning and silence of the run, and what could not be asked. step: of STEPS,
    or any."""
    with kept(setup) as (log, history):
        until = run_clock(setup, alerts_view(log))
        r = recall(log, history, 0, max(until, now_ms()) + _DAY_MS)
        try:
            stage = _stage(setup, history, until)
        except Unavailable as e:
            stage = {}
            r.notes.append(
                Text(
                    f"历史库连不上，水位不计：{zh(e)}",
                    f"history cannot be asked, no stage: {en(e)}",
                )
            )
    truth = told(setup.district, [x for x in r.records if isinstance(x, Outcome)], stage)
    found = ledger(warnings(r.records, until, *STEPS.get(step, ())), truth, lead_ms)
    return found, list(dict.fromkeys(r.notes))


def _stage(setup: Setup, history: History, until: int) -> dict[str, list[tuple[int, float]]]:
    """station -> (ms, m), of every gauge with thresholds."""
    out = {}
    for name in sorted({t.station for t in setup.district.stage}):
        quantity = setup.district.stations[name].quantity
        q = QUANTITIES[quantity]
        unit_m = q.per_unit if q.unit == "m" else q.per_unit * 1000
        points = history.series(name, quantity, 0, until + 1)
        out[name] = [
            (p.observed_at, p.value / unit_m) for p in points if q.low <= p.value <= q.high
        ]
    return out
