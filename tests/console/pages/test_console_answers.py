"""What the HTTP API answers is what its document says, no more and no less, over real HTTP."""

import json
import time
from typing import Any

import msgspec
import pytest

from config.records.level import Action, Level
from console.api.routes import SAYS
from dispatch.people.contact_store import ContactStore
from dispatch.records import Alert
from stream.history.open import open_history
from stream.history.port import Point
from stream.log.port import Log, Out
from stream.records import encode
from stream.wall_clock import now_ms
from tests.support.console_delivery import came, sent, tell, wait_for_alert
from tests.support.console_door import PASSWORD, Caller
from tests.support.console_pages import Desk, cases
from tests.support.console_stations import letter
from tests.support.decide_district import MIN, T0, seen, yanqing


@pytest.fixture
def storm(desk: Desk, log: Log) -> Alert:
    """A warning that waits, one who was not reached, a year of rain, a dead letter."""
    cases(log, seen(40, Level.RED, Action.MOVE, area="A01"))
    alert = wait_for_alert(log)
    failed = came(1, "failed", permanent=True, detail="no such number")
    tell(log, sent(alert, 1, "C-0001", "sms", must_answer=True), failed)
    topic = "fengsui/exercise/yanqing/station/R02/rain"
    log.append([Out("dead-letters", "x", encode(letter(topic)))])
    history = open_history(desk.setup.history, desk.setup.run.name, desk.setup.district.id)
    history.write([Point("R01", "rain", T0 - n * 60 * MIN, 0, n % 7, 1) for n in range(1, 900)], [])
    history.close()
    return alert


def half_way(desk: Desk) -> Caller:
    """Somebody who has given the password and must choose another."""
    desk.users.add("li", "viewer", "", PASSWORD, now=now_ms(), change=True)
    caller = Caller(desk.address)
    login = {"name": "li", "password": PASSWORD}
    _, head, data = caller.ask("POST", "/api/login", login, x_fengsui="1")
    assert json.loads(data)["step"] == "change"
    caller.cookie = head["set-cookie"].split(";")[0]
    return caller


def test_every_answer_has_the_form_that_the_document_gives_it(desk: Desk, storm: Alert) -> None:
    desk.users.add("chen", "administrator", "", PASSWORD)
    with ContactStore(desk.setup.folder) as store:
        store.put([c for c in yanqing().contacts.values() if c.id in ("C-0001", "C-0004")])
    wang, zhao, chen = (Caller(desk.address) for _ in range(3))
    for caller, name in ((wang, "wang"), (zhao, "zhao"), (chen, "chen")):
        caller.enter(name)
    li = half_way(desk)
    place = {"area": "A01", "hazard": storm.hazard, "alert": storm.id, "version": storm.version}
    act = {"act": "release", "reason": "r", "key": "0123456789abcdef", "places": [place]}
    sends = {"area": "A01", "key": "1" * 16, "deliveries": ["d1"]}
    verified = {"incident": "none", "text": "x", "key": "4" * 16}
    asks: list[tuple[str, Caller, str, Any]] = [
        ("/api/me", wang, "/api/me", None),
        ("/api/ground", wang, "/api/ground", None),
        ("/api/snapshot", wang, "/api/snapshot", None),
        ("/api/past", wang, "/api/past", None),
        ("/api/series/{station}", wang, "/api/series/R01", None),
        ("/api/texts/{alert}", wang, f"/api/texts/{storm.id}", None),
        ("/api/missed/{area}", wang, "/api/missed/A01", None),
        ("/api/downstream/{area}", wang, "/api/downstream/A01", None),
        ("/api/history/{place}", wang, "/api/history/R01?hours=8784", None),
        ("/api/dead", wang, "/api/dead", None),
        ("/api/outside", wang, "/api/outside", None),
        ("/api/subscribers", wang, "/api/subscribers", None),
        ("/api/resend", zhao, "/api/resend", sends),
        ("/api/notes", zhao, "/api/notes", {"text": "x", "key": "2" * 16}),
        ("/api/handover", zhao, "/api/handover", {"to": "wang", "text": "y", "key": "3" * 16}),
        ("/api/shift", wang, "/api/shift", None),
        ("/api/takeover", wang, "/api/takeover", {"n": 0, "key": "5" * 16}),
        ("/api/verify", wang, "/api/verify", verified),
        ("/api/accounts", chen, "/api/accounts", None),
        ("/api/record", chen, "/api/record", None),
        ("/api/erase", chen, "/api/erase", {"id": "C-0004", "reason": "r", "key": "6" * 16}),
        ("/api/login/step", li, "/api/login/step", None),
        ("/api/login/offer", wang, "/api/login/offer", {"kind": "app"}),
        ("/api/acts", wang, "/api/acts", act),
    ]
    assert {path for path, *_ in asks} == {p for p, s in SAYS.items() if s.answer is not None}
    for path, caller, where, body in asks:
        if path == "/api/takeover":
            handed = json.loads(caller.ask("GET", "/api/shift")[2])["handover"]
            assert handed["to"] == "wang"
            body["n"] = handed["n"]
        deadline = time.monotonic() + 90
        while True:  # the page's picture is made of the log a moment later
            head = {"X-CSRF": caller.csrf, "X-Fengsui": "1"} if body else {}
            status, _, data = caller.ask("POST" if body else "GET", where, body, **head)
            told = json.loads(data)
            empty = not told or told == {"missed": [], "under_way": 0}
            if (status == 200 and not empty) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert status == 200, (path, data)
        assert not empty, (path, data)
        read = msgspec.json.decode(data, type=SAYS[path].answer, strict=True)
        assert json.loads(msgspec.json.encode(read)) == told, (
            f"{path}: something is not in the document"
        )
