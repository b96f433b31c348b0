"""Every route of the duty room, asked by whoever has no right to it: nobody, each role, a page that is
not ours, a token. What each may do stands in one table; a route that is not in it fails the test."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from config.records.door import Door
from console.auth.accounts import ACTS_OF, ROLES, User, Users, may
from console.serve import Listen, serving
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from stream.wall_clock import now_ms
from tests.support.console_door import PASSWORD, Caller
from tests.support.decide_district import T0, yanqing

EVERYBODY = frozenset(ROLES)
ACTING = frozenset(role for role in ROLES if ACTS_OF[role])
NOT_VIEWERS = EVERYBODY - {"viewer"}
KEEPERS = frozenset({"administrator", "security", "auditor"})  # of the accounts
KEY = "0123456789abcdef"
_COUNT = itertools.count(1)
PLACE = {"area": "A01", "hazard": "flash_flood"}
OFFICERS = {"duty": "D-02", "approver": "K-01"}


@dataclass(frozen=True)
class May:
    """Who may ask for it, by role. body: one that is well formed, so that a refusal speaks of the
    right and of nothing else. at: the path with its names filled in."""

    roles: frozenset[str]
    body: dict[str, Any] = field(default_factory=dict)
    at: str = ""


# what can be asked without having entered: the door itself, and the document, which tells no secret
DOOR = {
    ("get", "/api/openapi.json"), ("get", "/enter"), ("post", "/api/login"), ("get", "/api/login/step"),
    ("post", "/api/login/code"), ("post", "/api/login/change"), ("post", "/api/login/offer"),
    ("post", "/api/login/confirm"), ("post", "/api/login/later"), ("post", "/api/logout"),
}  # fmt: skip
TABLE = {
    ("get", "/api/me"): May(EVERYBODY),
    ("get", "/api/ground"): May(EVERYBODY),
    ("get", "/api/terrain"): May(EVERYBODY),
    ("get", "/api/map.pmtiles"): May(EVERYBODY),
    ("get", "/api/snapshot"): May(EVERYBODY),
    ("get", "/api/past"): May(EVERYBODY),
    ("get", "/api/series/{station}"): May(EVERYBODY, at="/api/series/R01"),
    ("get", "/api/texts/{alert}"): May(EVERYBODY, at="/api/texts/w"),
    ("get", "/api/resources"): May(EVERYBODY),
    ("get", "/api/downstream/{area}"): May(EVERYBODY, at="/api/downstream/A01"),
    ("get", "/api/missed/{area}"): May(EVERYBODY, at="/api/missed/A01"),
    ("get", "/api/subscribers"): May(EVERYBODY),
    ("get", "/api/shift"): May(EVERYBODY),
    ("get", "/api/shift.csv"): May(EVERYBODY),
    ("get", "/api/history/{place}"): May(EVERYBODY, at="/api/history/R01"),
    ("get", "/api/frame/{digest}"): May(EVERYBODY, at="/api/frame/" + "0" * 64),
    ("get", "/api/outside"): May(EVERYBODY),
    ("get", "/api/dead"): May(EVERYBODY),
    ("get", "/api/warnings.geojson"): May(EVERYBODY),
    ("get", "/api/findings"): May(EVERYBODY),
    ("get", "/api/asked/{name}"): May(EVERYBODY, at="/api/asked/config"),
    ("get", "/api/cap/{name}"): May(EVERYBODY, at="/api/cap/feed.atom"),
    ("get", "/print/{name}"): May(EVERYBODY, at="/print/initial?incident=none"),
    ("get", "/sta/v1.1"): May(EVERYBODY),
    ("get", "/sta/v1.1/{path}"): May(EVERYBODY, at="/sta/v1.1/Things"),
    ("get", "/api/accounts"): May(KEEPERS),
    ("get", "/api/record"): May(frozenset({"administrator", "auditor"})),
    ("post", "/api/account"): May(
        KEEPERS - {"auditor"}, {"act": "unlock", "name": "screen", "key": KEY}
    ),
    ("post", "/api/calls"): May(ACTING, {"area": "A01"}),
    ("post", "/api/words"): May(ACTING, {"key": KEY}),
    ("post", "/api/resend"): May(ACTING, {"area": "A01", "key": KEY}),
    ("post", "/api/service"): May(
        ACTING, {"thing": "R01", "minutes": 30, "reason": "cleaned", "key": KEY}
    ),
    ("post", "/api/person"): May(frozenset({"administrator"}), {"id": "c1"}),
    ("post", "/api/erase"): May(
        frozenset({"administrator"}), {"id": "c1", "reason": "asked", "key": KEY}
    ),
    ("post", "/api/notes"): May(NOT_VIEWERS, {"text": "a note", "key": KEY}),
    ("post", "/api/handover"): May(ACTING, {"to": "nobody", "text": "", "key": KEY}),
    ("post", "/api/takeover"): May(NOT_VIEWERS, {"n": 1, "key": KEY}),
    ("post", "/api/verify"): May(
        ACTING, {"incident": "none", "text": " ", "key": KEY}
    ),  # no words: 422
}

ACTS = sorted({act for acts in ACTS_OF.values() for act in acts} | {"no such act"})


@dataclass
class Room:
    """A duty room with somebody of each role, and its log. callers, tokens: who has entered, and
    programs, by role."""

    setup: Setup
    users: Users
    callers: dict[str, Caller]
    tokens: dict[str, str]
    stranger: Caller

    def written(self) -> list[tuple[str, list[int]]]:
        """How much stands in each topic of the log."""
        log = open_run_log(self.setup)
        try:
            return [(topic, log.ends(topic)) for topic in sorted(log.topics)]
        finally:
            log.close()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    setup = make_setup(yanqing(), "exercise-rights", tmp_path_factory.mktemp("rights"), start_at=T0)
    users = Users(setup.folder)
    for role in ROLES:
        users.add(role, role, OFFICERS.get(role, ""), PASSWORD)
    users.add("screen", "viewer", "", PASSWORD)
    with serving(
        setup.district, setup.run, lambda: open_run_log(setup), users, Listen(), now=now_ms
    ) as address:
        callers = {role: Caller(address) for role in ROLES}
        for role, caller in callers.items():
            caller.enter(role)
        tokens = {role: users.issue(f"of-{role}", role, OFFICERS.get(role, "")) for role in ROLES}
        yield Room(setup, users, callers, tokens, Caller(address))
    users.close()


def fresh(body: dict[str, Any]) -> dict[str, Any]:
    """The body with a key of its own, as a page makes one for each press."""
    return {**body, "key": f"{next(_COUNT):016x}"} if "key" in body else body


def ask(caller: Caller, method: str, path: str, of: May, **more: str) -> int:
    body = fresh(of.body) if method == "post" else None
    return caller.ask(method.upper(), of.at or path, body, **more)[0]


def test_the_table_names_every_route(room: Room) -> None:
    document = json.loads(room.stranger.ask("GET", "/api/openapi.json")[2])
    routes = {(m, path) for path, of in document["paths"].items() for m in of}
    apart = {("get", "/api/stream"), ("post", "/api/acts")}  # each has a test of its own below
    assert routes == DOOR | set(TABLE) | apart


@pytest.mark.parametrize(("method", "path"), sorted(TABLE))
def test_whoever_has_not_entered_learns_and_does_nothing(
    room: Room, method: str, path: str
) -> None:
    before = room.written()
    assert ask(room.stranger, method, path, TABLE[method, path]) == 401
    guess = {"Authorization": "Bearer guess", "x_csrf": room.callers["approver"].csrf}
    assert ask(room.stranger, method, path, TABLE[method, path], **guess) in (401, 429)
    assert room.written() == before


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path"), sorted(TABLE))
def test_each_role_may_what_the_table_says_and_no_more(
    room: Room, method: str, path: str, role: str
) -> None:
    of, caller, before = TABLE[method, path], room.callers[role], room.written()
    status = ask(caller, method, path, of, x_csrf=caller.csrf)
    if role in of.roles:
        assert status not in (401, 403, 405, 500), status
    else:
        assert status == 403
        assert room.written() == before


@pytest.mark.parametrize(("method", "path"), sorted(k for k in TABLE if k[0] == "post"))
def test_a_page_that_is_not_ours_does_nothing_in_anybodys_name(
    room: Room, method: str, path: str
) -> None:
    """It has the browser's cookie, and not the word that our own page was given."""
    before = room.written()
    for role, caller in room.callers.items():
        for word in ({}, {"x_csrf": "guess"}, {"x_csrf": room.callers["security"].csrf}):
            if role != "security":
                assert ask(caller, method, path, TABLE[method, path], **word) == 403, (role, word)
    assert room.written() == before


