"""`fengsui explain AREA TIME`: why a warning was or was not raised.

What the line said is read from its own records; how near each rule was is worked out anew from the
readings, through the stage detect itself: once from those that had come by then, and where some came
later, once from all. Pure: `fengsui.explain.past` reads, `fengsui.explain.words` speaks.
"""

from typing import Literal, NamedTuple

from config.language import Text
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from detectors.stage import Detect
from dispatch.grade import Grade
from dispatch.records import Alert, Decision
from fengsui.explain.margins import Near, near
from fengsui.explain.past import Heard, Late, Recalled
from skill.verify.hindcast import Readings, played
from stream.log.port import partition_of

# decide passes on a mark every slot: with none for so long the line stood still
STOOD_STILL_MS = 15 * 60_000
_MINUTE_MS = 60_000
NEARLY = 0.6  # of the way to the first threshold

Case = Literal[
    "warned",  # in force
    "waiting",  # an internal notice; somebody must decide
    "refused",  # a person held, rejected or cancelled it
    "stopped",  # the line did not judge at that time
    "none",  # no rule watches this hazard here
    "blind",  # no station of it was heard
    "late",  # what would have raised it came afterwards
    "reached",  # a threshold was reached, and nothing was said yet
    "near",
    "far",
]


class Verdict(NamedTuple):
    """Why one hazard of the area was, or was not, warned of.

    alert: the version that counted, also an ended one. since_at: since when what is in force is.
    act: the person's decision that made it so. nearest: of the rules that could speak. after: the
    first version that came later. ended: the alert had ended before.
    """

    hazard: str
    case: Case
    alert: Alert | None
    since_at: int
    act: Decision | None
    nearest: Near | None
    after: Alert | None

    @property
    def ended(self) -> bool:
        return self.alert is not None and not standing(self.alert)


class Facts(NamedTuple):
    """All that is known of an area at `at`, and said by `said_to`, the end of that minute.

    found: as the readings that had come by then make it; whole: as all of them do. newest: station
    -> its newest reading known then (ms). worked_at: when decide last judged the area's group, None
    where the log no longer tells.
    """

    area: str
    at: int
    said_to: int
    alerts: list[Alert]
    rules: list[Detection]  # each rule's last word on each hazard
    decisions: list[Decision]
    found: list[Near]
    whole: list[Near]
    newest: dict[str, int]
    late: list[Late]
    worked_at: int | None
    verdicts: list[Verdict]


def standing(alert: Alert) -> bool:
    """Is it open, by its own word?"""
    return alert.msg_type != "cancel" and alert.state not in ("cancelled", "expired")


