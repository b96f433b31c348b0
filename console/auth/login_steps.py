"""What the door asks for after the password, and what each user may do about their own log-in.

GET  /api/login/step         what is asked for of this half-open session
POST /api/login/code         a code of the app or the card
POST /api/login/change       another password
POST /api/login/offer        an app's secret or a card of codes, shown once
POST /api/login/confirm      a code of what was offered: it counts from now on
POST /api/login/later        enter without, a few times

`change`, `offer` and `confirm` are for whoever has entered, too.
"""

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

import msgspec
import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, text_of
from console.auth.accounts import User, Users
from console.auth.door_answers import LoginStep, OfferedFactor
from console.auth.hashing import Desks
from console.auth.requests import Refused, read_body, to_json
from console.auth.totp import shown, uri
from console.pages.feed import Feed

_T = TypeVar("_T")


class Code(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """old: of who has entered already."""

    password: Annotated[str, msgspec.Meta(max_length=1000)]
    old: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class Offer(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["app", "card"]


class At(msgspec.Struct):
    """Who goes through the door, and how far. token: of the session. step: "" who has entered."""

    user: User
    token: str
    step: str
    browser: str  # a known one's place, or ""


class LoginSteps:
    """at: who asks (raises Refused). entered: the answer to who is in, with cookies."""

    def __init__(
        self,
        feed: Feed,
        users: Users,
        desks: Desks,
        at: Callable[[Request], At],
        entered: Callable[[Request, User, str], Response],
        now: Callable[[], int],
    ) -> None:
        self._feed, self._users, self._desks = feed, users, desks
        self._at, self._entered, self._now = at, entered, now

    def routes(self) -> list[Route]:
        post = ["POST"]
        return [
            Route("/api/login/step", self._step, methods=["GET"]),
            Route("/api/login/code", self._code, methods=post),
            Route("/api/login/change", self._change, methods=post),
            Route("/api/login/offer", self._offer, methods=post),
            Route("/api/login/confirm", self._confirm, methods=post),
            Route("/api/login/later", self._later, methods=post),
        ]

    def asked(self, user: User, step: str) -> LoginStep:
        """What the page needs for a step."""
        return {"step": step, "name": user.name, "later": self._users.later(user.name)}

    async def _given(self, request: Request, kind: type[_T]) -> _T:
        """What somebody sent who has shown a password: of nobody else anything is read. Raises Refused."""
        await run_in_threadpool(self._at, request)
        return await read_body(request, kind)

    def _step(self, request: Request) -> Response:
        at = self._at(request)
        return to_json(self.asked(at.user, at.step))

    def go_on(self, request: Request, at: At, given: str) -> Response:
        """Whatever is asked for next, or in."""
        step = self._users.step(at.user, self._now(), given)
        self._users.sessions.go_on(at.token, step)
        if step:
            return to_json(self.asked(at.user, step))
        return self._entered(request, at.user, at.token)

    async def _code(self, request: Request) -> Response:
        given = await self._given(request, Code)
        return await self._desks.known(lambda: self._take_code(request, given.code))

    def _take_code(self, request: Request, code: str) -> Response:
        at, now = self._at(request), self._now()
        if at.step != "code":
            raise Refused(409, Text("现在不要验证码", "no code is asked for now"))
        users, name = self._users, at.user.name
        where = f"code {at.browser}".strip()
        self._wait(name, where)
        how = users.factors.check(name, code, now)
        if not how:
            users.attempts.refused(name, where, now)
            users.record.refused(self._feed.at(), name, "second factor")
            self._wait(name, where)
            raise Refused(403, Text("验证码不对", "wrong code"))
        users.attempts.passed(name, where)
        left = users.factors.left(name)
        users.note(
            self._feed.at(), name, "second factor", f"{how}" + f", {left} left" * (how == "card")
        )
        return self.go_on(request, at, "code")

    def _wait(self, name: str, where: str) -> None:
        """Whoever comes here knows the password; a guess at six figures is worth slowing down."""
        if wait := self._users.attempts.wait_ms(name, where, self._now()):
            raise Refused(
                429,
                Text(
                    f"验证码错得太多，{-(-wait // 1000)} 秒后再试",
                    f"too many wrong codes: wait {-(-wait // 1000)} s",
                ),
            )

    async def _change(self, request: Request) -> Response:
        given = await self._given(request, PasswordChange)
        return await self._desks.known(lambda: self._choose(request, given))

    def _choose(self, request: Request, given: PasswordChange) -> Response:
        at, now = self._at(request), self._now()
        if at.step not in ("", "change"):
            raise Refused(409, Text("先过前一步", "another step comes first"))
        if not at.step:
            where = at.browser or "own password"
            tried = self._users.check(at.user.name, given.old, where, now)
            if not tried.right:
                raise Refused(403, Text("原口令不对", "the old password is wrong"))
        try:
            self._users.choose(at.user.name, given.password, now, at.token)
        except ValueError as e:
            raise Refused(422, text_of(e)) from e
        self._users.note(self._feed.at(), at.user.name, "own password changed", "")
        return self.go_on(request, at, "change") if at.step else to_json({})

    async def _offer(self, request: Request) -> Response:
        given = await self._given(request, Offer)
        return await self._desks.known(lambda: self._show(request, given))

    def _show(self, request: Request, given: Offer) -> Response:
        at = self._at(request)
        if at.step not in ("", "factor"):
            raise Refused(409, Text("先过前一步", "another step comes first"))
        found = self._users.factors.offer(at.user.name, given.kind, self._now())
        answer: OfferedFactor = {"kind": found.kind, "codes": found.codes}
        if given.kind == "app":
            address = uri(found.secret, at.user.name, f"fengsui-{self._feed.district.id}")
            picture = segno.make(address, error="m").svg_data_uri(
                scale=5, border=4, light="#fff", dark="#000"
            )
            answer |= {"secret": shown(found.secret), "uri": address, "picture": picture}
        return to_json(answer)

    async def _confirm(self, request: Request) -> Response:
        given = await self._given(request, Code)
        return await self._desks.known(lambda: self._take_confirmation(request, given.code))

    def _take_confirmation(self, request: Request, code: str) -> Response:
        at, now = self._at(request), self._now()
        if at.step not in ("", "factor"):
            raise Refused(409, Text("先过前一步", "another step comes first"))
        name = at.user.name
        self._wait(name, "new code")
        if not self._users.factors.confirm(name, code, now):
            self._users.attempts.refused(name, "new code", now)
            raise Refused(
                403,
                Text(
                    "验证码不对：看手机时间是否准，或从头再来",
                    "wrong code: is the telephone's clock right? or begin again",
                ),
            )
        self._users.attempts.passed(name, "new code")
        kind = self._users.factors.kind(name)
        self._users.note(self._feed.at(), name, "second factor made", kind)
        return self.go_on(request, at, "factor") if at.step else to_json({})

    async def _later(self, request: Request) -> Response:
        return await self._desks.known(lambda: self._put_off(request))

    def _put_off(self, request: Request) -> Response:
        at = self._at(request)
        if at.step != "factor" or not self._users.later(at.user.name):
            raise Refused(
                409, Text("不能再推迟；用卡片一分钟就好", "no more: a card takes a minute")
            )
        left = self._users.later(at.user.name, take=True)
        self._users.note(self._feed.at(), at.user.name, "second factor put off", str(left))
        return self.go_on(request, at, "factor")