@pytest.mark.parametrize("way", ["page", "token"])
@pytest.mark.parametrize(
    ("role", "act"), [(r, act) for r in ROLES for act in ACTS if act not in ACTS_OF[r]]
)
def test_an_act_is_refused_to_the_roles_that_have_it_not(
    room: Room, act: str, role: str, way: str
) -> None:
    body = {"act": act, "reason": "tried", "key": KEY, "places": [PLACE]}
    before = room.written()
    if way == "page":
        caller = room.callers[role]
        status = caller.ask("POST", "/api/acts", body, x_csrf=caller.csrf)[0]
    else:
        given = {"Authorization": f"Bearer {room.tokens[role]}"}
        status = room.stranger.ask("POST", "/api/acts", body, **given)[0]
    assert status == 403
    assert room.written() == before


# acts upon other people's accounts: where one administrator does all, and where three share them
ACCOUNTS = ("add", "role", "password", "unlock", "factor", "link", "remove")
_SECURITY = {"role", "unlock", "factor"}
HANDS: dict[bool, dict[str, set[str]]] = {
    False: {"administrator": set(ACCOUNTS), "security": _SECURITY},
    True: {"administrator": {"add", "password", "unlock", "remove"}, "security": _SECURITY},
}


def test_the_rights_to_accounts_are_those_of_the_table() -> None:
    for separate, table in HANDS.items():
        door = Door(separate_administrators=separate)
        for role in ROLES:
            mine = set(may(User(role, role, ""), door)) - {"record"}
            assert mine == table.get(role, set()), (separate, role)


@pytest.mark.parametrize(
    ("role", "act"),
    [(r, act) for r in ROLES for act in ACCOUNTS if act not in HANDS[False].get(r, set())],
)
def test_an_act_upon_an_account_is_refused_and_on_record(room: Room, role: str, act: str) -> None:
    body = fresh({"act": act, "name": "screen", "role": "approver", "officer": "K-01", "key": KEY})
    caller = room.callers[role]
    assert caller.ask("POST", "/api/account", body, x_csrf=caller.csrf)[0] == 403
    screen = room.users.known("screen")
    assert screen is not None
    assert screen.role == "viewer"
    assert room.users.newest(1)[0][2:] == (role, "refused at the accounts", act)


@pytest.mark.parametrize("path", ["/api/stream", "/print/after_action", "/sta/v1.1/Things"])
def test_what_is_in_no_table_is_shut_to_who_has_not_entered(room: Room, path: str) -> None:
    assert room.stranger.ask("GET", path)[0] == 401