def explained(
    district: District, detect: Detect, area: str, at: int, r: Recalled, h: Heard
) -> Facts:
    """Everything, the verdicts among it."""
    part = partition_of(district.group_of_area[area], district.partitions)

    def nearness(readings: Readings) -> list[Near]:
        state, _ = played(detect, part, readings)
        return near(district, detect.part(part), state, area)

    found = nearness(h.known)
    newest: dict[str, int] = {}
    for which, when in zip(h.known.which, h.known.at[:], strict=True):  # in order of time
        newest[h.known.pairs[which][0]] = int(when)
    # what the line says stands at the end of a minute: what it said within this one counts
    now = -(-at // _MINUTE_MS) * _MINUTE_MS
    mine = [x for x in r.records if x.area == area]
    alerts = [x for x in mine if isinstance(x, Alert)]
    said = [x for x in mine if isinstance(x, Detection) and x.detected_at <= now]
    acts = [x for x in mine if isinstance(x, Decision) and x.hash and x.decided_at <= now]
    last = {(d.hazard, d.rule): d for d in sorted(said, key=lambda d: d.detected_at)}
    facts = Facts(
        area=area,
        at=at,
        said_to=now,
        alerts=sorted(alerts, key=lambda a: (a.sent_at, a.version)),
        rules=[last[key] for key in sorted(last)],
        decisions=sorted(acts, key=lambda d: d.decided_at),
        found=found,
        whole=nearness(h.whole) if h.late else found,
        newest=newest,
        late=h.late,
        worked_at=_worked(r, district.group_of_area[area], at),
        verdicts=[],
    )
    return facts._replace(
        verdicts=[verdict(district, hazard, facts) for hazard in district.areas[area].hazards]
    )


def _worked(r: Recalled, group: str, at: int) -> int | None:
    """When decide last judged the group; the start of the run before it ever did."""
    marks = [m for m in r.marks.get(group, ()) if m <= at]
    starts = [run.start_at for run in r.runs if run.start_at <= at]
    return max(marks + starts) if marks or (r.whole and starts) else None


def stale(district: District, n: Near, at: int) -> bool:
    """Were its stations silent by then?"""
    if not n.station:
        return False  # a rule over rules: its members tell
    plan_s = min(district.stations[s].silent_after_s for s in n.station.split("+"))
    return at - n.at > plan_s * 1000


def verdict(district: District, hazard: str, f: Facts) -> Verdict:
    """The first reason that holds, from what is surest to what is least."""
    before = [a for a in f.alerts if a.hazard == hazard and a.sent_at <= f.said_to]
    after = next((a for a in f.alerts if a.hazard == hazard and a.sent_at > f.said_to), None)
    alert = before[-1] if before else None
    rows = [n for n in f.found if n.hazard == hazard and n.speaks]
    fresh = [n for n in rows if n.known and not stale(district, n, f.at)]
    act = _refusal(f.decisions, hazard, alert)
    case: Case
    if alert is not None and standing(alert):
        asked = Grade(alert.proposed_level, alert.proposed_action)
        if alert.public:
            act = act if asked.exceeds(Grade(alert.level, alert.action)) else None
            case = "warned"
        else:
            case = "refused" if act is not None else "waiting"
    elif f.worked_at is not None and f.at - f.worked_at > STOOD_STILL_MS:
        case = "stopped"
    elif act is not None and any(n.reached for n in fresh):
        case = "refused"
    elif not rows:
        case = "none"
    elif _late(f, hazard):
        case = "late"
    elif not fresh:
        case = "blind"
    elif any(n.reached for n in fresh):
        case = "reached"
    else:
        case = "near" if max(n.share for n in fresh) >= NEARLY else "far"
    if case == "late":
        fresh = [n for n in f.whole if n.hazard == hazard and n.speaks]
    return Verdict(
        hazard, case, alert, _since(before), act, fresh[0] if fresh else None, after
    )  # fmt: skip


def _late(f: Facts, hazard: str) -> bool:
    """Do readings that came afterwards reach what those before did not?"""

    def most(rows: list[Near]) -> int:
        return max((len(n.reached) for n in rows if n.hazard == hazard and n.speaks), default=0)

    return bool(f.late) and most(f.whole) > most(f.found)


def _refusal(decisions: list[Decision], hazard: str, alert: Alert | None) -> Decision | None:
    """A person's last word against this warning, if nobody raised or released it since."""
    mine = [
        d for d in decisions
        if d.hazard == hazard and d.by != "policy" and alert is not None and d.alert == alert.id
        and d.outcome == "done"
    ]  # fmt: skip
    last = mine[-1] if mine else None
    return last if last and last.act in ("hold", "reject", "lower", "cancel") else None


def _since(before: list[Alert]) -> int:
    """Since when at least as much as the last version says has been in force, without a break."""
    if not before:
        return 0
    last, since = before[-1], before[-1].sent_at
    for a in reversed([a for a in before if a.id == last.id]):
        if a.level < last.level or a.action < last.action:
            break
        since = a.sent_at
    return since


def in_words(level: Level, action: Action) -> Text:
    """红色、立即转移, red, move now."""
    return Grade(level, action).words()
