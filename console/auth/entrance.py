"""The door over HTTP: who asks, log-in, and what slows guessing down.

GET  /enter?once=TOKEN       in by a link that works once
GET  /api/me                 who I am
POST /api/login /api/logout      what is asked for after the password: console/auth/login_steps.py

Whoever logs in is looked at by name and place (console/auth/attempts.py). The place is a cookie that this
browser was given when that user last entered from it, or else the network address: that of the
connection, or what a proxy that was named says. Known browsers have a place of their own where
passwords are hashed, and no limit by address.
"""

import time
from base64 import b64decode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from config.language import Text
from console.auth.accounts import ACTS_OF, User, Users, may
from console.auth.door_answers import Me
from console.auth.hashing import Desks
from console.auth.login_steps import At, LoginSteps
from console.auth.requests import Login, Rate, Refused, read_body, to_json
from console.auth.sessions import KNOWN_MS
from console.model.picture import DoorRow, Picture
from console.pages.feed import Feed
from stream.pace.rate_limit import network_of

_LOGINS_A_MINUTE = 10  # from one address, of browsers that are not known
_CALLS_A_MINUTE = 600  # of a program
_TOLD_MS = 10 * 60_000  # the duty room hears once in so long that a name is being guessed at


class Entrance:
    """secure: browsers come by https."""

    def __init__(self, feed: Feed, users: Users, *, secure: bool) -> None:
        self._feed, self._users, self._secure = feed, users, secure
        self._cookie = f"fengsui-{feed.run.name}"
        self._browser = f"fengsui-{feed.run.name}-browser"
        self._desks = Desks()
        self._logins, self._guesses = Rate(_LOGINS_A_MINUTE), Rate(_LOGINS_A_MINUTE)
        self._calls = Rate(_CALLS_A_MINUTE)
        self._told: dict[str, int] = {}
        self._steps = LoginSteps(feed, users, self._desks, self._at, self._entered, _now)

    def close(self) -> None:
        self._desks.close()

    def routes(self) -> list[Route]:
        post = ["POST"]
        return [
            Route("/enter", self._enter, methods=["GET"]),
            Route("/api/me", self._me, methods=["GET"]),
            Route("/api/login", self._login, methods=post),
            Route("/api/logout", self._logout, methods=post),
            *self._steps.routes(),
        ]

    # ---- who asks

    def who(self, request: Request) -> User | None:
        """By the token that a program brings, else by the page's cookie."""
        if bearer := request.headers.get("authorization", ""):
            kind, _, token = bearer.partition(" ")
            return self._users.of_token(token, _now()) if kind.lower() == "bearer" else None
        return self._users.of(request.cookies.get(self._cookie, ""), _now())

    def user(self, request: Request) -> User:
        """Raises Refused where nobody has entered."""
        user = self.who(request)
        if "authorization" not in request.headers:
            if user is None:
                raise Refused(401, Text("请登录", "please log in"))
        elif user is None:
            self._guesses.take(_host(request))
            raise Refused(401, Text("令牌无效或已撤销", "no such token, or it was revoked"))
        else:
            self._calls.take(user.name)
        return user

    def reader(self, request: Request) -> User:
        """The same for what can only be read: a program that knows no bearer brings its token as the password
        of HTTP Basic. Nowhere else: a browser sends that again by itself, whatever page asks for it."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return self.user(request)
        try:
            token = b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            token = ""
        user = self._users.of_token(token, _now())
        if user is None:
            self._guesses.take(_host(request))
            raise Refused(401, Text("令牌无效或已撤销", "no such token, or it was revoked"))
        self._calls.take(user.name)
        return user

    def sure(self, request: Request) -> User:
        """Whoever asks for a change also names what only their own page knows."""
        user = self.user(request)
        if "authorization" in request.headers:
            return user  # no page of another makes a browser send that
        if request.headers.get("x-csrf") != user.csrf:
            raise Refused(403, Text("请求不是从本页发出", "not sent by this page"))
        return user

    # ---- coming and going

    def _enter(self, request: Request) -> Response:
        now = _now()
        token = self._users.enter_by_link(request.query_params.get("once", ""), now)
        answer = RedirectResponse("/", 303)
        session = self._users.sessions.of(token, now)
        if session is None:
            return answer  # the page asks for a name and a password
        self._users.note(self._feed.at(), session.name, "enter", "link")
        return self._with_cookie(answer, self._cookie, token)

    def _me(self, request: Request) -> Response:
        return to_json(self._self(self.user(request)))

    async def _login(self, request: Request) -> Response:
        if request.headers.get("x-fengsui") != "1":
            raise Refused(403, Text("请求不是从本页发出", "not sent by this page"))
        given, host = await read_body(request, Login), _host(request)
        browser = request.cookies.get(self._browser, "")
        known = await run_in_threadpool(self._users.sessions.known, given.name, browser, _now())
        if known:
            return await self._desks.known(lambda: self._let_in(given, known, browser))
        self._logins.take(host)
        return await self._desks.stranger(lambda: self._let_in(given, host, browser))

    def _let_in(self, given: Login, where: str, browser: str) -> Response:
        now = _now()
        tried = self._users.check(given.name, given.password, where, now)
        user = self._users.known(given.name)
        if not tried.right or user is None:
            # of a name that nobody has nothing is kept: people type passwords there
            who = user.name if user else "?"
            self._users.record.refused(self._feed.at(), who, where)
            self._tell(given.name, who, now)
            raise Refused(429 if tried.wait_ms else 403, _refusal(tried.wait_ms))
        step = self._users.step(user, now, "password")
        token = self._users.sessions.begin(user.name, user.role, now, step)
        self._users.note(self._feed.at(), user.name, "password" if step else "enter", where)
        if step:
            answer = to_json(self._steps.asked(user, step))
            return self._with_cookie(answer, self._cookie, token)
        return self._remembered(user, token, browser)

    def _remembered(self, user: User, token: str, browser: str) -> Response:
        """Who has entered, and their browser is known from now on."""
        now = _now()
        entered = self._users.of(token, now)
        if entered is None:
            raise Refused(401, Text("请登录", "please log in"))
        answer = self._with_cookie(to_json(self._self(entered)), self._cookie, token)
        browser = self._users.sessions.remember(user.name, browser, now)
        return self._with_cookie(answer, self._browser, browser, KNOWN_MS // 1000)

    def _entered(self, request: Request, user: User, token: str) -> Response:
        self._users.note(self._feed.at(), user.name, "enter", _host(request))
        return self._remembered(user, token, request.cookies.get(self._browser, ""))

    def _at(self, request: Request) -> At:
        """Who has shown a password at least; whoever asks for a change comes from this page."""
        token, now = request.cookies.get(self._cookie, ""), _now()
        session = self._users.sessions.of(token, now)
        user = self._users.known(session.name) if session else None
        if session is None or user is None:
            raise Refused(401, Text("请登录", "please log in"))
        if request.method != "GET":
            fresh = request.headers.get("x-fengsui") == "1"
            if not fresh or (not session.step and request.headers.get("x-csrf") != session.csrf):
                raise Refused(403, Text("请求不是从本页发出", "not sent by this page"))
        browser = request.cookies.get(self._browser, "")
        return At(user, token, session.step, self._users.sessions.known(user.name, browser, now))

    def _tell(self, name: str, who: str, now: int) -> None:
        """A word to the duty room where somebody guesses at a password: on record, and so in the
        shift log; the pages show it as long as it goes on (`guessed`)."""
        for g in self._users.attempts.guessed(now):
            if g.name == name and now - self._told.get(who, -_TOLD_MS) >= _TOLD_MS:
                self._told[who] = now
                self._users.note(self._feed.at(), who, "guessed at", f"{g.failed} {g.places}")

    def guessed(self) -> Picture:
        """Part of the picture: whose password is being guessed at now."""
        found: dict[str, DoorRow] = {}
        for g in self._users.attempts.guessed(_now()):
            who = g.name if self._users.known(g.name) else "?"
            row = found.setdefault(who, {"failed": 0, "places": 0})
            row["failed"], row["places"] = row["failed"] + g.failed, row["places"] + g.places
        return {"door": found}

    def _self(self, user: User) -> Me:
        """factor: app, card, or "" none; codes: how many are left on the card; may: about others'
        accounts."""
        acts = ACTS_OF[user.role] if user.officer else ()
        factors = self._users.factors
        return {
            "name": user.name,
            "role": user.role,  # type: ignore[typeddict-item]  # of a checked table
            "officer": user.officer,
            "csrf": user.csrf,
            "ends_at": user.ends_at,
            "acts": list(acts),
            "factor": factors.kind(user.name),  # type: ignore[typeddict-item]  # as they are kept
            "codes": factors.left(user.name),
            "may": list(may(user, self._users.door)),
        }

    def _logout(self, request: Request) -> Response:
        user = self.sure(request)
        self._users.leave(request.cookies.get(self._cookie, ""))
        self._users.note(self._feed.at(), user.name, "leave", "")
        return to_json({})

    def _with_cookie(self, answer: Response, name: str, value: str, age_s: int = 0) -> Response:
        answer.set_cookie(
            name,
            value,
            max_age=age_s or None,
            httponly=True,
            samesite="strict",
            secure=self._secure,
            path="/",
        )
        return answer


def _now() -> int:
    return int(time.time() * 1000)


def _host(request: Request) -> str:
    return network_of(request.client.host if request.client else "")


def _refusal(wait_ms: int) -> Text:
    if not wait_ms:
        return Text("用户名或口令不对", "wrong name or password")
    seconds = -(-wait_ms // 1000)
    return Text(
        f"从这里错得太多，{seconds} 秒后再试；从用过的浏览器或别处照常能登录",
        f"too many wrong ones from here: wait {seconds} s; a browser you have used "
        "before, or another place, still lets you in",
    )
