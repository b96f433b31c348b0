"""What several tests use, by the one it was written for: console_door."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.auth.accounts import Users
from console.serve import Listen, serving
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from stream.wall_clock import now_ms
from tests.support.decide_district import T0, yanqing

PASSWORD = "a long enough one"


@pytest.fixture
def users(tmp_path: Path) -> Iterator[Users]:
    users = Users(tmp_path)
    users.add("wang", "approver", "K-01", PASSWORD)
    users.add("screen", "viewer", "", PASSWORD)
    yield users
    users.close()


class Caller:
    """A client that is no browser."""

    def __init__(self, address: str) -> None:
        self.host = address.removeprefix("http://")
        self.cookie, self.csrf = "", ""
        self.set_cookies: list[str] = []
        self.users: Any = None

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=120)
        given = {"Cookie": self.cookie, **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection.request(method, path, json.dumps(body) if body is not None else None, given)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    def enter(self, name: str) -> None:
        status, headers, data = self.ask(
            "POST", "/api/login", {"name": name, "password": PASSWORD}, x_fengsui="1"
        )
        assert status == 200, data
        self.set_cookie = headers["set-cookie"]
        self.set_cookies = headers.get_all("set-cookie") or []
        self.cookie, self.csrf = self.set_cookie.split(";")[0], json.loads(data)["csrf"]


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    setup = make_setup(yanqing(), "exercise-door", tmp_path, start_at=T0)
    users = Users(setup.folder)
    users.add("wang", "approver", "K-01", PASSWORD)
    users.add("screen", "viewer", "", PASSWORD)
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        users,
        Listen(),
        now=now_ms,
    ) as address:
        yield Caller(address)
    users.close()


ACT = {
    "act": "cancel",
    "reason": "x",
    "key": "0123456789abcdef",
    "places": [{"area": "A01", "hazard": "flash_flood"}],
}
