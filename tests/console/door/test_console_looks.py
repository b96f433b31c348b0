"""Who looked at which picture is on record, by whatever way they came."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.records.level import Action, Level
from console.auth import looks
from console.auth.accounts import Users
from console.auth.looks import Looks
from console.routes.sources import Sources
from console.serve import Listen, serving
from detectors.detection import Evidence
from dispatch.records import Alert
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from ingest.observation import PersonSays
from stream.log.port import Out
from stream.records import encode
from stream.wall_clock import now_ms
from tests.support.console_door import PASSWORD, Caller
from tests.support.decide_district import T0, yanqing
from tests.support.watching import until

ONE, TWO, BARE = "a" * 64, "b" * 64, "d" * 64


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[tuple[Caller, Users]]:
    """A duty room in which a warning rests on picture ONE."""
    setup = make_setup(yanqing(), "exercise-looks", tmp_path, start_at=T0)
    users = Users(setup.folder)
    users.add("wang", "approver", "K-01", PASSWORD)
    why = Evidence(station="V01", quantity="frame", value=0.5, observed_at=T0, frames=(ONE,))
    alert = Alert(
        id="a", version=1, area="A01", hazard="flash_flood", status="exercise", msg_type="alert",
        level=Level.YELLOW, action=Action.NONE, proposed_level=Level.YELLOW,
        proposed_action=Action.NONE, public=True, state="released", incident="i", sent_at=T0,
        onset_at=T0, expires_at=T0 + 3_600_000, reason="x", evidence=(why,),
    )  # fmt: skip
    log = open_run_log(setup)
    log.append([Out("alerts", "A01", encode(alert))])
    log.close()
    pictures = {ONE: b"one", TWO: b"two"}
    with serving(
        setup.district, setup.run, lambda: open_run_log(setup), users, Listen(),
        sources=Sources(frame=pictures.get), now=now_ms,
    ) as address:  # fmt: skip
        yield Caller(address), users
    users.close()


def looked(users: Users) -> list[tuple[str, str]]:
    return [(who, detail) for _, who, what, detail in users.noted() if what == looks.PICTURE]


def test_pages_and_tokens_alike(seen: tuple[Caller, Users]) -> None:
    caller, users = seen
    assert caller.ask("GET", f"/api/frame/{ONE}")[0] == 401
    caller.enter("wang")
    assert until(lambda: caller.ask("GET", "/api/snapshot")[0] == 200)
    assert until(lambda: b"A01" in caller.ask("GET", "/api/snapshot")[2])
    assert caller.ask("GET", f"/api/frame/{ONE}")[2] == b"one"
    assert caller.ask("GET", f"/api/frame/{'c' * 64}")[0] == 404
    token = {"Authorization": f"Bearer {users.issue('province', 'viewer', '')}"}
    assert caller.ask("GET", f"/api/frame/{TWO}", **token)[2] == b"two"
    of = "V01 2025-07-26 20:00:00 A01/flash_flood"
    assert looked(users) == [("wang", f"{ONE} {of}"), ("api:province", TWO)]
    shown = caller.ask("GET", "/api/shift")[2]
    assert ONE.encode() not in shown  # the shift log is for what was done


def test_a_photograph_of_before_there_were_keys_is_for_who_decides_too(
    seen: tuple[Caller, Users], tmp_path: Path
) -> None:
    caller, users = seen
    setup = make_setup(yanqing(), "exercise-looks", tmp_path, start_at=T0)
    says = PersonSays(
        id="s", person="C-0001", role="responsible", area="A01", what="moved", said_at=T0,
        received_at=T0, way="form", people=2, how="shelter", photo=TWO,
    )  # fmt: skip
    log = open_run_log(setup)
    log.append([Out("deliveries", "A01", encode(says))])
    log.close()
    token = {"Authorization": f"Bearer {users.issue('province', 'viewer', '')}"}
    assert until(lambda: caller.ask("GET", f"/api/frame/{TWO}", **token)[0] == 403)
    assert caller.ask("GET", f"/api/frame/{ONE}", **token)[2] == b"one"
    caller.enter("wang")
    assert caller.ask("GET", f"/api/frame/{TWO}")[2] == b"two"


def test_the_same_again_within_a_minute_is_one_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users, now = Users(tmp_path), [0.0]
    monkeypatch.setattr(looks, "monotonic", lambda: now[0])
    found = Looks(users)
    for s, who, digest in (
        (0, "wang", ONE), (30, "wang", ONE), (31, "li", ONE), (32, "wang", TWO), (61, "wang", ONE)
    ):  # fmt: skip
        now[0] = float(s)
        found.note(T0, who, digest, "")
    assert looked(users) == [("wang", ONE), ("li", ONE), ("wang", TWO), ("wang", ONE)]
    users.close()


def test_a_record_that_cannot_be_written_costs_no_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users = Users(tmp_path)
    found = Looks(users)
    users.close()
    found.note(T0, "wang", ONE, "")
    assert ONE in capsys.readouterr().err


def test_as_it_was_taken_is_for_who_decides_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = make_setup(yanqing(), "exercise-looks", tmp_path, start_at=T0)
    users = Users(setup.folder)
    users.add("wang", "approver", "K-01", PASSWORD)
    hide = Sources(
        frame={ONE: b"one", TWO: b"two", BARE: b"bare"}.get,
        hide=lambda _, body: (
            None if body == b"two" else body if body == b"bare" else b"hidden", "persons hidden"
        ),
    )  # fmt: skip
    with serving(
        setup.district, setup.run, lambda: open_run_log(setup), users, Listen(),
        sources=hide, now=now_ms,
    ) as address:  # fmt: skip
        caller = Caller(address)
        caller.enter("wang")
        assert until(lambda: caller.ask("GET", "/api/snapshot")[0] == 200)
        _, headers, seen = caller.ask("GET", f"/api/frame/{ONE}")
        assert (seen, headers["cache-control"]) == (b"hidden", "no-store")
        assert headers["fengsui-persons"] == "hidden"
        assert caller.ask("GET", f"/api/frame/{TWO}")[0] == 415, "what cannot be hidden is not shown"
        assert caller.ask("GET", f"/api/frame/{ONE}?as_taken=")[0] == 422
        assert caller.ask("GET", f"/api/frame/{ONE}?as_taken=who%20stands%20there")[2] == b"one"
        token = {"Authorization": f"Bearer {users.issue('province', 'viewer', '')}"}
        assert caller.ask("GET", f"/api/frame/{ONE}?as_taken=curious", **token)[0] == 403
        looks_on = {"Authorization": f"Bearer {users.issue('county', 'viewer', 'K-01')}"}
        assert caller.ask("GET", f"/api/frame/{ONE}?as_taken=curious", **looks_on)[0] == 403
        assert looked(users) == [
            ("wang", f"{ONE} persons hidden"),
            ("wang", f"{ONE} as taken: who stands there"),
        ]
        headers = caller.ask("GET", f"/api/frame/{BARE}")[1]
        assert "fengsui-persons" not in headers, "shown as taken, so nobody is said to be hidden"
        monkeypatch.setattr(looks.Looks, "must_note", lambda *_: False)
        assert caller.ask("GET", f"/api/frame/{ONE}?as_taken=once%20more")[0] == 503
    users.close()
