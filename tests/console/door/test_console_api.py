"""The HTTP API: tokens, its document, GeoJSON and CAP, over real HTTP."""

import http.client
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import geojson
import msgspec
import pytest
from click.testing import CliRunner

from config.records.level import Action, Level
from console.api.geojson import in_force
from console.api.routes import SAYS
from console.auth.accounts import Users
from console.model.view import View
from dispatch.records import Alert
from fengsui.cli.root import cli
from stream.http.openapi import Door, document
from stream.log.port import Unavailable
from tests.support.console_door import ACT, Caller
from tests.support.decide_district import T0, yanqing


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def users(caller: Caller, tmp_path: Path) -> Users:
    return Users(tmp_path / "exercise-door")


def test_a_token_reads_until_it_is_revoked(caller: Caller, users: Users, tmp_path: Path) -> None:
    token = users.issue("gis", "viewer", "")
    status, _, data = caller.ask("GET", "/api/me", **bearer(token))
    assert status == 200
    assert json.loads(data)["name"] == "api:gis"
    assert json.loads(data)["acts"] == []
    kept = b"".join(p.read_bytes() for p in (tmp_path / "exercise-door").glob("console.db*"))
    assert token.encode() not in kept
    with pytest.raises(ValueError, match="gis"):
        users.issue("gis", "duty", "")
    assert users.revoke("gis")
    assert caller.ask("GET", "/api/me", **bearer(token))[0] == 401
    assert not users.revoke("gis")


def test_a_wrong_token_is_not_helped_by_a_good_cookie(caller: Caller) -> None:
    caller.enter("wang")
    assert caller.ask("GET", "/api/me")[0] == 200
    for wrong in ("Bearer guess", "Basic d2FuZzp4", "Bearer "):
        assert caller.ask("GET", "/api/me", Authorization=wrong)[0] == 401
        assert caller.ask("POST", "/api/acts", ACT, Authorization=wrong)[0] == 401


def test_guessed_tokens_are_slowed_down(caller: Caller) -> None:
    codes = [caller.ask("GET", "/api/me", **bearer(f"guess{n}"))[0] for n in range(12)]
    assert (codes[0], codes[-1]) == (401, 429)


def test_an_act_by_token_is_held_to_its_role_and_on_record(caller: Caller, users: Users) -> None:
    viewer, duty = users.issue("screen", "viewer", ""), users.issue("room", "duty", "D-02")
    assert caller.ask("POST", "/api/acts", ACT, **bearer(viewer))[0] == 403
    assert caller.ask("POST", "/api/acts", ACT, **bearer(duty))[0] == 403  # duty may not cancel
    assert caller.ask("POST", "/api/acts", {**ACT, "key": "x"}, **bearer(duty))[0] == 422
    assert [(who, what) for _, who, what, _ in users.noted()] == [
        ("api:screen", "refused cancel"),
        ("api:room", "refused cancel"),
    ]


def test_a_program_hears_the_stream(caller: Caller, users: Users) -> None:
    line = http.client.HTTPConnection(caller.host, timeout=120)
    line.request("GET", "/api/stream", headers=bearer(users.issue("gis", "viewer", "")))
    answer = line.getresponse()
    assert answer.status == 200
    assert b"event: beat\n" in [answer.readline() for _ in range(5)]
    line.close()


def test_the_document_is_openapi_and_names_every_route(caller: Caller) -> None:
    status, _, data = caller.ask("GET", "/api/openapi.json")
    assert status == 200
    found = json.loads(data)
    from openapi_spec_validator import OpenAPIV31SpecValidator

    OpenAPIV31SpecValidator(found).validate()
    said = {path.replace(":path}", "}") for path in SAYS}
    assert set(found["paths"]) == said, "nothing is said of a route that is gone"
    act = found["paths"]["/api/acts"]["post"]["requestBody"]["content"]["application/json"]
    assert act["schema"]["$ref"].endswith("/Act")
    told = found["paths"]["/api/snapshot"]["get"]["responses"]["200"]["content"]
    assert told["application/json"]["schema"]["$ref"].endswith("/Snapshot")
    assert found["components"]["schemas"]["Act"]["required"] == ["act", "places", "reason", "key"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nothing", 404), ("GET", "/api/missed/A%2F01", 404), ("DELETE", "/api/me", 405)],
)
def test_where_there_is_nothing_is_said_in_words_too(
    caller: Caller, method: str, path: str, status: int
) -> None:
    found, headers, data = caller.ask(method, path)
    assert (found, headers["content-type"]) == (status, "application/json")
    assert set(json.loads(data)) == {"words", "zh", "en"}
    assert set(headers.get("allow", "").split(", ")) == ({"GET", "HEAD"} if status == 405 else {""})


