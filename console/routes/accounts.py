"""Accounts over HTTP, for administrators; and the record, for who may read it.

GET  /api/accounts           everybody, without a secret
POST /api/account            add, role, password, unlock, factor, link, remove
GET  /api/record             the newest entries, and whether all are as they were written

Where `separate_administrators` is set (等保三级，三员分立) no one hand is enough: the administrator makes
accounts and passwords, security gives roles and takes second factors away, the auditor reads the record.
"""

import secrets
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, text_of
from console.auth.accounts import ROLES, User, may
from console.auth.door_answers import AccountRow, Accounts, AccountsRecord
from console.auth.password_rules import wrong
from console.auth.record import End
from console.auth.requests import Refused, to_json
from console.model.desk_record import detail_at_the_desk, done_at_the_desk
from console.routes.desk import Desk, Key, Tools

SHOWN = 300
_A_MINUTE = 30


class Account(msgspec.Struct, forbid_unknown_fields=True):
    act: Literal["add", "role", "password", "unlock", "factor", "link", "remove"]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    key: Key
    role: str = ""
    officer: Annotated[str, msgspec.Meta(max_length=40)] = ""


def for_once(name: str) -> str:
    """A password that is told to somebody, who chooses another when they enter."""
    while wrong(found := secrets.token_urlsafe(9), name):
        pass
    return found


class AccountDesk(Desk):
    """ends: where the ledger saw the record end."""

    def __init__(
        self, tools: Tools, ends: Callable[[], Iterable[End]], now: Callable[[], int]
    ) -> None:
        super().__init__(tools, _A_MINUTE)
        self._ends, self._now = ends, now

    def routes(self) -> list[Route]:
        return [
            Route("/api/accounts", self._everybody, methods=["GET"]),
            Route("/api/account", self._account, methods=["POST"]),
            Route("/api/record", self._record, methods=["GET"]),
        ]

    def _allowed(self, user: User, what: str = "") -> User:
        mine = may(user, self._users.door)
        if not mine or (what and what not in mine):
            words = Text(f"角色 {user.role} 无此权限", f"the role {user.role} may not do this")
            self._refuse(user, "refused at the accounts", what, words)
        return user

    def _everybody(self, request: Request) -> Response:
        self._allowed(self._user(request))
        rows: list[AccountRow] = []
        for u in self._users.everybody():
            kind = self._users.factors.kind(u.name)
            rows.append(
                {
                    "name": u.name,
                    "role": u.role,
                    "officer": u.officer,
                    "factor": kind,
                    "codes": self._users.factors.left(u.name) if kind else 0,
                    "held": self._users.attempts.held(u.name, self._now()),
                    "change": self._users.must_change(u.name),
                }
            )
        separate = self._users.door.separate_administrators
        found: Accounts = {"users": rows, "roles": list(ROLES[:1] if separate else ROLES)}
        return to_json(found)

    def _record(self, request: Request) -> Response:
        self._allowed(self._user(request), "record")
        found: AccountsRecord = {"wrong": "", "count": self._users.record.end().n, "entries": []}
        try:
            self._users.noted(self._ends())
        except ValueError as e:
            found["wrong"] = text_of(e)
        found["entries"] = [
            {
                "n": n,
                "at": at,
                "who": who,
                "what": done_at_the_desk(what),
                "detail": detail_at_the_desk(what, detail),
            }
            for n, at, who, what, detail in self._users.newest(SHOWN)
        ]
        return to_json(found)

    async def _account(self, request: Request) -> Response:
        return await self._take(request, self._acting, Account, self._act)

    def _act(self, user: User, asked: Account) -> dict[str, str]:
        self._allowed(user, asked.act)
        known = self._users.known(asked.name)
        if asked.act != "add" and known is None:
            raise Refused(404, Text(f"没有用户 {asked.name}", f"no user {asked.name}"))
        if asked.act == "add" and known is not None:
            raise Refused(409, Text(f"已有用户 {asked.name}", f"there is a user {asked.name}"))
        if asked.name == user.name:
            raise Refused(
                409, Text("自己的帐号请别人来改", "your own account is for another to change")
            )
        if asked.officer and asked.officer not in self._feed.district.officers:
            raise Refused(
                422,
                Text(f"officers.csv 没有 {asked.officer}", f"officers.csv has no {asked.officer}"),
            )
        if asked.act in ("add", "role") and asked.role not in ROLES:
            raise Refused(422, Text(f"角色：{', '.join(ROLES)}", f"role: {', '.join(ROLES)}"))
        plain = asked.role == "viewer" and not asked.officer
        if asked.act == "add" and not plain and "role" not in may(user, self._users.door):
            raise Refused(
                403,
                Text(
                    "新用户先是 viewer，角色由安全管理员给",
                    "a new user is a viewer first: security gives the role",
                ),
            )
        told, words = self._done(asked, known or User(asked.name, asked.role, asked.officer))
        self._users.note(self._feed.at(), user.name, words, _detail(asked))
        return told

    def _done(self, asked: Account, known: User) -> tuple[dict[str, str], str]:
        users, now = self._users, self._now()
        match asked.act:
            case "add":
                password = for_once(asked.name)
                try:
                    users.add(asked.name, asked.role, asked.officer, password, now=now, change=True)
                except ValueError as e:
                    raise Refused(422, text_of(e)) from e
                return {"password": password}, "user added"
            case "password":
                password = for_once(asked.name)
                users.add(known.name, known.role, known.officer, password, now=now, change=True)
                return {"password": password}, "new password given"
            case "role":
                users.give(asked.name, asked.role, asked.officer)
                return {}, "role given"
            case "unlock":
                users.attempts.free(asked.name)
                return {}, "user unlocked"
            case "factor":
                users.factors.forget(asked.name)
                users.sessions.end(asked.name)
                return {}, "second factor taken away"
            case "link":
                return {"link": f"/enter?once={users.link(asked.name, now)}"}, "link made"
            case "remove":
                users.remove(asked.name)
                return {}, "user removed"


def _detail(asked: Account) -> str:
    more = f" {asked.role} {asked.officer}" if asked.act in ("add", "role") else ""
    return (asked.name + more).rstrip()
