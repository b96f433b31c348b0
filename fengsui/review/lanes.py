"""What the picture of a drill or an event is drawn from, in bins of ten minutes. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from config.records.level import Action, Level
from dispatch.records import Alert, Decision
from fengsui.review.assessment import Lanes
from fengsui.review.step_times import Records, first
from ingest.observation import Observations
from skill.verify.truth import Truth

BIN_MS = 600_000


def since(versions: Sequence[Alert], action: Action) -> int | None:
    """When a warning first ordered `action` or more."""
    return next((v.sent_at for v in versions if v.action >= action), None)


def lanes(
    records: Sequence[object], found: Records, truth: Sequence[Truth], begin: int, end: int
) -> Lanes:
    """What the picture shows, in bins of ten minutes from `begin`: the wettest gauge (mm), the
    highest stage above its first value (m), new and higher warnings by level, decisions of persons,
    loudspeakers that sounded, answers, disasters."""
    count = max(1, -(-(end - begin) // BIN_MS) + 1)
    rain: list[dict[str, float]] = [defaultdict(float) for _ in range(count)]
    known: set[tuple[str, int]] = set()  # a value said twice, or heard by two watch groups, is one
    stage, dry = [0.0] * count, dict[str, float]()

    def bin_of(at: int) -> int | None:
        n = (at - begin) // BIN_MS
        return n if 0 <= n < count else None

    for r in records:
        if not isinstance(r, Observations):
            continue
        for s, quantity, at, value in zip(
            r.station, r.quantity, r.observed_at, r.value, strict=True
        ):
            n = bin_of(at)
            if n is None or (s, at) in known:
                continue
            known.add((s, at))
            if quantity == "rain":
                rain[n][s] += value / 10
            elif quantity == "stage":
                stage[n] = max(stage[n], (value - dry.setdefault(s, value)) / 1000)

    def bins(moments: Iterable[int]) -> tuple[int, ...]:
        out = [0] * count
        for at in moments:
            n = bin_of(at)
            if n is not None:
                out[n] += 1
        return tuple(out)

    raised: dict[str, tuple[int, ...]] = {}
    for level in (Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED):
        first_at = [next((v.sent_at for v in vs if v.level >= level), None)
              for vs in found.alerts.values()]  # fmt: skip
        raised[level.name.lower()] = bins(x for x in first_at if x is not None)
    moves = [since(vs, Action.MOVE) for vs in found.alerts.values()]
    persons = [r.decided_at for r in records
               if isinstance(r, Decision) and r.hash and r.by != "policy"]  # fmt: skip
    played = [x for k in found.deliveries if (x := first(found, k, ("playing", "played")))]
    answered = [x for k in found.deliveries if (x := first(found, k, ("answered",)))]
    return Lanes(
        bin_s=BIN_MS // 1000,
        rain_mm=tuple(round(max(x.values(), default=0.0), 1) for x in rain),
        stage_m=tuple(round(x, 3) for x in stage),
        raised=raised,
        move=bins(x for x in moves if x is not None),
        decided=bins(persons),
        played=bins(played),
        answered=bins(answered),
        happened=bins(t.flooded_at for t in truth),
    )
