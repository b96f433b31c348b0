"""People who go out into a storm and their check-back timer: whoever says 出发 is expected to be heard of
within the policy's interval, by 平安 or any other word, until they say 返回. Silence past it is told to the
duty room and to the person, and when it lasts to the superiors, with the place of their last word. Pure.

A fold in any order: the newest word of each kind counts. Any word is a sign of life; none but 返回 ends it,
and no time does: somebody who is lost is not forgotten by a clock.
"""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from config.language import Text, choose
from config.records.authority import Proving
from config.records.district import Contact, District
from config.records.level import Level
from dispatch.notices import NOTICE_VALID_MS, PERSON, drill_mark, duty_notice, person_notice
from dispatch.records import Delivery
from dispatch.words.local_time import local
from dispatch.words.sms_length import person_route
from ingest.observation import PersonSays

_DUTY_TOLD, _SUPERIOR_TOLD = 1, 2
_MIN_MS = 60_000
_UNREAD = ("words", "unclear")
_KEPT_MS = 24 * 3_600_000  # whoever is back is remembered so long, for a word that comes late


class Outing(msgspec.Struct):
    """out_at, back_at: the newest 出发 and 返回. last_at: of any word; what: of that word. area,
    area_at: of the newest that named a place. told: how far the silence since `told_at` was told."""

    person: str
    out_at: int = 0
    back_at: int = 0
    last_at: int = 0
    area: str = ""
    what: str = ""
    told: int = 0
    told_at: int = 0
    area_at: int = 0

    @property
    def is_out(self) -> bool:
        """They have gone and not come back; of two words of one moment the going out counts."""
        return self.out_at > 0 and self.out_at >= self.back_at

    def due_at(self, proving: Proving) -> int:
        """By when they are to be heard of."""
        return self.last_at + proving.check_back_min * _MIN_MS


Outings = dict[str, Outing]


def take(outings: Outings, says: PersonSays) -> Outing:
    """Fold a word in. Of whoever speaks the newest word is known, for it may have come before their 出发."""
    o = outings.setdefault(says.person, Outing(says.person))
    if says.what == "out":
        o.out_at = max(o.out_at, says.said_at)
    elif says.what == "back":
        o.back_at = max(o.back_at, says.said_at)
    if (says.said_at, says.what) > (o.last_at, o.what):
        o.last_at, o.what = says.said_at, says.what
    # words that nobody could read stand under some area of theirs, which is not where they are
    place = (says.said_at if says.what not in _UNREAD else 0, says.area)
    if says.area and place > (o.area_at, o.area):
        o.area_at, o.area = place
    return o


def places(district: District, o: Outing) -> tuple[str, ...]:
    """Where they may be: the place they named last, else each that they answer for."""
    contact = district.contacts.get(o.person)
    return (o.area,) if o.area or contact is None else contact.areas


def heard(district: District, outings: Outings, says: PersonSays, live: bool) -> list[Delivery]:
    """What is told because of a word: to who goes out, what is expected; to the duty room, that somebody it
    was told of is heard of again."""
    proving = district.policy.proving
    if not proving.check_back_min:
        return []
    before = outings.get(says.person)
    was_told = before.told if before is not None else 0
    known = before is not None and before.is_out
    o = take(outings, says)
    found = []
    if was_told and o.last_at > o.told_at:
        o.told, o.told_at = 0, 0
        found.append(_again(district, o, says, live))
    if says.what == "out" and not known and o.is_out and says.way == "sms":
        words = Text(
            f"已记下出发。每{proving.check_back_min}分钟内回一次“平安”，回来后回“返回”。",
            f"Noted that you went out. Write 'safe' every {proving.check_back_min} minutes and 'back' "
            "when you are back.",
        )
        if not o.area_at:
            words += Text("请再发一次，写明去哪个村。", " Write again to which village you go.")
        found += _to(
            district, says.person, words, f"out|{says.id}", says.received_at, live, says.area
        )
    return found


