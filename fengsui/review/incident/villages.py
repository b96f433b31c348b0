"""An incident village by village, one row each whatever the hazard, and how far words came. Pure."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from config.language import Text, joined
from config.records.district import District
from config.records.level import hazard_words
from dispatch.grade import Grade
from dispatch.records import Alert
from dispatch.words.channel_names import CHANNEL_WORDS
from fengsui.review.incident.facts import ReportBasis
from fengsui.review.incident.names import Names

_REACHED = ("answered", "played", "delivered", "accepted")


class Village(NamedTuple):
    """order: the worst first. now, most: in force then, and the highest that was. at: when the
    highest order, or the colour where none was given, came into force; lifted: when all was over."""

    order: tuple[int, int, int, str]
    place: Text
    hazards: Text
    people: int | None
    now: Text
    most: Text
    at: int | None
    lifted: int | None
    moved: str
    changed: bool  # since the report before


def villages(district: District, facts: ReportBasis, names: Names) -> list[Village]:
    """The worst first."""
    by_area: dict[str, list[list[Alert]]] = {}
    for versions in facts.versions.values():
        by_area.setdefault(versions[0].area, []).append(versions)
    was, is_ = (_standing(facts.known(r)) for r in (facts.before, facts.report))
    rows = [
        _village(district, facts, names, area, mine, was.get(area), is_.get(area))
        for area, mine in by_area.items()
    ]
    return sorted(rows, key=lambda r: r.order)


def _standing(alerts: Mapping[str, Alert]) -> dict[str, Grade]:
    out: dict[str, Grade] = {}
    for a in alerts.values():
        if a.msg_type != "cancel" and (grade := Grade(a.level, a.action)):
            out[a.area] = out.get(a.area, Grade()) | grade
    return out


def _village(
    district: District,
    facts: ReportBasis,
    names: Names,
    area: str,
    mine: list[list[Alert]],
    was: Grade | None,
    now: Grade | None,
) -> Village:
    most = Grade()
    for a in (a for versions in mine for a in versions):
        most |= Grade(a.level, a.action)
    hazards = sorted({versions[0].hazard for versions in mine})
    one = hazards[0] if len(hazards) == 1 else ""
    first = [
        a.sent_at
        for versions in mine
        for a in versions
        if (a.action == most.action if most.action else a.level == most.level and most.level)
    ]
    over = all(versions[-1].msg_type == "cancel" for versions in mine)
    known = district.areas.get(area)
    row = facts.roll.row(district, area, facts.until)
    words = facts.roll.words.get(area, {}).values()
    told = [w for w in words if w.what == "moved"]
    moved = "" if row is None or row.moved is None else str(row.moved)
    if not moved and told and known:
        moved = str(max(known.population if w.people is None else w.people for w in told))
    worst, ordered, colour = most.rank
    return Village(
        order=(-worst, -ordered, -colour, area),
        place=names.area(area),
        hazards=joined((hazard_words(h) for h in hazards), Text("、", ", ")),
        people=known.population if known else None,
        now=now.words(one) if now else Text("–", "–"),
        most=most.words(one) if most else Text("未发布", "not issued"),
        at=min(first) if first else None,
        lifted=max(v[-1].sent_at for v in mine) if over and most else None,
        moved=moved,
        changed=was != now,
    )


def reached(facts: ReportBasis) -> Text:
    """大喇叭 12/14，短信 30/31，叫应 9/12: how many deliveries of the incident's warnings arrived."""
    sent: Counter[str] = Counter()
    there: Counter[str] = Counter()
    asked = answered = 0
    for s in facts.view.sent.values():
        if s.delivery.alert not in facts.versions or s.state == "superseded":
            continue
        sent[s.channel] += 1
        there[s.channel] += s.state in _REACHED
        asked += s.delivery.must_answer
        answered += s.delivery.must_answer and s.state == "answered"
    rows = [
        Text("", "") + CHANNEL_WORDS.get(c, c) + f" {there[c]}/{n}"
        for c, n in sorted(sent.items())
        if c != "console"
    ]
    if asked:
        rows.append(Text(f"叫应 {answered}/{asked}", f"answered {answered}/{asked}"))
    return joined(rows, Text("，", ", ")) if rows else Text("还没有发送", "nothing was sent yet")


def handed_in(facts: ReportBasis, names: Names) -> Text:
    """To whom this report went, and whether they have it."""
    rows = [
        names.contact(s.delivery.recipient)
        + Text("（", " (")
        + (
            Text("已收到", "received")
            if s.state in _REACHED
            else Text("尚无回执", "no receipt yet")
        )
        + Text("）", ")")
        for s in facts.handed
    ]
    return joined(rows, Text("、", ", "))
