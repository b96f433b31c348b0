"""CAP of other authorities at the door: what is taken, as what, and what is refused and why."""

import base64
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from config.records.level import Level
from config.records.sources import Source
from ingest.cap.decode import MAX_BYTES, NAMESPACE, SIGNATURE
from ingest.cap.interpret import Hearing
from ingest.decode.reading import REASONS
from ingest.observation import CapIn
from stream.records import Rejected
from tests.support.cap_world import (
    HUAILAI,
    MIN,
    WEATHER,
    area_xml,
    code_xml,
    hearing,
    key_of,
    message,
    reference,
    signed,
    sources,
)
from tests.support.decide_district import T0, yanqing
from tests.support.examples import examples


def hear(body: bytes, at: int = T0, *, live: bool = True, way: str = "", **changes: Any) -> Any:
    return Hearing(hearing(**changes), live).heard(body, at, way)


def with_weather(**changes: Any) -> dict[str, Source]:
    found = sources().source
    return {**found, WEATHER: msgspec.structs.replace(found[WEATHER], **changes)}


def refused(found: Any) -> str:
    assert isinstance(found, Rejected), found
    assert found.reason in REASONS
    assert found.detail
    return found.reason


def said(found: Any) -> dict[tuple[str, str], Level]:
    assert isinstance(found, CapIn), found
    return {(s.area, s.hazard): s.level for s in found.says}


def test_a_signed_warning_for_the_whole_district_speaks_of_every_area() -> None:
    found = hear(signed(message()))
    assert found.source == WEATHER
    assert found.signed
    levels = said(found)
    areas = yanqing().areas
    assert set(levels) == {(a, h) for a in areas for h in ("flash_flood", "debris_flow")}
    assert set(levels.values()) == {Level.RED}
    assert found.expires_at == T0 + 6 * 60 * MIN


@pytest.mark.parametrize(
    ("code", "areas"),
    [
        ("110119200225", {"A01"}),  # the village
        ("110119200000", None),  # its township
        ("110000", "all"),  # the city
        ("110119", "all"),
        ("130730", set()),  # another county, another province
        ("13", set()),
    ],
)
def test_division_codes_hold_each_other(code: str, areas: Any) -> None:
    place = code_xml(code)
    found = hear(signed(message(areas=place)))
    if areas == set():
        assert refused(found) == "not_for_us"
        return
    got = {a for a, _ in said(found)}
    district = yanqing()
    if areas == "all":
        assert got == set(district.areas)
    elif areas is None:
        assert got == {a.id for a in district.areas.values() if a.division.startswith("110119200")}
        assert len(got) > 1
    else:
        assert got == areas


def test_polygons_and_circles_touch_what_they_touch() -> None:
    a = yanqing().areas["A01"]
    box = " ".join(
        f"{a.lat + dy},{a.lon + dx}"
        for dx, dy in (
            (-0.001, -0.001),
            (0.001, -0.001),
            (0.001, 0.001),
            (-0.001, 0.001),
            (-0.001, -0.001),
        )
    )
    place = f"<area><areaDesc>x</areaDesc><polygon>{box}</polygon></area>"
    assert {x for x, _ in said(hear(signed(message(areas=place))))} == {"A01"}
    crossed = " ".join(  # a ring that crosses itself is mended, not refused
        f"{a.lat + dy},{a.lon + dx}"
        for dx, dy in ((-0.01, -0.01), (0.01, 0.01), (0.01, -0.01), (-0.01, 0.01), (-0.01, -0.01))
    )
    place = f"<area><areaDesc>x</areaDesc><polygon>{crossed}</polygon></area>"
    assert "A01" in {x for x, _ in said(hear(signed(message(areas=place))))}
    place = f"<area><areaDesc>x</areaDesc><circle>{a.lat},{a.lon} 0</circle></area>"
    assert {x for x, _ in said(hear(signed(message(areas=place))))} == {"A01"}
    place = f"<area><areaDesc>x</areaDesc><circle>{a.lat},{a.lon} 200</circle></area>"
    assert {x for x, _ in said(hear(signed(message(areas=place))))} == set(yanqing().areas)
    place = "<area><areaDesc>x</areaDesc><circle>10.0,10.0 50</circle></area>"
    assert refused(hear(signed(message(areas=place)))) == "not_for_us"


