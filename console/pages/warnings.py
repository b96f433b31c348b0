"""The page Warnings (预警): what waits for a decision and why, what is in force, what was decided,
and the exact words each audience would get. Pure."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from config.language import Said, Text
from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH, Action, Level
from config.records.quantity import QUANTITIES
from config.records.rule_kinds import RULE_KINDS, unit_of
from console.model.answers import Before, Texts, Words
from console.model.picture import AskedRow, Decided, EvidenceRow, OpenWarning, Picture
from console.model.trail import Trail
from console.model.view import View
from detectors.detection import Evidence
from dispatch.address.reach_estimate import reach as estimate
from dispatch.address.recipients import Target, everybody
from dispatch.decide.authority import deciders, entitled, names, next_acts, officers
from dispatch.decide.lifecycle import TABLE
from dispatch.decide.plan.draft import draft, paragraphs
from dispatch.decide.plan.instruct import addressees
from dispatch.decide.plan.stock import HeldSupply
from dispatch.decide.plan.tasks import Course
from dispatch.decide.policy import authority
from dispatch.grade import Grade
from dispatch.records import Alert, Decision, Question
from dispatch.words.compose import Message, write
from dispatch.words.evidence import measured
from dispatch.words.issuer import issuer
from dispatch.words.wording import category_of


def parts(district: District, view: View, trail: Trail, _now: int) -> Picture:
    """Open warnings by id, and the newest decisions by their place in the ledger."""
    return {
        "warnings": {a.id: _warning(district, a) for a in view.open_alerts()},
        "decisions": {d.hash[:16]: _decision(d) for d in trail.decisions},
    }


def _warning(district: District, a: Alert) -> OpenWarning:
    return {
        "version": a.version,
        "area": a.area,
        "hazard": a.hazard,
        "hazard_zh": HAZARD_ZH.get(a.hazard, a.hazard),
        "hazard_en": HAZARD_EN.get(a.hazard, a.hazard),
        "state": a.state,
        "level": int(a.level),
        "action": int(a.action),
        "asks_level": int(a.proposed_level),
        "asks_action": int(a.proposed_action),
        "questions": [_question(district, a, q) for q in a.questions],
        "onset": a.onset_at,
        "sent": a.sent_at,
        "expires": a.expires_at,
        "reason": a.reason,
        "released": _released(district, a),
        "suspect": a.suspect,
        "thin": a.thin,
        "coverage": [a.coverage.live, a.coverage.expected] if a.coverage else None,
        "service": list(a.coverage.service) if a.coverage else [],
        "evidence": [_evidence(e) for e in a.evidence],
        "arrives": [a.earliest_at, a.latest_at] if a.earliest_at and a.latest_at else None,
        "acts": [act for act in TABLE[a.state] if act != "evidence"],
    }


def _released(district: District, a: Alert) -> Said:
    """Who released what is in force; "" for nothing."""
    if not Grade(a.level, a.action):
        return ""
    return Text(issuer(district, a, "zh"), issuer(district, a, "en"))


def _question(district: District, a: Alert, q: Question) -> AskedRow:
    end = q.what in ("lower", "cancel")
    who = authority(district.policy, a.hazard, q.what)
    offices = () if end else deciders(who)
    return {
        "what": q.what,
        "until": q.deadline_at,
        "called": list(q.called),
        "mute": [o for o in q.called if not _reachable(district, o)],
        "signed": list(q.signed),
        "two": end or who.two_persons or who.joint,
        "joint": bool(q.agreed or q.awaited),
        "agreed": [_office(district, o) for o in q.agreed],
        "awaited": [_office(district, o) for o in q.awaited],
        "next": next_acts(district, a, q),
        "decide": [o.id for o in officers(district, a.area, offices)],
        "may": "" if end else entitled(district, a.area, offices),
        "to": [int(q.to_level), int(q.to_action)],
    }


def _office(district: District, key: str) -> Said:
    return names(district.policy, (key,))


def _reachable(district: District, officer: str) -> bool:
    return officer in district.officers and bool(district.officers[officer].contact)


def _evidence(e: Evidence) -> EvidenceRow:
    quantity, kind = QUANTITIES.get(e.quantity), RULE_KINDS.get(e.kind)
    moves = e.quantity == "frame" and not e.kind  # of the picture
    times = 100 if moves or (kind is not None and kind.share) else 1
    unit = "%" if moves else quantity.unit if quantity and not e.kind else ""
    unit = unit_of(e.kind, quantity) if kind is not None else unit
    return {
        "station": e.station,
        "what": e.quantity,
        "rule": "" if kind is None or e.chance is not None else measured(e),
        "ahead": kind is not None and kind.ahead,
        "unit": "" if unit == "1" else unit,
        "value": round(e.value * times, 2),
        "limit": None if e.threshold is None else round(e.threshold * times, 2),
        "window": e.window_min,
        "at": e.observed_at,
        "note": e.note,
        "chance": None if e.chance is None else round(e.chance * 100),
        "reach": e.reach,
        "of": QUANTITIES[e.quantity].unit if e.quantity in QUANTITIES else "",
        "frames": list(e.frames),
    }


def _decision(d: Decision) -> Decided:
    return {
        "at": d.decided_at,
        "by": d.by,
        "act": d.act,
        "area": d.area,
        "hazard": d.hazard,
        "version": d.version,
        "outcome": d.outcome,
        "words": d.answer or d.reason,
    }


def texts(
    district: District,
    alert: Alert,
    at: int,
    before: Before,
    stock: Mapping[str, dict[str, HeldSupply]] = {},
    courses: Mapping[str, Course] = {},
) -> Texts:
    """What each audience and channel would read or hear when all that is asked for is released, and
    how many recipients that are by channel. How many people it would reach is an estimate, of the
    moment `at`. before: what similar cases led to. stock, courses: by which supplies are
    counted, and who has tasks."""
    asked = Grade(alert.proposed_level, alert.proposed_action) | Grade(alert.level, alert.action)
    then = msgspec.structs.replace(
        alert, level=Level(asked.level), action=Action(asked.action), public=True, questions=()
    )
    words: dict[tuple[str, str, Said], Words] = {}
    reach: Counter[str] = Counter()
    for target in everybody(district, then):
        for n, channel in enumerate(target.channels):
            if n == 0:
                reach[channel] += 1
            if channel in ("cap", "cap_push", "release"):
                continue
            row = _words(district, then, target, channel)
            known = words.setdefault((row["audience"], row["lang"], row["text"]), row)
            if channel not in known["channels"]:
                known["channels"].append(channel)
            known["count"] += n == 0
    heard = estimate(district, alert.area, alert.hazard, asked, at)
    return {
        "people": heard.people,
        "on_list": heard.on_list,
        "in_sound": round(heard.people * heard.sound.heard),
        "none": heard.none,
        "later": heard.later,
        "reach": dict(reach),
        "texts": list(words.values()),
        "before": before,
        "plan": [
            {
                "words": Text(p.text, p.text_en),
                "source": Text(f"{p.source} {p.id}", f"{p.source_en} {p.id}"),
            }
            for p in paragraphs(district, alert.hazard, asked)
        ],
        "draft": [
            {"words": s.words, "source": s.source}
            for s in draft(district, alert.area, alert.hazard, asked, stock)
        ],
        "to": list(addressees(district, courses, alert.id, district.areas[alert.area])),
    }


def _audience(target: Target, message: Message) -> str:
    if target.kind == "notice":
        return target.role
    if target.kind == "public" and message.category != "resident":
        return message.category
    return target.kind


def _words(district: District, alert: Alert, target: Target, channel: str) -> Words:
    message = Message(
        alert,
        target.kind,
        target.lang,  # type: ignore[arg-type]  # of a checked table
        None,
        target.role,
        target.must_answer,
        category_of(target.category),
        target.yours,
    )
    route = write(district, message, channel)
    return {
        "audience": _audience(target, message),
        "lang": target.lang,  # type: ignore[typeddict-item]  # of a checked table
        "channels": [channel],
        "count": 0,
        "title": route.title,
        "text": route.text,
        "segments": route.segments,
    }
