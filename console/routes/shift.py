"""The shift log over HTTP: read, write a note, hand over, take over, correct the facts, export, print.

GET  /api/shift?text=&kind=  newest first; what is open; who hands over to whom
GET  /api/shift.csv          the same lines, all of them
POST /api/notes /api/handover /api/takeover
POST /api/verify             核报, as `fengsui report --verify`
GET  /print/NAME?incident=   a page to print, in the language of &lang=; /print/drill?run= that of a drill
"""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, en, joined, text_of, zh
from console.acts.submit import QUEUED, submit
from console.auth.accounts import ACTS_OF, User
from console.auth.looks import PICTURE
from console.auth.requests import Refused, to_json
from console.model.answers import Came, HandedOver, LogLine, Put, ShiftPage
from console.model.desk_record import at_the_desk, detail_at_the_desk, paired
from console.model.shift_log import KEPT, KINDS, Entry, ordered
from console.pages.handover import matters
from console.routes.desk import Desk, Key, Tools
from console.routes.sources import Sources
from dispatch.records import Decision
from stream.http.asked import language_of

NOTE = 2000  # characters of a note
SHOWN = 300
_A_MINUTE = 30
_WAIT_S = 10.0
_PLAIN = "-text"  # what is called so is lines of text, to be copied
_PRINTED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
}


