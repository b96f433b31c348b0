"""Rule `observer`: what people have seen, as evidence about an area.

Sees: reports of trusted people (群测群防员, 责任人 …) that are not older than `valid_min`, each counted
once however often it is sent. One person alone is a suspect sign: 准备转移 and an internal notice, no
more (`dispatch.decide.policy`). Two persons, or one beside another rule that says at least yellow or 准备转移
on values it does not doubt, say what rules.toml gives them.

Parameters: [observer] of rules.toml (config.records.rules.ObserverRule).

Delay it adds: none; a confirming instrument is looked for with every report and every tick.
Cannot see: who was not asked, and whether the sender of an SMS is who the number says: with
`sms_confirms = false` those who came so are one suspect sign until a link, an app or an instrument
confirms. A report ends by its age alone: 平安 or a denial clears nothing, and what ends falls by the
policy's hold, with every station heard.
Source: 山洪灾害防御预案编制导则 (SL/T 666) counts on group observation beside the gauges (群测群防); the
two-person rule is that of this project for any sign that no instrument confirms.
"""

from collections.abc import Iterator, Mapping

import msgspec

from config.records.district import District
from config.records.level import Action, Level
from config.records.rules import ObserverRule
from detectors.detection import Detection, Evidence, detection_id
from detectors.memory.observers import Sign, SignsSaid
from detectors.memory.state import DetectState
from ingest.observation import PersonSays
from ingest.people.strangers import STRANGER
from stream.stages.stage import Write

RULE = "observer"
KEPT_MS = 24 * 3_600_000  # an id that comes again within it is a repetition
_ANSWER_MS = 600_000  # who is not understood is answered once in so long
_SHOWN = 6


def hear(district: District, state: DetectState, says: PersonSays) -> list[Write]:
    """Take a person's word: it goes on once, and may be evidence. Its photograph comes behind it, under
    the same id."""
    people = state.people
    # a stranger may name no place of ours, and a code says by itself what it answers
    if says.area not in district.areas and (says.area or not (says.role == STRANGER or says.code)):
        return []
    if says.id in people.seen and says.photo and says.what in ("closed", "moved"):
        return [Write("cases", says.area, says)]  # the proof of it comes behind the word
    if says.id in people.seen:
        return list(_pictured(district, state, says)) if says.photo else []
    people.seen[says.id] = says.received_at + KEPT_MS
    if says.what == "unclear":
        if says.received_at < people.unclear.get(says.person, -_ANSWER_MS) + _ANSWER_MS:
            return []
        people.unclear[says.person] = says.received_at
    writes = [Write("cases", says.area or says.role, says)]
    rule = district.rules.observer
    if RULE not in district.rules.run or says.role not in rule.trusted or says.role == STRANGER:
        return writes
    for hazard in (*rule.hazards.get(says.what, ()), *([says.fact] if says.fact else [])):
        if hazard in district.areas[says.area].hazards:
            held = people.signs.setdefault(f"{says.area}|{hazard}", {})
            key = f"{says.person}|{says.what}"
            fact = hazard == says.fact
            # a wave may be on its way long after its beginning: a fact counts from when it is told
            at = says.received_at if fact else says.said_at
            if key not in held or held[key].at < at:
                own = says.way != "sms" or (key in held and held[key].own)
                happened = (says.happened_at or says.said_at) if fact else 0
                held[key] = Sign(at, says.photo, own, happened)
    return writes + list(_said(district, state, says.received_at))


def _pictured(district: District, state: DetectState, says: PersonSays) -> Iterator[Write]:
    """The picture beside what was said, while that counts."""
    signs, key = state.people.signs, f"{says.person}|{says.what}"
    for hazard in district.rules.observer.hazards.get(says.what, ()):
        held = signs.get(f"{says.area}|{hazard}", {})
        if key in held and held[key].at == says.said_at and not held[key].photo:
            held[key] = msgspec.structs.replace(held[key], photo=says.photo)
    yield from _said(district, state, says.received_at)


def tick(district: District, state: DetectState, clock_at: int) -> list[Write]:
    """What time has ended, and what an instrument has confirmed."""
    people = state.people
    if people.seen and min(people.seen.values()) <= clock_at:
        people.seen = {k: at for k, at in people.seen.items() if at > clock_at}
        people.unclear = {k: at for k, at in people.unclear.items() if at + KEPT_MS > clock_at}
    return list(_said(district, state, clock_at)) if people.signs else []


def _said(district: District, state: DetectState, at: int) -> Iterator[Write]:
    at = max(at, state.silence.clock_at)
    rule, people = district.rules.observer, state.people
    confirmed = _confirmed(state)
    for place in sorted(people.signs):
        held = {k: s for k, s in people.signs[place].items() if s.at + rule.valid_min * 60_000 > at}
        level, action, suspect = _grade(rule, held, confirmed=place in confirmed)
        what = f"{int(level)}{int(action)}{suspect}" + "|".join(_shown(held)) if held else ""
        said = people.said.setdefault(place, SignsSaid())
        if what != said.what:
            if not said.what or not what:
                said.since_at = at
            said.what = what
            area, _, hazard = place.partition("|")
            yield Write(
                "cases",
                area,
                Detection(
                    id=detection_id(area, hazard, RULE, at, what),
                    area=area,
                    hazard=hazard,
                    rule=RULE,
                    level=level,
                    action=action,
                    detected_at=at,
                    since_at=said.since_at,
                    evidence=_evidence(held),
                    suspect=suspect,
                    happened_at=min(
                        (s.happened_at for s in held.values() if s.happened_at), default=None
                    ),
                    config=district.version,
                    rules=district.rules_version,
                ),
            )
        if held:
            people.signs[place] = held
        else:
            del people.signs[place], people.said[place]


def _shown(held: Mapping[str, Sign]) -> Iterator[str]:
    """Who says what, and of whom there is a picture."""
    return (key + "+" * bool(sign.photo) for key, sign in sorted(held.items()))


def _grade(
    rule: ObserverRule, held: Mapping[str, Sign], *, confirmed: bool
) -> tuple[Level, Action, bool]:
    """Level, action, and whether nothing confirms it."""
    persons = {key.partition("|")[0] for key in held}
    if not persons:
        return Level.NONE, Action.NONE, False
    if len(persons) > 1 and (rule.sms_confirms or any(s.own for s in held.values())):
        return rule.two_level, rule.two_action, False
    if confirmed:
        return rule.confirmed_level, rule.confirmed_action, False
    return rule.one_level, min(rule.one_action, Action.PREPARE), True


def _confirmed(state: DetectState) -> set[str]:
    """Where some other rule says at least yellow or 准备转移, and doubts nothing of it."""
    return {
        key.partition("|")[2]
        for key, said in state.said.items()
        if not said.suspect and (said.level >= Level.YELLOW or said.action >= Action.PREPARE)
    }


def _evidence(held: Mapping[str, Sign]) -> tuple[Evidence, ...]:
    newest = sorted(held.items(), key=lambda x: (-x[1].at, x[0]))[:_SHOWN]
    return tuple(
        Evidence(
            station=key.partition("|")[0],
            quantity=key.partition("|")[2],
            value=1.0,
            observed_at=sign.at,
            frames=(sign.photo,) if sign.photo else (),
        )
        for key, sign in newest
    )
