"""What an answer to a message that asks for a code is worth, and what the outbox says of it: the judgement, a
reminder to who left the code out, a word to the duty room where wrong ones come again and again. Pure.

A code counts for the warning whose message held it, for so long after that went out, and for that person
alone. Without it an answer ends nothing: the message's time runs out and the next way is tried, as for
whoever says nothing. A cry for help ends the calls: somebody is there, and the duty room has it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from config.language import Text, choose
from config.records.level import Level
from dispatch.notices import NOTICE_VALID_MS, drill_mark, duty_notice, person_notice
from dispatch.proving.judged import JudgedAnswer, Strength, Verdict
from dispatch.records import Delivery, Receipt
from dispatch.send.outbox import grouping
from dispatch.send.outbox.state import Box, Entry, Rules, line_of
from dispatch.words.sms_length import person_route
from ingest.observation import PersonSays

_REMINDED: dict[Verdict, Text] = {
    "none": Text(
        "已收到您的回复，但没有确认码，还不算叫应：请回复预警短信末尾的 {n} 位数字。",
        "We have your answer, but no code: reply the {n} figures at the end of the warning.",
    ),
    "wrong": Text(
        "确认码不对：请回复最近一条预警短信末尾的 {n} 位数字。",
        "That is not the code: reply the {n} figures at the end of the newest warning.",
    ),
    "late": Text(
        "确认码已过期：请等新的预警，或打值班电话。",
        "The code is over: wait for the next warning, or call the duty room.",
    ),
}


class Judgement(NamedTuple):
    """judged: for the log. answered: the entries that end by it. told: what is sent because of it."""

    judged: list[JudgedAnswer]
    answered: list[Entry]
    told: list[Delivery]


def judge(rules: Rules, box: Box, says: PersonSays) -> Judgement:
    """A person's word. The same word again is judged once."""
    mine = [
        e
        for i in box.coded.get(says.person, ())
        if (e := box.entries.get(i)) is not None and _came_before(rules, e, says)
    ]
    if not mine or says.id in box.judged:
        return Judgement([], [], [])
    box.judged[says.id] = box.clock_at
    fits, verdict = _fitting(rules, box, mine, says)
    about = fits or _asked_last(mine)
    right = verdict == "right"
    if verdict == "wrong":
        for line in {line_of(e.delivery) for e in mine}:
            box.wrong[line] = box.wrong.get(line, 0) + 1
    strength: Strength = "code" if right else "read"
    judged = [
        _judged(box, d, f"{says.id}|{d.alert}", says.way, says.what, strength, verdict, says.said_at)
        for d in _told_by(box, about)
    ]
    heard = right or says.what == "help"
    answered = [e for e in (fits if right else mine) if heard and not e.done]
    return Judgement(judged, answered, list(_told(rules, box, about[0].delivery, says, verdict)))


def _came_before(rules: Rules, e: Entry, says: PersonSays) -> bool:
    """Whether it went out before they spoke. Who has its code has had it, however slow their clock is."""
    if not 0 < e.begun_at <= says.received_at:
        return False
    codes, d = rules.codes, e.delivery
    has = codes is not None and bool(says.code) and codes.is_right(d.alert, d.recipient, says.code)
    return has or e.begun_at <= says.said_at


def _fitting(
    rules: Rules, box: Box, mine: Sequence[Entry], says: PersonSays
) -> tuple[list[Entry], Verdict]:
    """The entries whose code it is, and what it is worth."""
    codes = rules.codes
    if not says.code or codes is None:
        return [], "none"
    fits = [e for e in mine if codes.is_right(e.delivery.alert, says.person, says.code)]
    if any(_is_locked(rules, box, e.delivery) for e in fits or mine):
        return fits, "locked"
    if not fits:
        return [], "wrong"
    newest = max(e.begun_at for e in fits)
    return fits, "right" if says.said_at < newest + codes.valid_ms else "late"


def _is_locked(rules: Rules, box: Box, d: Delivery) -> bool:
    return rules.codes is not None and box.wrong.get(line_of(d), 0) >= rules.codes.wrong_most


def _asked_last(mine: Sequence[Entry]) -> list[Entry]:
    """What somebody means who names no warning: what is open of theirs, else the newest."""
    return [e for e in mine if not e.done] or [max(mine, key=lambda e: e.begun_at)]


