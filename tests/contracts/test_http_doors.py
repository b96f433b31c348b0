"""What every HTTP door promises: its document names all that it answers, and every answer is as the document
says, whoever asks and whatever they ask for. schemathesis makes the requests; it is not ours. `make
fuzz-http` asks much more.

The page /metrics and a broadcast platform's packets are in forms of others (docs/operations.md,
docs/broadcast-platform.md); what hears those packets is searched by `make fuzz`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette
from starlette.routing import Route

from config.records.channels import Words
from config.records.level import Level
from console.auth.accounts import ROLES, Users
from console.serve import Listen, serving
from dispatch.cap import feed_server
from dispatch.cap.feed import FEED
from dispatch.cap.feed_server import FeedServer
from dispatch.channels.http import receipt_server
from dispatch.channels.http.receipt_server import ReceiptServer
from dispatch.people.residents import door as residents_door
from dispatch.people.residents.door import ResidentDoor
from fengsui.play.console import sources
from fengsui.run.processes import run_stage
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from ingest.cap import http_server
from ingest.cap.http_server import CapServer
from ingest.cap.intake import CapDoor
from ingest.observation import Observation, Observations
from ingest.people import api
from ingest.people.links import Links
from ingest.people.web import people_ways
from stream.disk.blobs import FrameStore
from stream.http.openapi import Door, Place, document
from stream.http.server import HttpDoor
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.pace.rate_limit import RateLimit
from stream.records import Tick, encode
from stream.wall_clock import now_ms
from tests.support.cap_world import hearing, message, signed
from tests.support.decide_district import MIN, T0, run, seen, yanqing
from tests.support.examples import examples
from tests.support.gateway import row
from tests.support.http_doors import Caller, Opened, ask, operations
from tests.support.people_door import LONG_AFTER, OBSERVER
from tests.support.residents import Clock, desk, with_store

PASSWORD, TOKEN = "a long enough one", "a-token-of-some-length"


def nobody() -> dict[str, str]:
    return {}


def bearer(token: str) -> Caller:
    return lambda: {"Authorization": f"Bearer {token}"}


def described(door: Door, places: tuple[Place, ...]) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(door, places, "en")))
    return found


def rained(log: Log) -> None:
    """A red warning of A01, and the rain that it is for."""
    rain = [
        Observation(station="R01", quantity="rain", observed_at=T0 + m * MIN, value=20)
        for m in range(1, 40)
    ]
    end = Tick(clock_at=T0 + 40 * MIN)
    cases: list[Any] = [run("exercise"), seen(40, Level.RED, area="A01"), end]
    log.append([Out("cases", "x", encode(r)) for r in cases])
    heard = [run("exercise"), Observations.of("g", T0 + 40 * MIN, rain), end]
    log.append([Out("observations", "x", encode(r)) for r in heard])


class Browser:
    """One person's page, which logs in again when its session is over."""

    def __init__(self, url: str) -> None:
        self._url, self._headers = url, {"X-Fengsui": "1"}

    def __call__(self) -> dict[str, str]:
        me = requests.get(f"{self._url}/api/me", headers=self._headers, timeout=90)
        if me.status_code == 401:
            words = {"name": "wang", "password": PASSWORD}
            answer = requests.post(
                f"{self._url}/api/login", json=words, headers={"X-Fengsui": "1"}, timeout=90
            )
            cookie = "; ".join(f"{c.name}={c.value}" for c in answer.cookies)
            self._headers = {
                "X-Fengsui": "1", "Cookie": cookie, "X-CSRF": answer.json()["csrf"]
            }  # fmt: skip
        return self._headers