def overdue(
    district: District, outings: Outings, group: str, at: int, live: bool
) -> Iterator[Delivery]:
    """Who is silent past their time, each step once. group: the watch group whose clock `at` is."""
    proving = district.policy.proving
    if not proving.check_back_min:
        return
    for o in list(outings.values()):
        if not o.is_out and at > max(o.last_at, o.back_at) + _KEPT_MS:
            del outings[o.person]
        if not o.is_out or _group(district, o.area) != group or at < o.due_at(proving):
            continue
        if o.told < _DUTY_TOLD:
            o.told, o.told_at = _DUTY_TOLD, o.last_at
            yield _silent(district, o, at, live)
            words = Text(
                "您出发后过时没有消息：请回“平安”或“返回”，有险情回“求助”。",
                "You are out and past your time: write 'safe' or 'back', or 'help'.",
            )
            yield from _to(district, o.person, words, f"ask|{o.last_at}", at, live, o.area)
        if o.told < _SUPERIOR_TOLD and at >= o.due_at(proving) + proving.superior_min * _MIN_MS:
            o.told = _SUPERIOR_TOLD
            for who in district.channels.not_woken_to:
                yield from _to(
                    district, who, _words(district, o, at), f"superior|{o.last_at}|{o.person}", at,
                    live, o.area, Level.RED,
                )  # fmt: skip


def _group(district: District, area: str) -> str:
    return district.group_of_area.get(area) or min(district.groups, default="")


def _words(district: District, o: Outing, at: int) -> Text:
    """Who is silent since when, and where they were last."""
    area = district.areas.get(o.area)
    place = Text(area.name, area.name_en) if area else Text("没写明地点", "no place named")
    out, last = (local(t, district.timezone, "%H:%M") for t in (o.out_at, o.last_at))
    late = (at - o.last_at) // _MIN_MS
    return Text(
        f"外出人员失去联系：{o.person} {out}出发，最后消息{last}（{late}分钟前）在{place.zh}。"
        "请联系，必要时派人",
        f"OUT AND SILENT: {o.person} left {out}, last word {last} ({late} min ago) at {place.en}. Call, and "
        "send somebody if need be",
    )


def _silent(district: District, o: Outing, at: int, live: bool) -> Delivery:
    return duty_notice(
        f"out and silent|{o.person}|{o.last_at}",
        o.person,
        Text("外出人员失去联系", "out and silent"),
        drill_mark(live) + _words(district, o, at),
        at,
        alert=f"{PERSON}out-{o.person}",
        status="actual" if live else "exercise",
        level=Level.RED,
        version=o.last_at // 1000,
        area=o.area,
    )


def _again(district: District, o: Outing, says: PersonSays, live: bool) -> Delivery:
    at = local(says.said_at, district.timezone, "%H:%M")
    end = Text("已返回", "is back") if not o.is_out else Text("又有消息", "is heard of again")
    return duty_notice(
        f"out and heard|{o.person}|{o.last_at}",
        o.person,
        Text("外出人员有消息", "heard of again"),
        drill_mark(live) + Text(f"{o.person} {at} ", f"{o.person} {at} ") + end,
        says.received_at,
        alert=f"{PERSON}out-{o.person}",
        status="actual" if live else "exercise",
        level=Level.NONE,
        version=o.last_at // 1000,
        area=o.area,
        msg_type="update",
    )


def _to(
    district: District,
    who: str,
    words: Text,
    told: str,
    at: int,
    live: bool,
    area: str,
    level: Level = Level.YELLOW,
) -> Iterable[Delivery]:
    """To a contact, by their own ways; nothing for one who is gone."""
    contact: Contact | None = district.contacts.get(who)
    if contact is None:
        return
    text = choose(drill_mark(live) + words, contact.lang)
    name = hashlib.sha256(f"outing|{who}|{told}".encode()).hexdigest()[:16]
    yield person_notice(
        name,
        f"{PERSON}{name}",
        who,
        tuple(person_route(c, district.signature, text) for c in contact.channels),
        at,
        live=live,
        within_ms=3 * _MIN_MS,
        expires_at=at + NOTICE_VALID_MS,
        lang=contact.lang,
        area=area,
        level=level,
    )