class Note(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    key: Key


class HandOver(msgspec.Struct, forbid_unknown_fields=True):
    """to: name of the user who takes over."""

    to: str
    text: str
    key: Key


class TakeOver(msgspec.Struct, forbid_unknown_fields=True):
    """n: the number of the hand-over in the record."""

    n: int
    key: Key


class Verified(msgspec.Struct, forbid_unknown_fields=True):
    incident: str
    text: str
    key: Key


class ShiftDesk(Desk):
    """sources: of pages to print, and of the desk's signature."""

    def __init__(self, tools: Tools, sources: Sources) -> None:
        super().__init__(tools, _A_MINUTE)
        self._sources = sources

    def routes(self) -> list[Route]:
        post = ["POST"]
        return [
            Route("/api/shift", self._read, methods=["GET"]),
            Route("/api/shift.csv", self._csv, methods=["GET"]),
            Route("/api/notes", self._writing(Note, self._note), methods=post),
            Route("/api/handover", self._writing(HandOver, self._hand_over), methods=post),
            Route("/api/takeover", self._writing(TakeOver, self._take_over), methods=post),
            Route("/api/verify", self._writing(Verified, self._verify), methods=post),
            Route("/print/{name}", self._print, methods=["GET"]),
        ]

    # ---- reading

    def _lines(self, request: Request) -> list[LogLine]:
        text, kind = request.query_params.get("text", ""), request.query_params.get("kind", "")
        if kind and kind not in KINDS:
            raise Refused(
                422,
                Text(
                    f"没有这一类 {kind[:20]!r}，有：{', '.join(KINDS)}",
                    f"no kind {kind[:20]!r}: {', '.join(KINDS)}",
                ),
            )
        entries: list[Entry] = self._feed.read(lambda _, trail: list(trail.shift.entries))
        noted = [row[1:] for row in reversed(self._users.newest(KEPT, PICTURE))]
        return ordered(self._feed.district, [*entries, *at_the_desk(noted)], text, kind)

    def _read(self, request: Request) -> Response:
        self._user(request)
        lines = self._lines(request)
        feed = self._feed
        open_ = feed.read(lambda view, trail: matters(feed.district, view, trail, feed.clock()))
        found: ShiftPage = {
            "entries": lines[:SHOWN],
            "count": len(lines),
            "matters": open_,
            "handover": self._handed(),
            "people": [u.name for u in self._users.everybody() if ACTS_OF[u.role]],
            "prints": sorted(self._sources.prints),
        }
        return to_json(found)

    def _handed(self) -> HandedOver | None:
        """The hand-over that nobody has taken yet."""
        for n, at, who, what, detail in self._users.newest(KEPT, PICTURE):
            if what == "take over":
                return None
            if what == "hand over":
                text = detail_at_the_desk(what, detail)
                return {"n": n, "at": at, "from": who, "to": zh(text).split(" ")[0], "text": text}
        return None

    def _csv(self, request: Request) -> Response:
        self._user(request)
        zone = ZoneInfo(self._feed.district.timezone)
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow(("time", "kind", "who", "area", "place", "zh", "en"))
        for e in reversed(self._lines(request)):
            at = datetime.fromtimestamp(e["at"] / 1000, zone).isoformat(timespec="seconds")
            rest = (e["kind"], e["who"], e["area"], e["place"], e["zh"], e["en"])
            rows.writerow((at, *map(_cell, rest)))
        name = f"shift-log-{self._feed.run.name}.csv"
        return Response(
            "\ufeff" + out.getvalue(),  # a spreadsheet takes it for UTF-8 by this mark
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _print(self, request: Request) -> Response:
        await run_in_threadpool(self._user, request)
        make = self._sources.prints.get(request.path_params["name"])
        if make is None:
            raise Refused(404, Text("没有这种打印页", "there is no such page to print"))
        try:
            asked = request.query_params
            what = asked.get("run") or asked.get("incident", "")
            page = await run_in_threadpool(make, what, language_of(request))
        except ValueError as e:
            raise Refused(404, text_of(e)) from e
        form = "text/plain" if request.path_params["name"].endswith(_PLAIN) else "text/html"
        return Response(page, media_type=f"{form}; charset=utf-8", headers=_PRINTED)

    # ---- writing

    def _writing(self, kind: type[Any], act: Callable[[User, Any], Any]) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            return await self._take(request, self._writer, kind, act)

        return endpoint

    def _writer(self, request: Request) -> User:
        user = self._acting(request)
        if user.role == "viewer":
            raise Refused(403, Text("角色 viewer 只能查看", "a viewer may look only"))
        return user

    def _put(self, user: User, what: str, detail: str) -> Put:
        self._users.note(self._feed.at(), user.name, what, detail)
        return {"n": self._users.newest(1)[0][0]}

    def _note(self, user: User, note: Note) -> Put:
        return self._put(user, "note", _short(note.text, needed=True))

    def _hand_over(self, user: User, asked: HandOver) -> Put:
        takers = [u.name for u in self._users.everybody() if ACTS_OF[u.role]]
        if not ACTS_OF[user.role]:
            raise Refused(
                403, Text(f"角色 {user.role} 不值班", f"the role {user.role} is not on duty")
            )
        if asked.to not in takers or asked.to == user.name:
            raise Refused(422, Text("请选接班的人", "choose who takes over"))
        text, feed = _short(asked.text, needed=False), self._feed
        known = feed.read(lambda view, trail: matters(feed.district, view, trail, feed.clock()))
        listed = joined(known, Text("；", "; ")) if known else Text("无", "nothing")
        said = Text(f"；嘱托：{text}", f"; to know: {text}") if text else ""
        words = Text(f"{asked.to} 接班。未了事项：", f"{asked.to} takes over. Open: ") + listed
        return self._put(user, "hand over", paired(words + said))

    def _take_over(self, user: User, asked: TakeOver) -> Put:
        open_ = self._handed()
        if open_ is None or open_["n"] != asked.n:
            raise Refused(409, Text("这次交班已被接下", "this was taken over already"))
        if open_["to"] != user.name:
            raise Refused(
                403, Text(f"这是交给 {open_['to']} 的", f"it was handed to {open_['to']}")
            )
        words = Text(f"接 {open_['from']} 的班", f"from {open_['from']}")
        return self._put(user, "take over", paired(words))

    def _verify(self, user: User, asked: Verified) -> Came:
        if not self._decides(user):
            raise Refused(
                403, Text(f"角色 {user.role} 不能核报", f"the role {user.role} may not verify")
            )
        text = _short(asked.text, needed=True)
        self._users.note(self._feed.at(), user.name, "verify", f"{asked.key} {asked.incident}")
        wanted = Decision(
            area="", hazard="", act="verify", by=user.officer, decided_at=self._feed.clock(),
            reason=text, order=asked.key, incident=asked.incident,
        )  # fmt: skip
        log = self._open_log()
        try:
            answer = submit(log, [wanted], _WAIT_S, self._sources.sign).get(("", "", ""))
        except ValueError as e:
            raise Refused(
                503,
                Text(f"未能签名，没有记录：{zh(e)}", f"not signed, nothing was recorded: {en(e)}"),
            ) from e
        finally:
            log.close()
        if answer is None:
            return {"outcome": "queued", "words": QUEUED}
        return {"outcome": answer.outcome, "words": answer.answer}


def _short(text: str, *, needed: bool) -> str:
    found = text.strip()
    if needed and not found:
        raise Refused(422, Text("没有内容", "nothing is written"))
    if len(found) > NOTE:
        raise Refused(
            413,
            Text(
                f"太长：{len(found)} 字，最多 {NOTE} 字；没有保存，请分开写",
                f"too long: {len(found)} characters, {NOTE} at most; nothing was kept, write it "
                "in parts",
            ),
        )
    return found


def _cell(text: str) -> str:
    """What a spreadsheet would take for a formula is text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
