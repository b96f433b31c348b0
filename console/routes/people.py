"""What the page Subscribers asks for beside the picture.

GET  /api/subscribers        counts and gaps; nobody's name or number
POST /api/person             one person by id, for an administrator; each look stands on record
POST /api/erase              erase this person, as `fengsui contacts erase`
"""

import sqlite3
import threading
import time
from typing import Annotated

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, en, text_of, zh
from config.records.district import PERSONAL, Contact, District
from console.auth.accounts import User
from console.auth.requests import Refused, read_body, to_json
from console.model.answers import Erased, Subscribers
from console.pages.subscribers import counted, wished
from console.routes.desk import Desk, Key, Tools
from console.routes.sources import People
from dispatch.people.erase import Held
from stream.log.port import Unavailable

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
_A_MINUTE = 20  # looks: a list is not to be read out through them
_NO = Text("没有此人，或已删除", "there is no such person, or they were erased")
_FAULTS = (ValueError, OSError, sqlite3.Error)


class Person(msgspec.Struct, forbid_unknown_fields=True):
    id: Id


class Erase(msgspec.Struct, forbid_unknown_fields=True):
    """reason: stays on record for good, so that it may not tell who it was."""

    id: Id
    reason: Annotated[str, msgspec.Meta(max_length=300)]
    key: Key


class PersonDesk(Desk):
    """people: whom the run may tell."""

    def __init__(self, tools: Tools, people: People) -> None:
        super().__init__(tools, _A_MINUTE)
        self._people = people
        self._lock = threading.Lock()
        self._counted: tuple[District | None, Subscribers | None] = (None, None)

    def routes(self) -> list[Route]:
        return [
            Route("/api/subscribers", self._counts, methods=["GET"]),
            Route("/api/person", self._person, methods=["POST"]),
            Route("/api/erase", self._erase, methods=["POST"]),
        ]

    def _district(self) -> District:
        try:
            return self._people.district()
        except _FAULTS as e:
            raise Refused(
                503,
                Text(f"联系人库打不开：{zh(e)}", f"the contact store cannot be opened: {en(e)}"),
            ) from e

    def _counts(self, request: Request) -> Response:
        self._user(request)
        with self._lock:  # many ask, it is counted once for each state of the list
            district = self._district()
            if self._counted[0] is not district:
                found = counted(district)
                found["stored"] = self._people.stored()
                self._counted = district, found
            whole = self._counted[1]
        tallies = self._people.tallies()
        wishes = self._feed.read(lambda view, _: wished(view.wishes, tallies))
        return to_json({**(whole or {}), "wishes": wishes})

    def _administrator(self, request: Request) -> User:
        user = self._acting(request)
        if user.role != "administrator":
            words = Text(
                f"角色 {user.role} 不能看或删除一个人",
                f"the role {user.role} may not: only an administrator may see or erase one",
            )
            self._refuse(user, "refused at the list", user.role, words)
        return user

    async def _person(self, request: Request) -> Response:
        user = await run_in_threadpool(self._administrator, request)
        asked = await read_body(request, Person)
        return await run_in_threadpool(lambda: to_json(self._look(user, asked.id)))

    def _look(self, user: User, name: str) -> Contact:
        if name not in self._district().contacts:  # it may be a number: it is not written down
            self._users.note(self._feed.at(), user.name, "person", "?")
            raise Refused(404, _NO)
        self._users.note(self._feed.at(), user.name, "person", name)
        return self._whole(name)

    def _whole(self, name: str) -> Contact:
        try:
            found = self._people.whole([name])
        except _FAULTS as e:
            raise Refused(503, text_of(e)) from e
        if not found:
            raise Refused(404, _NO)
        return found[0]

    async def _erase(self, request: Request) -> Response:
        return await self._take(request, self._administrator, Erase, self._gone)

    def _gone(self, user: User, asked: Erase) -> Erased:
        reason = asked.reason.strip()
        if not reason:
            raise Refused(422, Text("请写理由", "a reason is needed"))
        if asked.id not in self._district().contacts:
            raise Refused(404, _NO)
        if not self._people.stored():
            raise Refused(
                409,
                Text("还没有联系人库，请在 contacts.csv 删行", "no store yet: edit contacts.csv"),
            )
        if tells(reason, self._whole(asked.id)):
            raise Refused(
                422,
                Text(
                    "理由会永远留下：不要写姓名、号码",
                    "the reason stays for good: no name, no number in it",
                ),
            )
        self._users.note(self._feed.at(), user.name, "erase", f"{asked.id} {asked.key} {reason}")
        try:
            self._people.erase(asked.id, _wall())
        except Held as e:
            self._users.note(self._feed.at(), user.name, "not erased", asked.id)
            raise Refused(409, text_of(e)) from e
        except _FAULTS as e:
            self._users.note(self._feed.at(), user.name, "not erased", asked.id)
            raise Refused(503, Text(f"没有删除：{zh(e)}", f"not erased: {en(e)}")) from e
        self._tell(asked.id)
        return {"erased": asked.id, "plain": asked.id in self._feed.district.contacts}

    def _tell(self, name: str) -> None:
        """A running address drops them at once; without a word it would only find no number."""
        try:
            word = self._people.erased_word(name, _wall())
            log = self._open_log()
            try:
                log.append([word])
            finally:
                log.close()
        except (Unavailable, *_FAULTS) as e:
            raise Refused(
                503,
                Text(
                    f"已删除，但日志写不进（{zh(e)}）：运行中的 address 重启后才知道",
                    f"erased, but the log cannot be written ({en(e)}): a running address knows after a restart",
                ),
            ) from e


def _wall() -> int:
    return int(time.time() * 1000)


def tells(reason: str, person: Contact) -> bool:
    """Whether a name or number of this person stands in the reason, however it is spaced."""
    said = _bare(reason)
    return any(len(v) > 1 and v in said for c in PERSONAL if (v := _bare(getattr(person, c))))


def _bare(text: str) -> str:
    return "".join(x for x in text.casefold() if x.isalnum())
