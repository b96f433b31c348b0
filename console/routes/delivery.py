"""What the duty room's desks ask for beside the picture: who was not reached, their numbers, sending
again.

GET  /api/missed/AREA        who was not reached, by opaque ids
POST /api/calls              names and numbers of those in an area; each look stands on record
POST /api/words              what people wrote themselves, as `fengsui people words`; on record as well
POST /api/resend             as `fengsui resend`
"""

import sqlite3
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, en, text_of, zh
from console.acts.resend import of_area, repeat
from console.auth.accounts import ACTS_OF, User, Users
from console.auth.requests import Once, Rate, Refused, read_body, to_json
from console.pages.delivery import who
from console.pages.feed import Feed
from console.routes.sources import People
from stream.log.port import Log, Out
from stream.records import encode

Key = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
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


class Desk:
    """user, sure: who asks, and who asks for a change from their own page (console/app.py)."""

    def __init__(
        self,
        feed: Feed,
        users: Users,
        people: People,
        open_log: Callable[[], Log],
        user: Callable[[Request], User],
        sure: Callable[[Request], User],
    ) -> None:
        self._feed, self._users, self._people, self._open_log = feed, users, people, open_log
        self._user, self._sure = user, sure
        self._once, self._rate = Once(), Rate(_A_MINUTE)

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

    def _who(self, area: str) -> dict[str, Any]:
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
        user = self._sure(request)
        if not ACTS_OF[user.role] or not user.officer:
            self._users.note(self._feed.at(), user.name, "refused at the list", user.role)
            raise Refused(
                403,
                Text(
                    f"角色 {user.role} 不能查看号码或重发",
                    f"the role {user.role} may not see numbers nor send again",
                ),
            )
        self._rate.take(user.name)
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
        user = await run_in_threadpool(self._officer, request)
        asked = await read_body(request, Resend)
        return await run_in_threadpool(
            lambda: to_json(
                self._once.do(f"{user.name}|{asked.key}", lambda: self._again(user, asked))
            )
        )

    def _again(self, user: User, asked: Resend) -> dict[str, Any]:
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