def test_while_the_log_is_away_whoever_acts_is_told_so(
    caller: Caller, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise Unavailable("away")

    duty = bearer(users.issue("room", "approver", "K-01"))
    monkeypatch.setattr("stream.log.sqlite.SqliteLog.append", away)
    key = {"key": "0123456789abcdef"}
    incident = {"incident": "i", "text": "x", **key}
    for path, body in (("acts", ACT), ("verify", incident)):
        status, _, data = caller.ask("POST", f"/api/{path}", body, **duty)
        assert (status, set(json.loads(data))) == (503, {"words", "zh", "en"}), path


@pytest.mark.parametrize(
    ("path", "header", "zh"),
    [
        ("", "", True),
        ("", "en", False),
        ("", "en-GB,en;q=0.9,zh;q=0.8", False),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", True),
        ("", "en;q=0.1, zh-TW", True),
        ("", "fr, de;q=0.5", True),
        ("", "fr, en;q=0.2", False),
        ("", "en;q=0", True),
        ("", "en;q=much, *", True),
        ("?lang=zh", "en", True),
        ("?lang=en", "zh", False),
        ("?lang=both", "en", False),
    ],
)
def test_whoever_asks_reads_one_language(caller: Caller, path: str, header: str, zh: bool) -> None:
    given = {"Accept_Language": header} if header else {}
    found = json.loads(caller.ask("GET", f"/api/openapi.json{path}", **given)[2])
    stop = found["paths"]["/api/stream"]["get"]["summary"]
    assert ("推送" in stop, "events" in stop) == (zh, not zh)
    status, _, data = caller.ask("GET", f"/api/snapshot{path}", **given)
    assert status == 401
    refused = json.loads(data)
    assert refused["words"] == refused["zh" if zh else "en"]
    assert refused["zh"] != refused["en"]


def test_a_route_that_nothing_is_said_of_is_noticed() -> None:
    with pytest.raises(KeyError, match="new"):
        document(Door("t", "1", {}), [("/api/new", ["GET"])], "zh")


def alert(area: str, **more: Any) -> Alert:
    base = Alert(
        id=f"w-{area}", version=2, area=area, hazard="flash_flood", status="exercise",
        msg_type="alert", level=Level.RED, action=Action.MOVE, proposed_level=Level.RED,
        proposed_action=Action.MOVE, public=True, state="released", incident="i", sent_at=T0,
        onset_at=T0, expires_at=T0 + 3_600_000, reason="r",
    )  # fmt: skip
    return msgspec.structs.replace(base, **more)


def test_geojson_has_what_is_in_force_and_nothing_else() -> None:
    view = View()
    view.take(alert("A01"))
    view.take(alert("A02", public=False, state="proposed"))
    view.take(alert("A03", msg_type="cancel", state="cancelled"))
    found = geojson.loads(msgspec.json.encode(in_force(yanqing(), view)))
    assert isinstance(found, geojson.FeatureCollection)
    assert found.is_valid, found.errors()
    (feature,) = found.features
    assert feature.properties["level"] == "red"
    assert feature.properties["action"] == "move now"
    assert feature.properties["status"] == "exercise"
    assert feature.properties["sent"] == "2025-07-26T12:00:00Z"
    (ring,) = feature.geometry.coordinates
    assert ring[0] == ring[-1]
    assert sum((x - u) * (y + v) for (u, v), (x, y) in pairwise(ring)) < 0, (
        "the outer ring is counter-clockwise"
    )


def test_geojson_and_cap_are_served_to_who_may_look(
    caller: Caller, users: Users, tmp_path: Path
) -> None:
    for path in ("warnings.geojson", "cap/feed.atom"):
        assert caller.ask("GET", f"/api/{path}")[0] == 401
    gis = bearer(users.issue("gis", "viewer", ""))
    status, headers, data = caller.ask("GET", "/api/warnings.geojson", **gis)
    assert (status, headers["content-type"]) == (200, "application/geo+json")
    assert json.loads(data) == {"type": "FeatureCollection", "features": []}
    assert caller.ask("GET", "/api/cap/feed.atom", **gis)[0] == 404
    cap = tmp_path / "exercise-door" / "cap"
    cap.mkdir()
    (cap / "feed.atom").write_bytes(b"<feed/>")
    status, headers, data = caller.ask("GET", "/api/cap/feed.atom", **gis)
    assert (status, data) == (200, b"<feed/>")
    assert headers["content-type"].startswith("application/atom+xml")
    for name in ("..%2Fconsole.db", "../console.db", ".feed.atom", "feed.key"):
        assert caller.ask("GET", f"/api/cap/{name}", **gis)[0] == 404, name


def test_tokens_are_made_and_revoked_on_the_command_line(tmp_path: Path) -> None:
    def say(*words: str) -> Any:
        return CliRunner().invoke(cli, ["--state", str(tmp_path), "console", "token", *words])

    made = say("add", "gis", "--role", "viewer", "--run", "exercise", "--before-start")
    assert made.exit_code == 0
    users = Users(tmp_path / "exercise")
    user = users.of_token(made.stdout.strip(), T0)
    assert user is not None
    assert user.role == "viewer"
    assert "gis viewer" in say("list", "--run", "exercise").stdout
    assert say("remove", "gis", "--run", "exercise").exit_code == 0
    assert say("remove", "gis", "--run", "exercise").exit_code == 1
    assert users.of_token(made.stdout.strip(), T0) is None
    assert [w for _, _, w, _ in users.noted()] == ["token add", "token remove"]
