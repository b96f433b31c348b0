"""What the HTTP API answers is what its document says, no more and no less, over real HTTP."""


import json
import time
from typing import Any

import msgspec
import pytest

from config.records.level import Action, Level
from console.api.routes import SAYS
from dispatch.records import Alert
from stream.history.open import open_history
from stream.history.port import Point
from stream.log.port import Log, Out
from stream.records import encode
from tests.support.console_delivery import came, sent, tell, wait_for_alert
from tests.support.console_door import Caller
from tests.support.console_pages import Desk, cases
from tests.support.console_stations import letter
from tests.support.decide_district import MIN, T0, seen


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


def test_every_answer_has_the_form_that_the_document_gives_it(desk: Desk, storm: Alert) -> None:
    caller = Caller(desk.address)
    caller.enter("wang")
    asks: dict[str, tuple[str, Any]] = {
        "/api/me": ("/api/me", None),
        "/api/snapshot": ("/api/snapshot", None),
        "/api/texts/{alert}": (f"/api/texts/{storm.id}", None),
        "/api/missed/{area}": ("/api/missed/A01", None),
        "/api/downstream/{area}": ("/api/downstream/A01", None),
        "/api/history/{place}": ("/api/history/R01?hours=8784", None),
        "/api/dead": ("/api/dead", None),
        "/api/outside": ("/api/outside", None),
        "/api/acts": (
            "/api/acts",
            {
                "act": "release", "reason": "r", "key": "0123456789abcdef",
                "places": [
                    {
                        "area": "A01", "hazard": storm.hazard, "alert": storm.id,
                        "version": storm.version,
                    }
                ],
            },
        ),
    }  # fmt: skip
    assert set(asks) == {path for path, says in SAYS.items() if says.answer is not None}
    for path, (where, body) in asks.items():
        deadline = time.monotonic() + 90
        while True:  # the page's picture is made of the log a moment later
            head = {"X-CSRF": caller.csrf} if body else {}
            status, _, data = caller.ask("POST" if body else "GET", where, body, **head)
            told = json.loads(data)
            empty = not told or told == {"missed": [], "under_way": 0}
            if (status == 200 and not empty) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert status == 200, (path, data)
        assert not empty, (path, data)
        read = msgspec.json.decode(data, type=SAYS[path].answer, strict=True)
        assert msgspec.to_builtins(read) == told, f"{path}: something is not in the document"
