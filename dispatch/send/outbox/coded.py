"""What an answer to a message that asks for a code is worth, and what the outbox says of it: the judgement, a
reminder to who left the code out, a word to the duty room where wrong ones come again and again. Pure.

A code counts for the warning whose message held it, for so long after that went out, and for that person
alone. Wrong ones are counted way by way: the sender of an SMS can be forged, so what comes so locks neither the
personal page nor the app, and a call never. Without it an answer ends nothing: the message's time runs out and
the next way is tried, as for whoever says nothing. A cry for help ends the calls: somebody is there, and the
duty room has it.
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
    guessed = {line_of(e.delivery): e.delivery for e in _open_to(rules, box, mine, says.way)}
    for line in guessed if verdict == "wrong" else ():
        _count(box, line, says.way)
    strength: Strength = "code" if right else "read"
    judged = [
        _judged(box, d, f"{says.id}|{d.alert}", says.way, says.what, strength, verdict, says.said_at)
        for d in _told_by(box, about)
    ]
    heard = right or says.what == "help"
    answered = [e for e in (fits if right else mine) if heard and not e.done]
    first = about[0].delivery
    if verdict == "wrong":  # the warning of which no more are taken from now on, where there is one
        first = next((d for d in guessed.values() if _is_locked(rules, box, d, says.way)), first)
    told = _told(rules, box, first, says, verdict, at_last=bool(fits))
    return Judgement(judged, answered, list(told))


def _came_before(rules: Rules, e: Entry, says: PersonSays) -> bool:
    """Whether it went out before they spoke. Whoever gives a code has had one, however slow their clock is, or
    guesses, whatever their clock says."""
    if not 0 < e.begun_at <= says.received_at:
        return False
    return (rules.codes is not None and bool(says.code)) or e.begun_at <= says.said_at


def _fitting(
    rules: Rules, box: Box, mine: Sequence[Entry], says: PersonSays
) -> tuple[list[Entry], Verdict]:
    """The entries whose code it is, and what it is worth."""
    codes = rules.codes
    if not says.code or codes is None:
        return [], "none"
    fits = [e for e in mine if codes.is_right(e.delivery.alert, says.person, says.code)]
    taken = _open_to(rules, box, fits or mine, says.way)
    if not taken or (fits and taken != fits):
        return fits, "locked"
    if not fits:
        return [], "wrong"
    newest = max(e.begun_at for e in fits)
    return fits, "right" if says.said_at < newest + codes.valid_ms else "late"


def _is_locked(rules: Rules, box: Box, d: Delivery, way: str) -> bool:
    return rules.codes is not None and _wrong_by(box, d, way) >= rules.codes.wrong_most


def _open_to(rules: Rules, box: Box, some: Sequence[Entry], way: str) -> list[Entry]:
    """Those of which a code is still taken by this way. What is locked keeps no guess at another from being
    counted."""
    return [e for e in some if not _is_locked(rules, box, e.delivery, way)]


def _count(box: Box, line: str, way: str) -> None:
    box.wrong[f"{line}|{way}"] = box.wrong.get(f"{line}|{way}", 0) + 1


def _wrong_by(box: Box, d: Delivery, way: str) -> int:
    return box.wrong.get(f"{line_of(d)}|{way}", 0)


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
    way = "voice" if e.delivery.routes[r.route].channel == "voice" else "sms"
    if verdict == "wrong":
        _count(box, line_of(e.delivery), way)
    strength: Strength = "code" if verdict == "right" else "read"
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
        wrong=sum(_wrong_by(box, d, w) for w in ("sms", "form", "app", "voice")),
    )


def _told(
    rules: Rules, box: Box, d: Delivery, says: PersonSays, verdict: Verdict, *, at_last: bool
) -> Iterator[Delivery]:
    """at_last: the code is theirs, whatever came before."""
    codes = rules.codes
    if codes is None or verdict == "right" or says.what == "help":
        return
    if verdict == "wrong" and _wrong_by(box, d, says.way) == codes.wrong_most:
        yield _many_wrong(rules, d, codes.wrong_most, says)
    elif verdict == "locked" and at_last:
        yield _right_at_last(rules, d, says)
    elif verdict in ("wrong", "late") or (verdict == "none" and says.way == "sms"):
        # the personal page asks for a code that was left out by itself
        yield _reminder(rules, d, codes.digits, verdict, says.received_at)


_WAY = {
    "sms": Text("短信", "SMS"),
    "form": Text("个人页", "the personal page"),
    "app": Text("应用", "an app"),
}


def _many_wrong(rules: Rules, d: Delivery, many: int, says: PersonSays) -> Delivery:
    place, way = rules.place(d.area), _WAY[says.way]
    text = Text(
        f"{way.zh}来的确认码错了 {many} 次，这一路不再收，别的路照收，也许不是本人：请打电话核实 {place.zh} "
        f"{d.recipient}（{d.alert}）",
        f"{many} wrong codes by {way.en}, no more are taken that way, others go on; perhaps it is somebody "
        f"else: call {place.en} {d.recipient} ({d.alert})",
    )
    return _to_duty(
        rules, d, f"wrong codes|{line_of(d)}|{says.way}", Text("确认码多次不对", "wrong codes"), text,
        says.received_at,
    )  # fmt: skip


def _right_at_last(rules: Rules, d: Delivery, says: PersonSays) -> Delivery:
    place, way = rules.place(d.area), _WAY[says.way]
    text = Text(
        f"{way.zh}的确认码多次不对、不再收之后，来了一个对的，多半是本人：请打电话给 {place.zh} {d.recipient}"
        f"（{d.alert}）",
        f"after too many wrong codes by {way.en} a right one came, most likely from the person: call "
        f"{place.en} {d.recipient} ({d.alert})",
    )
    title = Text("停收之后来了对的确认码", "a right code after the wrong ones")
    return _to_duty(
        rules, d, f"right code at last|{line_of(d)}|{says.way}", title, text, says.received_at
    )


def _to_duty(rules: Rules, d: Delivery, told: str, title: Text, text: Text, at: int) -> Delivery:
    return duty_notice(
        told,
        d.recipient,
        title,
        drill_mark(rules.live) + text,
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
    """To who answered, where the warning went first in writing: once for each fault about one warning."""
    words = choose(_REMINDED[verdict], "en" if d.lang == "en" else "zh").format(n=digits)
    drill = choose(drill_mark(rules.live), "en" if d.lang == "en" else "zh")
    told = f"code|{line_of(d)}|{verdict}"
    return person_notice(
        hashlib.sha256(told.encode()).hexdigest()[:16],
        f"code:{verdict}:{d.alert}",
        d.recipient,
        (person_route(_written(d), rules.signature, drill + words),),
        at,
        live=d.status == "actual",
        within_ms=10 * 60_000,
        expires_at=at + NOTICE_VALID_MS,
        lang=d.lang,
        area=d.area,
    )


def _written(d: Delivery) -> str:
    """The first way of this message that is written; an SMS where there is none."""
    return next((r.channel for r in d.routes if r.channel in ("sms", "app", "email")), "sms")