def test_a_place_upstream_means_the_areas_downstream_of_it() -> None:
    place = code_xml("130730203000")
    body = message("H1", sender="fengsui@huailai.example", event="flash_flood", areas=place)
    found = hear(signed(body, HUAILAI))
    assert said(found) == {("A01", "flash_flood"): Level.RED}


@pytest.mark.parametrize(
    ("severity", "extra", "level"),
    [
        ("Minor", "", Level.BLUE),
        ("Moderate", "", Level.YELLOW),
        ("Severe", "", Level.ORANGE),
        ("Extreme", "", Level.RED),
        ("Unknown", "", Level.BLUE),
        (
            "Extreme",
            "<parameter><valueName>预警颜色</valueName><value>黄色</value></parameter>",
            Level.YELLOW,
        ),
        (
            "Minor",
            "<parameter><valueName>预警颜色</valueName><value>Red</value></parameter>",
            Level.RED,
        ),
        (
            "Severe",
            "<parameter><valueName>预警颜色</valueName><value>紫</value></parameter>",
            Level.ORANGE,
        ),
    ],
)
def test_levels_come_from_the_colour_else_from_the_severity(
    severity: str, extra: str, level: Level
) -> None:
    found = hear(signed(message(severity=severity, extra=extra)))
    assert set(said(found).values()) == {level}


def test_a_source_maps_levels_its_own_way() -> None:
    found = hear(signed(message()), source=with_weather(levels={"extreme": "yellow"}))
    assert set(said(found).values()) == {Level.YELLOW}


def test_what_is_unsigned_badly_signed_or_signed_by_another_is_refused() -> None:
    assert refused(hear(message())) == "unsigned"
    assert refused(hear(signed(message(), HUAILAI))) == "bad_signature"
    body = signed(message())
    assert refused(hear(body.replace("暴雨预警".encode(), "大雾预警".encode()))) == "bad_signature"
    value = re.search(rb"<ds:SignatureValue>(.{8})", body)
    assert value is not None
    assert refused(hear(body.replace(value[1], b"AAAAAAAA"))) == "bad_signature"
    open_ = with_weather(unsigned=True)
    assert isinstance(hear(message(), source=open_), CapIn)
    # who may be unsigned may not be falsely signed
    assert refused(hear(signed(message(), HUAILAI), source=open_)) == "bad_signature"


def test_what_is_read_is_what_was_signed() -> None:
    """Signature wrapping: the signed message hidden in a forged one."""
    root = etree.fromstring(signed(message(severity="Minor")))
    forged = etree.fromstring(message("F1", severity="Extreme"))
    signature = root.find(SIGNATURE)
    assert signature is not None
    forged.append(signature)
    assert refused(hear(etree.tostring(forged))) == "bad_signature"
    # a signature that covers a part only: the inner element, by its Id
    part = etree.fromstring(message("F2"))
    info = part.find(f"{{{NAMESPACE}}}info")
    assert info is not None
    assert refused(hear(key_of(WEATHER).sign(etree.tostring(info)))) == "bad_payload"


def test_a_certificate_counts_only_while_it_is_valid() -> None:
    body = signed(message(sent_at=T0))
    assert isinstance(hear(body), CapIn)
    late = 4_500_000_000_000  # 2112
    body = signed(message(sent_at=late, expires_at=late + MIN))
    assert refused(hear(body, late)) == "bad_signature"


