"""Who gets into the duty room and what they may do there: over real HTTP, without a browser."""

import gzip
import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from console.app import STATIC
from console.auth.accounts import IDLE_MS, Users
from console.auth.attempts import FIRST_WAIT_MS, FREE
from console.auth.sessions import DAY_MS, LINK_MS, SCREEN_MS
from console.model.picture import changes
from tests.support.console_door import ACT, PASSWORD, Caller

NOW = 1_753_531_200_000


def test_a_password_opens_a_session_that_ends_with_the_shift(users: Users) -> None:
    token = users.enter("wang", PASSWORD, NOW)
    user = users.of(token, NOW)
    assert user is not None
    assert (user.name, user.role, user.officer) == ("wang", "approver", "K-01")
    assert users.of(token, NOW + IDLE_MS - 1) is not None  # and that keeps it alive
    assert users.of(token, NOW + 2 * IDLE_MS - 2) is not None
    assert users.of(token, NOW + 4 * IDLE_MS) is None
    users.leave(token)
    assert users.of(token, NOW) is None


def test_a_session_ends_after_a_day_however_it_is_used(users: Users) -> None:
    for name, lasts in (("wang", DAY_MS), ("screen", SCREEN_MS)):
        token = users.enter(name, PASSWORD, NOW)
        for at in range(NOW, NOW + lasts, IDLE_MS - 1):
            assert users.of(token, at) is not None
        assert users.of(token, NOW + lasts) is None


def test_wrong_passwords_from_one_place_wait_there_and_nowhere_else(users: Users) -> None:
    for _ in range(FREE):
        assert users.enter("wang", "wrong", NOW, "10.0.0.1") == ""
    assert users.enter("wang", PASSWORD, NOW + 1, "10.0.0.1") == ""
    assert users.enter("screen", PASSWORD, NOW + 1, "10.0.0.1") != ""
    assert users.enter("wang", PASSWORD, NOW + 1, "10.0.0.2") != ""
    assert users.enter("wang", PASSWORD, NOW + FIRST_WAIT_MS, "10.0.0.1") != ""


def test_a_link_lets_in_once_and_not_for_long(users: Users) -> None:
    link = users.link("wang", NOW)
    assert users.enter_by_link(link, NOW) != ""
    assert users.enter_by_link(link, NOW) == ""
    assert users.enter_by_link("", NOW) == ""
    assert users.enter_by_link(users.link("wang", NOW), NOW + LINK_MS) == ""
    assert users.enter_by_link(users.link("nobody", NOW), NOW) == ""


def test_a_new_password_ends_the_sessions_and_no_secret_lies_in_the_file(
    users: Users, tmp_path: Path
) -> None:
    token = users.enter("wang", PASSWORD, NOW)
    link = users.link("wang", NOW)
    kept = b"".join(p.read_bytes() for p in tmp_path.glob("console.db*"))
    for secret in (PASSWORD, token, link):
        assert secret.encode() not in kept
    assert (tmp_path / "console.db").stat().st_mode & 0o077 == 0
    users.add("wang", "approver", "K-01", PASSWORD + "2")
    assert users.of(token, NOW) is None


def test_changes_make_the_one_picture_the_other() -> None:
    before = {"a": {"1": 1, "2": 2}, "b": {}}
    after = {"a": {"2": 3, "3": 4}, "b": {"x": None}}
    told = changes(before, after)
    assert told == {"a": {"1": None, "2": 3, "3": 4}, "b": {"x": None}}
    assert changes(after, after) == {}


def test_nothing_is_told_to_who_has_not_entered(caller: Caller) -> None:
    for path in ("me", "ground", "snapshot", "stream", "past", "series/R01", "texts/x"):
        assert caller.ask("GET", f"/api/{path}")[0] == 401, path
    assert caller.ask("POST", "/api/acts", ACT)[0] == 401
    status, headers, _ = caller.ask("GET", "/enter?once=guess")
    assert (status, headers["set-cookie"]) == (303, None)


def test_a_request_of_a_foreign_page_does_nothing(caller: Caller) -> None:
    entry = {"name": "wang", "password": PASSWORD}
    assert caller.ask("POST", "/api/login", entry)[0] == 403  # no page elsewhere can set the header
    caller.enter("wang")
    assert "HttpOnly" in caller.set_cookie
    assert "samesite=strict" in caller.set_cookie.lower()
    assert caller.ask("POST", "/api/acts", ACT)[0] == 403
    assert caller.ask("POST", "/api/acts", ACT, x_csrf="guess")[0] == 403
    assert caller.ask("GET", "/", Host="evil.example")[0] == 400


def test_every_answer_forbids_foreign_code(caller: Caller) -> None:
    for path in ("/", "/api/me", "/static/main.js"):
        headers = caller.ask("GET", path)[1]
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_a_file_comes_packed_to_who_takes_it_so_and_once_to_who_has_it(caller: Caller) -> None:
    path, whole = "/static/main.js", (STATIC / "main.js").read_bytes()
    status, plain, data = caller.ask("GET", path)
    assert (status, data, plain["content-encoding"]) == (200, whole, None)
    status, packed, data = caller.ask("GET", path, Accept_Encoding="br, gzip")
    assert (status, gzip.decompress(data)) == (200, whole)
    assert "javascript" in packed["content-type"]
    assert "Accept-Encoding" in packed["vary"]
    assert len(data) < len(whole) / 2
    status, _, data = caller.ask("GET", path, If_None_Match=f'"older", {packed["etag"]}')
    assert (status, data) == (304, b"")
    assert caller.ask("GET", "/static/main.js", If_None_Match='"older"')[0] == 200


def test_no_path_leads_out_of_the_folder_of_the_pages(caller: Caller) -> None:
    for path in ("../web.py", "%2e%2e/web.py", "//etc/passwd", "vendor", "", "none.js"):
        assert caller.ask("GET", f"/static/{path}")[0] == 404, path


def test_a_role_without_an_act_is_refused_and_it_is_on_record(caller: Caller) -> None:
    caller.enter("screen")
    status, _, data = caller.ask("POST", "/api/acts", ACT, x_csrf=caller.csrf)
    assert status == 403
    said = json.loads(data)
    assert "viewer" in said["words"]
    assert (said["zh"], said["en"]) == (
        "角色 viewer 不能做此操作", "the role viewer has no such act",
    )  # a page shows one of the two  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"key": "x"}, {"places": []}, {"reason": ""}, {"by": "K-02"}, {"level": 9}],
    ids=lambda w: next(iter(w)),
)
def test_an_act_that_is_no_act_is_refused(caller: Caller, wrong: dict[str, Any]) -> None:
    caller.enter("wang")
    assert caller.ask("POST", "/api/acts", {**ACT, **wrong}, x_csrf=caller.csrf)[0] == 422


def test_guessing_at_the_door_is_slowed_down(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.auth.requests.monotonic", lambda: 100.0)  # all in one minute
    codes = [
        caller.ask("POST", "/api/login", {"name": f"n{n}", "password": "p"}, x_fengsui="1")[0]
        for n in range(12)
    ]
    assert codes[0] == 403
    assert codes[-1] == 429


def test_a_stream_begins_with_a_beat(caller: Caller) -> None:
    caller.enter("screen")
    connection = http.client.HTTPConnection(caller.host, timeout=120)
    connection.request("GET", "/api/stream", headers={"Cookie": caller.cookie})
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [answer.readline() for _ in range(5)]
    assert b"event: beat\n" in lines
    connection.close()
