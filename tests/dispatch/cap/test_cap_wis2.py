"""Our CAP messages as notifications of WIS 2.0. WMO's schema and test suite were asked by hand (docs/cap.md);
here stands what they want."""

import base64
import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.checks.channels.release import wis2_problems
from config.records.channels import Channels, Wis2
from config.records.district import District
from config.records.level import Action, Level
from dispatch.cap.message import identifier
from dispatch.cap.publish import Cap
from dispatch.cap.wis2 import notification, topic
from stream.mqtt.access import SEND, rights
from tests.support.cap_world import key_of
from tests.support.cap_xml import ROUTE, delivery
from tests.support.decide_district import yanqing

CENTRE = Wis2(centre_id="cn-yanqing", metadata_id="urn:wmo:md:cn-yanqing:cap")
TOPIC = "origin/a/wis2/cn-yanqing/data/core/weather/advisories-warnings"


def district(wis2: Wis2 = CENTRE) -> District:
    channels = msgspec.structs.replace(
        yanqing().channels, wis2=wis2, cap_url="https://warn.example/cap"
    )
    return msgspec.structs.replace(yanqing(), channels=channels)


class Told:
    """What went out by MQTT."""

    def __init__(self, folder: Path, wis2: Wis2 = CENTRE) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.cap = Cap(
            district(wis2), folder, key_of("us").sign, lambda t, b: self.got.append((t, b)), "p"
        )

    def send(self, **changes: Any) -> list[dict[str, Any]]:
        self.got.clear()
        self.cap.send(delivery(**{"status": "actual", **changes}), ROUTE, "k")
        return [json.loads(b) for t, b in self.got if t == TOPIC]


def test_a_public_warning_is_announced_with_where_it_lies(tmp_path: Path) -> None:
    told = Told(tmp_path)
    (found,) = told.send()
    (message,) = [b for t, b in told.got if t.startswith("p/cap/")]
    assert topic(CENTRE) == TOPIC
    uuid.UUID(found["id"])
    assert found["conformsTo"] == ["http://wis.wmo.int/spec/wnm/1/conf/core"]
    assert found["type"] == "Feature"
    lon, lat = found["geometry"]["coordinates"][0][0]
    assert 115 < lon < 117 < 180
    assert 40 < lat < 41
    assert found["geometry"]["coordinates"][0][0] == found["geometry"]["coordinates"][0][-1]
    told_of = found["properties"]
    assert told_of["metadata_id"] == CENTRE.metadata_id
    assert told_of["data_id"] == f"cn-yanqing/{identifier(district(), delivery(status='actual'))}"
    assert told_of["pubtime"] == "2025-07-26T22:10:00Z"
    assert told_of["start_datetime"] < told_of["end_datetime"]
    digest = hashlib.sha512(message).digest()
    assert told_of["integrity"] == {
        "method": "sha512",
        "value": base64.b64encode(digest).decode(),
    }
    (link,) = found["links"]
    assert link == {
        "rel": "canonical",
        "href": f"https://warn.example/cap/{told_of['data_id'].rpartition('/')[2]}.xml",
        "type": "application/cap+xml",
        "length": len(message),
    }


def test_the_same_message_has_the_same_id_and_another_version_another(tmp_path: Path) -> None:
    told = Told(tmp_path)
    ids = [told.send(version=v)[0]["id"] for v in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    "changes", [{"status": "exercise"}, {"status": "test"}, {"audience": "internal"}]
)
def test_what_is_no_public_warning_is_not_announced(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    told = Told(tmp_path)
    assert told.send(**changes) == []
    assert len(told.got) == 1  # by our own topic all the same


def test_without_a_centre_nothing_is_announced(tmp_path: Path) -> None:
    assert Told(tmp_path, Wis2()).send() == []


def test_an_end_and_an_area_without_a_polygon_are_announced_too(tmp_path: Path) -> None:
    told = Told(tmp_path)
    (over,) = told.send(level=Level.NONE, action=Action.NONE, msg_type="cancel")
    assert over["properties"]["end_datetime"]
    (nowhere,) = told.send(area="nowhere", alert="n")
    assert nowhere["geometry"] is None


def test_a_circle_is_its_middle() -> None:
    body = CIRCLE.encode()
    found = notification(CENTRE, body, "https://warn.example/a.xml")
    assert found is not None
    assert json.loads(found)["geometry"] == {"type": "Point", "coordinates": [116.2, 40.4]}


CIRCLE = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a</identifier><sender>s</sender>
<sent>2026-07-01T06:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info>
<category>Met</category><event>e</event><urgency>Immediate</urgency><severity>Severe</severity>
<certainty>Likely</certainty><onset>2026-07-01T06:00:00+08:00</onset><expires>2026-07-01T09:00:00+08:00</expires>
<area><areaDesc>a</areaDesc><circle>40.4,116.2 1.0</circle></area></info></alert>"""


def test_only_a_live_run_may_write_there() -> None:
    live = rights(district(), "live")[SEND].write
    assert "origin/a/wis2/cn-yanqing/#" in live
    assert not [t for t in rights(district(), "exercise-1")[SEND].write if t.startswith("origin")]
    assert not [t for t in rights(yanqing(), "live")[SEND].write if t.startswith("origin")]


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"centre_id": "Yanqing"}, "wis2.centre_id"),
        ({"metadata_id": "x"}, "wis2.metadata_id"),
        ({"topic": "weather/#"}, "wis2.topic"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(said: dict[str, Any], key: str) -> None:
    good = Channels(wis2=CENTRE, cap_url="https://warn.example/cap")
    assert wis2_problems(good) == wis2_problems(Channels()) == []
    bad = msgspec.structs.replace(good, wis2=msgspec.structs.replace(CENTRE, **said))
    assert [p.column for p in wis2_problems(bad)] == [key]
    nowhere = msgspec.structs.replace(good, cap_url="")
    assert [p.column for p in wis2_problems(nowhere)] == ["cap_url"]