def test_times_that_cannot_be_now_are_refused() -> None:
    assert refused(hear(signed(message(sent_at=T0 + 6 * MIN)))) == "clock_ahead"
    assert isinstance(hear(signed(message(sent_at=T0 + 4 * MIN))), CapIn)
    assert refused(hear(signed(message(expires_at=T0 + MIN)), T0 + MIN)) == "expired"
    old = signed(message(expires_at=None))
    assert isinstance(hear(old, T0 + 86_000_000), CapIn)
    assert refused(hear(old, T0 + 86_400_000)) == "expired"
    # no validity reaches beyond what the source is given
    far = hear(signed(message(expires_at=T0 + 400 * 86_400_000)))
    assert far.expires_at == T0 + 86_400_000


def test_an_exercise_and_a_live_run_never_hear_each_others_words() -> None:
    real, play = signed(message()), signed(message(status="Exercise"))
    assert refused(hear(play)) == "wrong_status"
    assert refused(hear(signed(message(status="Test")))) == "wrong_status"
    assert refused(hear(real, live=False)) == "wrong_status"
    assert isinstance(hear(play, live=False), CapIn)


def test_who_nobody_declared_and_who_comes_by_anothers_way_is_refused() -> None:
    assert refused(hear(signed(message(sender="who@x.example")))) == "unknown_source"
    assert refused(hear(signed(message()), way=HUAILAI)) == "unknown_source"
    assert isinstance(hear(signed(message()), way=WEATHER), CapIn)


def test_what_concerns_us_not_says_why() -> None:
    found = hear(signed(message(event="大雾")))
    assert refused(found) == "not_for_us"
    assert "大雾" in found.detail
    assert isinstance(
        hear(signed(message(event="大雾")), source=with_weather(hazards={"*": ("flash_flood",)})),
        CapIn,
    )


def test_updates_and_cancels_name_what_they_replace() -> None:
    over = hear(signed(message("W2", kind="Cancel", references=reference("W1"), info=False)))
    assert over.msg_type == "cancel"
    assert over.says == ()
    assert [r.identifier for r in over.references] == ["W1"]
    assert refused(hear(signed(message("W2", kind="Cancel", info=False)))) == "bad_reference"
    bad = hear(signed(message("W2", kind="Cancel", references="W1", info=False)))
    assert refused(bad) == "bad_reference"
    # what an Update says counts, whatever it names; what of it can be read is ended
    mixed = hear(signed(message("W2", kind="Update", references=f"W1 {reference('W0')} a,b,c")))
    assert [r.identifier for r in mixed.references] == ["W0"]
    assert mixed.says
    assert hear(signed(message("W2", kind="Update", references="W1"))).says
    clear = hear(
        signed(
            message("W2", kind="Update", references=reference("W1")).replace(
                b"<urgency>", b"<responseType>AllClear</responseType><urgency>"
            )
        )
    )
    assert clear.says == ()
    assert len(clear.references) == 1


def test_answers_count_from_neighbours_to_our_messages_only() -> None:
    ours = reference("110119-actual-x-1", sender=yanqing().sender)
    said_by = {"sender": "fengsui@huailai.example", "info": False}
    found = hear(
        signed(message("H1", kind="Ack", references=ours, note="收到", **said_by), HUAILAI)
    )
    assert (found.msg_type, found.note) == ("ack", "收到")
    other = reference("W1")
    assert (
        refused(hear(signed(message("H1", kind="Error", references=other, **said_by), HUAILAI)))
        == "bad_reference"
    )
    assert (
        refused(hear(signed(message("W9", kind="Ack", references=ours, info=False))))
        == "bad_reference"
    )


