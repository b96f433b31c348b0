"""A gully that is opened again by SMS: the sender of an SMS can be forged, so where the district's policy says
so (`opens_by_code`) the word counts once a code has come back that went to the keeper's own number. Closing
protects and counts at once.

Who forges the sender can use up the day's codes and the tries of one; then the duty room is told to call, and
the keeper by which other ways (the personal page, the telephone) the place can be opened.

What waits is in memory alone: after a restart the keeper writes again, and until then the place stays closed.
The code stands in no record: it is in the contact store, and put in on the way to the carrier.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from config.language import Text
from config.records.district import District
from config.records.level import Level
from dispatch.notices import PERSON, drill_mark, duty_notice
from dispatch.people.contact_store import ASKED, CODE, ContactStore
from dispatch.people.residents.message import message
from dispatch.records import Delivery
from ingest.decode.phrases import plain
from ingest.observation import PersonSays
from stream.pace.rate_limit import RateLimit

FIGURES, TRIES, A_DAY = 6, 5, 5
VALID_MS = 15 * 60_000
_DAY_MS = 86_400_000
_CODE = re.compile(rf"\D{{0,8}}([0-9]{{{FIGURES}}})\D{{0,4}}")
_MOST = 10_000  # people whose codes are held
_ROW = f"{ASKED}open-"


class _Waiting(NamedTuple):
    code: str
    says: PersonSays
    until_at: int
    tries: int


class Openings:
    """live: of the run, as the message says. draw: a code."""

    def __init__(
        self,
        district: District,
        live: bool,
        draw: Callable[[], str] = lambda: f"{secrets.randbelow(10**FIGURES):0{FIGURES}}",
    ) -> None:
        self._district, self._live, self._draw = district, live, draw
        self._waiting: dict[str, _Waiting] = {}
        self._asked, self._told = RateLimit(_DAY_MS), RateLimit(_DAY_MS)
        self._notices: list[Delivery] = []

    def asks(self, says: PersonSays) -> bool:
        """Does this word wait for a code?"""
        return says.what == "opened" and says.way == "sms" and self._district.policy.opens_by_code

    def ask(self, says: PersonSays, now: int) -> list[Delivery]:
        """The code, to the keeper's own number; none where it has had as many as a day allows, of which the
        duty room and the keeper are told, or the same wish waits already."""
        held = self._waiting.get(says.person)
        if held is not None and held.until_at > now and held.says.area == says.area:
            return []
        if not self._asked.lets(says.person, now, A_DAY):
            return self._used_up(says, now)
        self._waiting = {p: w for p, w in self._waiting.items() if w.until_at > now}
        if len(self._waiting) >= _MOST:
            return []
        code, area = self._draw(), self._district.areas[says.area]
        self._waiting[says.person] = _Waiting(code, says, now + VALID_MS, 0)
        to, shown = self._kept(says, code)
        phone, minutes = self._district.hotline, VALID_MS // 60_000
        words = Text(
            f"{area.name}开沟：{minutes}分钟内回复{shown}才算数，在那以前仍然封着。不是您发的，请打{phone}。",
            f"Opening {area.name_en}: reply {shown} within {minutes} min, until then it stays closed. If "
            f"this was not you call {phone}.",
        )
        return [self._to_keeper(says, to, f"open-{says.id}", words, now)]

    def _used_up(self, says: PersonSays, now: int) -> list[Delivery]:
        """That no more codes go out today: once a day to the duty room and to the keeper's own number."""
        if not self._told.lets(says.person, now, 1):
            return []
        area, phone = self._district.areas[says.area], self._district.hotline
        words = Text(
            f"今天的开沟确认码已发{A_DAY}次，不再发，{area.name}仍按封沟。要开请用个人页，或打{phone}。",
            f"{A_DAY} codes were sent today and no more are; {area.name_en} stays as it is. To open it use "
            f"your personal page or call {phone}.",
        )
        return [
            self._to_duty(says, now, Text(f"一天要了{A_DAY}次以上", f"more than {A_DAY} wishes in a day")),
            self._to_keeper(says, says.person, f"open-over-{says.id}", words, now),
        ]

    def _to_keeper(self, says: PersonSays, to: str, key: str, words: Text, now: int) -> Delivery:
        """In the language of whoever wished for it. to: an id whose number it goes to."""
        person = self._district.contacts.get(says.person)
        lang = person.lang if person is not None else "zh"
        return message(self._district, self._live, to, key, words, lang, now, VALID_MS)

    def _to_duty(self, says: PersonSays, now: int, why: Text) -> Delivery:
        area = self._district.areas[says.area]
        return duty_notice(
            f"openings|{says.person}|{now // _DAY_MS}|{why}",
            says.person,
            Text("短信开沟可疑", "doubtful wishes to open a gully"),
            drill_mark(self._live)
            + Text(f"{area.name} {says.person} 短信开沟：", f"{area.name_en}, {says.person} by SMS: ")
            + why
            + Text(
                "，也许是冒充：请打电话核实，仍按封沟",
                "; perhaps it is somebody else: call. It stays closed",
            ),
            now,
            alert=f"{PERSON}open-{says.person}",
            status="actual" if self._live else "exercise",
            level=Level.YELLOW,
            version=now // 1000,
            area=says.area,
        )

    def notices(self) -> list[Delivery]:
        """What codes that came back gave the duty room to know; each is handed over once."""
        found, self._notices = self._notices, []
        return found

    def _kept(self, says: PersonSays, code: str) -> tuple[str, str]:
        """To whom the code goes, and what stands for it in the record. Raises what the contact store does."""
        if self._district.vault is None:  # a list to try things with: its numbers are nobody's
            return says.person, code
        with ContactStore(self._district.vault) as store:
            held = {f"{_ROW}{w.says.id}" for w in self._waiting.values()}
            store.drop(i for i in store.ids() if i.startswith(_ROW) and i not in held)
            whole = store.whole(says.person)
            if whole is None:
                return says.person, code
            row = f"{_ROW}{says.id}"
            store.put(
                [msgspec.structs.replace(whole, id=row, name=code, areas=(), role="residents")]
            )
        return row, CODE

    def granted(self, person: str, text: str, now: int) -> PersonSays | None:
        """The word that waited, where this text is its code: as it was wished for."""
        found, held = _CODE.fullmatch(plain(text)), self._waiting.get(person)
        if found is None or held is None or held.until_at <= now:
            return None
        if not hmac.compare_digest(found[1], held.code):
            del self._waiting[person]
            if held.tries + 1 < TRIES:
                self._waiting[person] = held._replace(tries=held.tries + 1)
            else:
                why = Text(f"确认码错了{TRIES}次，作废", f"{TRIES} wrong codes, it is void")
                self._notices.append(self._to_duty(held.says, now, why))
            return None
        del self._waiting[person]
        return _received(held.says, now)


def _received(says: PersonSays, now: int) -> PersonSays:
    """Said when they wished for it: a closure that somebody else gave meanwhile is newer, and holds."""
    return msgspec.structs.replace(says, received_at=now)