@contextmanager
def console(folder: Path) -> Iterator[Opened]:
    """Of a run with rain, and a warning that decide has made; each role by a token, one person by the cookie of
    a browser, and nobody."""
    setup = make_setup(yanqing(), "exercise-doors", folder, start_at=T0)
    setup.folder.mkdir(parents=True)
    with ExitStack() as stack:
        log, stop, ready = open_run_log(setup), threading.Event(), threading.Event()
        stack.callback(log.close)
        deciding = threading.Thread(target=run_stage, args=("decide", setup, stop, ready))
        deciding.start()
        stack.callback(deciding.join)
        stack.callback(stop.set)
        assert ready.wait(90)
        rained(log)
        users = Users(setup.folder)
        stack.callback(users.close)
        users.add("wang", "approver", "K-01", PASSWORD)
        callers: dict[str, Caller] = {"nobody": nobody}
        for role in ROLES:
            officer = "K-01" if role in ("duty", "approver") else ""
            callers[role] = bearer(users.issue(role, role, officer))
        url = stack.enter_context(
            serving(
                setup.district, setup.run, lambda: open_run_log(setup), users, Listen(), now=now_ms,
                sources=sources(setup), asked={"check": list},
            )
        )  # fmt: skip
        callers["browser"] = Browser(url)
        real = {
            "station": ("R01",), "place": ("R01", "B01"), "area": ("A01",), "to": ("wang",),
            "name": ("check", "report", "after-action", "drill", "new"), "thing": ("R01", "B01"),
            "act": ("approve", "release", "cancel", "raise", "lower", "hold", "override", "add", "link"),
            "places": ([{"area": "A01", "hazard": "flash_flood"}],), "role": ("viewer",),
            "path": (
                "Things", "Datastreams", "Observations", "Things('R01')/Datastreams",
                "Datastreams?$expand=Thing", "ObservedProperties/$ref",
            ),
            "$expand": ("Datastreams", "Thing", "Datastreams($expand=Observations($top=2))"),
            "$orderby": ("name desc", "phenomenonTime"), "$select": ("name",),
            "$filter": ("name eq 'x'", "result gt 3 and phenomenonTime lt 2025-07-26T00:00:00Z"),
        }  # fmt: skip
        found = requests.get(f"{url}/api/openapi.json", timeout=90).json()
        yield Opened(url, found, callers, ("/api/stream",), real)


@contextmanager
def people(folder: Path) -> Iterator[Opened]:
    """One person's link, a link that is over, and no link."""
    log = open_log(f"sqlite:///{folder}", "exercise-a", "yanqing", 4, {})
    links, frames = Links(folder), FrameStore(folder / "frames")
    token = links.make(OBSERVER, LONG_AFTER, 1)
    with people_ways(yanqing(), False, log, frames, folder, lambda: T0, lambda: T0 / 1000):
        url = (folder / "people.url").read_text().strip()
        callers: dict[str, Caller] = {"nobody": nobody, "observer": bearer(token)}
        callers["app"] = lambda: {**bearer(token)(), "Accept": "application/json"}
        real = {"token": (token,), "area": ("A01",), "people": (3, None), "minutes": ("30",)}
        yield Opened(url, described(api.DOOR, api.PLACES), callers, real=real, lax=True)
    log.close()


@contextmanager
def cap(folder: Path) -> Iterator[Opened]:
    log = open_log(f"sqlite:///{folder}", "live", "yanqing", hearing().partitions)
    intake = CapDoor(hearing(), True, folder)
    server = CapServer(intake, log, "127.0.0.1", 0, TOKEN, lambda: T0)
    try:
        callers: dict[str, Caller] = {"nobody": nobody, "office": bearer(TOKEN)}
        url = server.url.removesuffix(http_server.PATH)
        told_of = described(http_server.DOOR, http_server.PLACES)
        yield Opened(url, told_of, callers, bodies=(signed(message()).decode(),))
    finally:
        server.close()
        log.close()


