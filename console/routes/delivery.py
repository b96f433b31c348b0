"""What the duty room's desks ask for beside the picture: who was not reached, their numbers, sending
again.

GET  /api/missed/AREA        who was not reached, by opaque ids
POST /api/calls              names and numbers of those in an area; each look stands on record
POST /api/words              what people wrote themselves, as `fengsui people words`; on record as well
POST /api/resend             as `fengsui resend`
"""

import sqlite3
from typing import Annotated, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, en, text_of, zh
from console.acts.resend import of_area, repeat
from console.auth.accounts import User
from console.auth.requests import Refused, read_body, to_json
from console.model.answers import Missed, Queued
from console.pages.delivery import who
from console.routes.desk import Desk, Key, Tools
from console.routes.sources import People
from stream.log.port import Out
from stream.records import encode

_A_MINUTE = 60
_SHOWN = 300  # of people's own words


class Calls(msgspec.Struct, forbid_unknown_fields=True):
    area: str


class Looked(msgspec.Struct, forbid_unknown_fields=True):
    """At all of them; ids are the notices' own."""


class Resend(msgspec.Struct, forbid_unknown_fields=True):
    """These deliveries, or where none is named everybody who was told of the area."""

    area: str
    key: Key
    deliveries: Annotated[list[str], msgspec.Meta(max_length=2000)] = []
    channel: str = ""


class DeliveryDesk(Desk):
    """people: whom the run may tell."""

    def __init__(self, tools: Tools, people: People) -> None:
        super().__init__(tools, _A_MINUTE)
        self._people = people

    def routes(self) -> list[Route]:
        return [
            Route("/api/missed/{area}", self._missed, methods=["GET"]),
            Route("/api/calls", self._calls, methods=["POST"]),
            Route("/api/words", self._own_words, methods=["POST"]),
            Route("/api/resend", self._resend, methods=["POST"]),
        ]

    def _known(self, area: str) -> str:
        if area not in self._feed.district.areas:
            raise Refused(
                404, Text(f"没有这个预警区 {area[:20]!r}", f"there is no area {area[:20]!r}")
            )
        return area

    def _who(self, area: str) -> Missed:
        feed = self._feed
        return feed.read(
            lambda view, trail: who(
                self._people.district(), view, trail.reached, self._known(area), feed.clock()
            )
        )

    def _missed(self, request: Request) -> Response:
        self._user(request)
        return to_json(self._who(request.path_params["area"]))

    def _officer(self, request: Request) -> User:
        """Who may see numbers and send again: whoever may act upon a warning."""
        user = self._acting(request)
        if not self._decides(user):
            words = Text(
                f"角色 {user.role} 不能查看号码或重发",
                f"the role {user.role} may not see numbers nor send again",
            )
            self._refuse(user, "refused at the list", user.role, words)
        return user

    async def _calls(self, request: Request) -> Response:
        user = await run_in_threadpool(self._officer, request)
        return await run_in_threadpool(self._list, user, await read_body(request, Calls))

    def _list(self, user: User, asked: Calls) -> Response:
        """Numbers of those who were not reached, those who must answer first, and for a silent
        loudspeaker the village's own number."""
        rows = self._who(asked.area)["missed"]
        ids = list(dict.fromkeys(r["who"] for r in rows if r["role"] not in ("", "node")))
        self._users.note(
            self._feed.at(), user.name, "call list", f"{asked.area} {' '.join(ids)}".strip()
        )
        try:
            people = self._people.whole(ids)
        except ValueError as e:
            raise Refused(503, text_of(e)) from e
        area = self._feed.district.areas[asked.area]
        return to_json(
            {
                "people": {p.id: {"name": p.name, "phone": p.phone} for p in people},
                "village": {"name": area.name, "phone": area.phone},
            }
        )

    async def _own_words(self, request: Request) -> Response:
        user = await run_in_threadpool(self._officer, request)
        await read_body(request, Looked)
        return await run_in_threadpool(self._words, user)

    def _words(self, user: User) -> Response:
        """They hold names and numbers: of whose words they were is on record, and none of the words."""
        try:
            kept = self._people.words(self._feed.clock())
        except (OSError, sqlite3.Error, ValueError) as e:
            raise Refused(
                503, Text(f"来信原话读不到：{zh(e)}", f"people's words cannot be read: {en(e)}")
            ) from e
        who = " ".join(dict.fromkeys(k.person for k in kept[:_SHOWN]))
        self._users.note(self._feed.at(), user.name, "people's words", who)
        return to_json(
            {
                "words": [
                    {"id": k.id, "who": k.person, "area": k.area, "at": k.at, "text": k.text}
                    for k in kept[:_SHOWN]
                ],
                "count": len(kept),
            }
        )

    async def _resend(self, request: Request) -> Response:
        return await self._take(request, self._officer, Resend, self._again)

    def _again(self, user: User, asked: Resend) -> Queued:
        self._known(asked.area)
        at = self._feed.clock()

        def chosen(view: Any, trail: Any) -> Any:
            if not asked.deliveries:
                found = of_area(view, asked.area, asked.channel, at)
            else:
                newest = {i for ids in trail.reached.newest.values() for i in ids}
                found = [view.sent[i].delivery for i in asked.deliveries if i in newest]
                if len(found) < len(asked.deliveries):
                    raise ValueError(
                        Text(
                            "其间已有新版本，请看过再发",
                            "newer versions were sent meanwhile: look again",
                        )
                    )
            return repeat(view, found, asked.channel, user.officer, at)

        try:
            new = self._feed.read(chosen)
        except ValueError as e:
            raise Refused(409, Text(f"没有重发：{zh(e)}", f"not sent again: {en(e)}")) from e
        where = f"{asked.key} {user.officer} {asked.area} {len(new)}"
        self._users.note(self._feed.at(), user.name, "resend", where)
        log = self._open_log()
        try:
            log.append([Out("deliveries", d.area, encode(d)) for d in new])
        finally:
            log.close()
        return {"queued": len(new)}