def bomb(levels: int = 12) -> bytes:
    lines = "".join(
        f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "ha"}{("&l" + str(n - 1) + ";") * 9 if n else ""}">'
        for n in range(levels)
    )
    return (
        f'<?xml version="1.0"?><!DOCTYPE alert [{lines}]><alert xmlns="{NAMESPACE}">'
        f"<identifier>&l{levels - 1};</identifier></alert>"
    ).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "bad_payload"),
        (b"hello", "bad_payload"),
        (b"<alert/>", "bad_payload"),
        (b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.1"/>', "bad_payload"),
        (bomb(), "bad_payload"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>', "bad_payload"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "bad_payload"),
        (bomb().decode().encode("utf-16"), "bad_payload"),
        (b'<?xml version="1.0" encoding="utf-7"?><alert/>', "bad_payload"),
        (b'<?xml version="1.0" encoding="cp037"?><alert/>', "bad_payload"),
        (b"<alert>" * 5000, "bad_payload"),
        (b"<" + b"a" * MAX_BYTES, "oversize"),
    ],
)
def test_bad_bytes_are_refused_and_nothing_is_fetched(body: bytes, reason: str) -> None:
    assert refused(hear(body)) == reason


def test_huge_shapes_are_refused_before_they_are_worked_on() -> None:
    points = " ".join(f"{40 + n % 7 / 1000:.3f},116.1" for n in range(10_001))
    place = f"<area><areaDesc>x</areaDesc><polygon>{points}</polygon></area>"
    assert refused(hear(signed(message(areas=place)))) == "oversize"
    many = "<area><areaDesc>x</areaDesc></area>" * 5_001
    assert refused(hear(signed(message(areas=many)))) == "oversize"
    refs = " ".join(["a,b,2025-01-01T00:00:00+00:00"] * 201)
    assert refused(hear(signed(message(kind="Update", references=refs)))) == "oversize"
    gaps = " ".join(f"{40.4 + n % 70 / 1000:.3f},{116.1 + n % 9 / 100:.2f} x" for n in range(4_000))
    place = f"<area><areaDesc>x</areaDesc><polygon>{gaps}</polygon></area>"
    assert said(hear(signed(message(areas=place * 10))))
    for wrong in ("91", "40", "nan", "x"):
        place = f"<area><areaDesc>x</areaDesc><polygon>{wrong} {wrong} {wrong}</polygon></area>"
        assert refused(hear(signed(message(areas=place)))) == "bad_payload"


def test_every_area_of_a_polygon_is_found_whichever_way_it_is_drawn() -> None:
    district = yanqing()
    for area in list(district.areas.values())[:5]:
        ring = [*area.polygon]
        for points in (ring, ring[::-1], ring[1:]):  # turned, and not closed
            text = " ".join(f"{lat},{lon}" for lon, lat in points)
            place = f"<area><areaDesc>x</areaDesc><polygon>{text}</polygon></area>"
            assert area.id in {a for a, _ in said(hear(signed(message(areas=place))))}


@examples(300)
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda t: b"<" + t.encode()))
def test_no_bytes_break_the_door(body: bytes) -> None:
    found = Hearing(hearing(), True).heard(body, T0)
    assert isinstance(found, Rejected)
    assert found.reason in REASONS


_GOOD = signed(message(areas=area_xml(yanqing(), "A01")))


@examples(300)
@given(st.data())
def test_a_signed_message_with_any_byte_changed_is_refused_or_says_the_same(data: Any) -> None:
    place = data.draw(st.integers(0, len(_GOOD) - 1))
    byte = data.draw(st.integers(0, 255))
    body = _GOOD[:place] + bytes([byte]) + _GOOD[place + 1 :]
    found = Hearing(hearing(), True).heard(body, T0)
    if isinstance(found, CapIn):  # white space in base64 or in a tag means nothing
        good = Hearing(hearing(), True).heard(_GOOD, T0)
        assert isinstance(good, CapIn)
        assert msgspec.structs.replace(found, ref=good.ref) == good
    else:
        assert found.reason in REASONS


def test_the_dead_letter_holds_what_came() -> None:
    from pathlib import Path

    from ingest.cap.intake import CapDoor

    door = CapDoor(hearing(), True, Path("/nonexistent"))
    taken = door.take(b"<no/>", T0, "http:127.0.0.1")
    letter = msgspec.json.decode(taken.outs[0].value)
    assert taken.outs[0].topic == "dead-letters"
    assert base64.b64decode(letter["payload"]) == b"<no/>"
    assert letter["reason"] == "bad_payload"