@contextmanager
def receipts(_: Path) -> Iterator[Opened]:
    told = Words(key="out", id="mid", status="st", words={"1": "delivered"}, reply="0")
    carrier = row("http://x", receipt=told)
    server = ReceiptServer("127.0.0.1:0", {"gw": "tok"}, {"gw": carrier}, lambda word: word.done(True))
    callers: dict[str, Caller] = {"nobody": nobody, "gw": bearer("tok")}
    told_of = described(receipt_server.DOOR, receipt_server.PLACES)
    try:
        yield Opened(server.url, told_of, callers, real={"name": ("gw",)}, lax=True)
    finally:
        server.close()


@contextmanager
def public_feed(folder: Path) -> Iterator[Opened]:
    (folder / "feed.atom").write_bytes(b"<feed/>")
    server = FeedServer(folder, 0)
    url = server.url.removesuffix(f"/{FEED}")
    try:
        yield Opened(
            url, described(feed_server.DOOR, feed_server.PLACES), {"nobody": nobody}, real={"name": (FEED,)}
        )
    finally:
        server.close()


@contextmanager
def residents(folder: Path) -> Iterator[Opened]:
    log = open_log(f"sqlite:///{folder}", "exercise-a", "yanqing", 4, {})
    district, wall = with_store(folder / "run"), Clock()
    page = ResidentDoor(district, False, log, desk(district, wall), wall, even_s=0.0)
    server = HttpDoor(page.app(), "127.0.0.1:0", "residents")
    real = {"area": ("A01",), "phone": ("13800138000",), "v": ("A01",)}
    told_of = described(residents_door.DOOR, residents_door.PLACES)
    try:
        yield Opened(server.url, told_of, {"nobody": nobody}, real=real, lax=True)
    finally:
        server.close()
        log.close()


DOORS: dict[str, Callable[[Path], AbstractContextManager[Opened]]] = {
    "console": console,
    "people": people,
    "cap": cap,
    "receipts": receipts,
    "feed": public_feed,
    "residents": residents,
}


def routes(app: Starlette) -> set[tuple[str, str]]:
    """(path, method) of all that it answers."""
    found = [r for r in app.routes if isinstance(r, Route)]
    return {(r.path, m) for r in found for m in (r.methods or ()) if m != "HEAD"}


def test_no_door_has_a_route_that_its_document_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The console's document is made of its own routes; tests/console/door holds it."""
    apps: dict[str, Starlette] = {}
    real = HttpDoor.__init__

    def kept(self: HttpDoor, app: Any, listen: str, name: str, *more: Any, **named: Any) -> None:
        apps[name] = app
        real(self, app, listen, name, *more, **named)

    monkeypatch.setattr(HttpDoor, "__init__", kept)
    for name, opened in DOORS.items():
        if name != "console":
            (tmp_path / name).mkdir()
            with opened(tmp_path / name):
                pass
    of = {
        "people-http": api.PLACES,
        "cap-http": http_server.PLACES,
        "receipts-http": receipt_server.PLACES,
        "cap-feed": feed_server.PLACES,
        "residents": residents_door.PLACES,
    }
    assert set(apps) == set(of)
    for name, places in of.items():
        assert routes(apps[name]) == {(path, m) for path, methods in places for m in methods}, name


@pytest.mark.parametrize("name", DOORS)
def test_every_answer_is_as_the_document_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimit, "lets", lambda *_: True)  # nobody asks so often, but a test
    monkeypatch.setattr("console.app.WAIT_S", 0.2)  # decide may come to it later: `queued`
    monkeypatch.setattr("console.routes.shift._WAIT_S", 0.2)
    faults, reached = [], {}
    with DOORS[name](tmp_path) as door:
        OpenAPIV31SpecValidator(door.document).validate()
        for operation in operations(door):
            try:
                reached[operation.label] = sorted(ask(door, operation, examples(20)))
            except (AssertionError, ExceptionGroup) as e:
                faults.append(f"{operation.label}: {e}")
    print(*(f"{label:<34}{codes}" for label, codes in reached.items()), sep="\n")
    assert not faults, "\n\n".join(faults)