def _told_by(box: Box, entries: Sequence[Entry]) -> Iterator[Delivery]:
    """The warnings that these messages told of, each once: one message may have spoken for several."""
    seen = set[str]()
    for e in entries:
        own = [c.delivery for c in grouping.covered(box, e)] if e.delivery.covers else [e.delivery]
        for d in own or [e.delivery]:
            if d.alert not in seen:
                seen.add(d.alert)
                yield d


def by_call(box: Box, e: Entry, r: Receipt) -> list[JudgedAnswer]:
    """What a receipt of a carrier says of the code: keyed, wrong, or left out."""
    name = f"{r.delivery}|{r.route}|{r.attempt}|{r.answered_by}"
    if not e.delivery.code or not r.answered_by or name in box.judged:
        return []
    box.judged[name] = box.clock_at
    verdict: Verdict = {"code": "right", "wrong": "wrong"}.get(r.answered_by, "none")  # type: ignore[assignment]
    if verdict == "wrong":
        box.wrong[line_of(e.delivery)] = box.wrong.get(line_of(e.delivery), 0) + 1
    strength: Strength = "code" if verdict == "right" else "read"
    way = "voice" if e.delivery.routes[r.route].channel == "voice" else "sms"
    return [
        _judged(box, d, f"{name}|{d.alert}", way, "received", strength, verdict, r.receipt_at)
        for d in _told_by(box, [e])
    ]


def _judged(
    box: Box,
    d: Delivery,
    said: str,
    way: str,
    what: str,
    strength: Strength,
    verdict: Verdict,
    at: int,
) -> JudgedAnswer:
    return JudgedAnswer(
        id=hashlib.sha256(said.encode()).hexdigest()[:16],
        person=d.recipient,
        area=d.area,
        alert=d.alert,
        delivery=d.id,
        way=way,  # type: ignore[arg-type]  # of PersonSays, or voice
        what=what,
        strength=strength,
        verdict=verdict,
        answered_at=at,
        wrong=box.wrong.get(line_of(d), 0),
    )


def _told(
    rules: Rules, box: Box, d: Delivery, says: PersonSays, verdict: Verdict
) -> Iterator[Delivery]:
    codes = rules.codes
    if codes is None or verdict == "right" or says.what == "help":
        return
    if verdict == "wrong" and box.wrong.get(line_of(d), 0) == codes.wrong_most:
        yield _many_wrong(rules, d, codes.wrong_most, says.received_at)
    elif verdict in _REMINDED and says.way == "sms":
        yield _reminder(rules, d, codes.digits, verdict, says.received_at)


def _many_wrong(rules: Rules, d: Delivery, many: int, at: int) -> Delivery:
    place = rules.place(d.area)
    text = drill_mark(rules.live) + Text(
        f"确认码错了 {many} 次，不再收，也许不是本人：请打电话核实 {place.zh} {d.recipient}（{d.alert}）",
        f"{many} wrong codes, no more are taken, perhaps it is somebody else: call {place.en} "
        f"{d.recipient} ({d.alert})",
    )
    return duty_notice(
        f"wrong codes|{line_of(d)}",
        d.recipient,
        Text("确认码多次不对", "wrong codes"),
        text,
        at,
        alert=d.alert,
        status=d.status,
        level=Level.ORANGE,
        version=d.version,
        area=d.area,
        hazard=d.hazard,
        action=d.action,
    )


def _reminder(rules: Rules, d: Delivery, digits: int, verdict: Verdict, at: int) -> Delivery:
    """To who answered: once for each fault about one warning."""
    words = choose(_REMINDED[verdict], "en" if d.lang == "en" else "zh").format(n=digits)
    drill = choose(drill_mark(rules.live), "en" if d.lang == "en" else "zh")
    told = f"code|{line_of(d)}|{verdict}"
    return person_notice(
        hashlib.sha256(told.encode()).hexdigest()[:16],
        f"code:{verdict}:{d.alert}",
        d.recipient,
        (person_route("sms", rules.signature, drill + words),),
        at,
        live=d.status == "actual",
        within_ms=10 * 60_000,
        expires_at=at + NOTICE_VALID_MS,
        lang=d.lang,
        area=d.area,
    )
