"""Many simulated storms through detect and decide in memory, scored against their own truth."""

from collections.abc import Iterator

from config.records.district import District
from dispatch.records import Alert
from fengsui.play.in_memory import Inline
from simulators.scenario import Scenario, storm_set
from simulators.world import World
from skill.verify.storms import StormScore, score, warned
from stream.records import Run


def stepped(district: District, scenario: Scenario) -> tuple[World, list[Alert]]:
    """One storm through detect and decide, and an hour more: its world, and what was warned."""
    world = World(district, scenario)
    run = Run(
        name="exercise-score",
        kind="exercise",
        district=district.id,
        config=district.version,
        start_at=scenario.start_at,
        seed=world.seed,
        scenario=scenario.name,
    )
    inline = Inline(district, run)
    for minute in range(world.minutes + 60):
        inline.slot(world.observations(minute), world.at(minute))
    return world, inline.alerts


def play_one(district: District, scenario: Scenario) -> StormScore:
    """One storm, stepped in memory."""
    world, alerts = stepped(district, scenario)
    return score(world.truth, warned(alerts))


def score_all(district: District, count: int) -> Iterator[str]:
    """Misses and false alarms first, then each storm."""
    results = [(s, play_one(district, s)) for s in storm_set(count)]
    misses = sum(r.misses for _, r in results)
    false = sum(r.false_alarms for _, r in results)
    hits = sum(r.hits for _, r in results)
    yield f"漏报 misses {misses}  空报 false alarms {false}  命中 hits {hits}  场次 storms {count}"
    if hits + misses:
        yield (
            f"POD {hits / (hits + misses):.2f}  "
            f"FAR {false / max(1, hits + false):.2f}  "
            f"CSI {hits / (hits + misses + false):.2f}  (命中须提前 hits lead by 10 min)"
        )
    leads = sorted(x.lead_s // 60 for _, r in results for x in r.rows if x.lead_s is not None)
    if leads:
        yield (
            f"提前量 lead time min: 最短 shortest {leads[0]}, 中位 median {leads[len(leads) // 2]}, "
            f"最长 longest {leads[-1]}"
        )
    for s, r in results:
        yield (
            f"  {s.name:14} seed {s.seed}  漏 {r.misses:3}  空 {r.false_alarms:3}  中 {r.hits:3}"
            f"  故障 faults {len(s.faults)}"
        )
        for x in r.rows:
            if x.flooded_at is not None and (x.lead_s is None or x.lead_s < 600):
                lead = "未警 not warned" if x.lead_s is None else f"{x.lead_s // 60} min"
                yield f"      漏 miss {x.area} {x.hazard}: {lead}"
