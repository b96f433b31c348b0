"""CAP that breaks the schema in ways that are really sent: what is certain is understood and noted,
what is not is refused with its element, a bad corner costs a shape no more than itself, and every
message of an envelope or a list counts alone."""

import base64
import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from config.language import zh
from config.records.level import Level
from ingest.cap.decode import MAX_BYTES, NAMESPACE, open_cap, parse_cap
from ingest.cap.envelopes import messages
from ingest.cap.feed_entries import entries
from ingest.cap.intake import CapDoor
from ingest.cap.interpret import Hearing, Listened
from ingest.cap.places import read_place
from ingest.cap.polygon import hull
from ingest.cap.tolerance import shape
from ingest.decode.gzip_in import unpacked
from ingest.decode.xml import Wrong
from ingest.observation import CapIn
from stream.records import Rejected
from tests.support.cap_world import MIN, WEATHER, hearing, message, reference, signed, sources
from tests.support.decide_district import T0, yanqing
from tests.support.examples import examples

A = yanqing().areas


def loose() -> Any:
    """A district whose weather office needs not sign: what is tried here is the form."""
    found = sources().source
    weather = msgspec.structs.replace(found[WEATHER], unsigned=True)
    return hearing(source={**found, WEATHER: weather})


HERE = Hearing(loose(), True)
PLAY = Hearing(loose(), False)


def listen(body: bytes, hears: Hearing = HERE) -> Listened:
    return hears.listen(body, T0)


def taken(body: bytes, hears: Hearing = HERE) -> CapIn:
    found = listen(body, hears).found
    assert isinstance(found, CapIn), found
    return found


def refused(body: bytes, *words: str, hears: Hearing = HERE) -> str:
    found = listen(body, hears).found
    assert isinstance(found, Rejected), found
    for word in words:
        assert word in found.detail, found.detail
    return found.reason


def areas(found: CapIn) -> set[str]:
    return {s.area for s in found.says}


def bare(found: CapIn) -> CapIn:
    return msgspec.structs.replace(found, ref="", deviations=())


# --- each deviation alone, and any of them together


def swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: re.sub(old, new, text, flags=re.DOTALL)


LOOSE: dict[str, Callable[[str], str]] = {
    "CAP 1.1": swap("cap:1.2", "cap:1.1"),
    "no namespace": swap(f' xmlns="{NAMESPACE}"', ""),
    "time in Z": swap(r"<sent>[^<]*", "<sent>2025-07-26T12:00:00Z"),
    "fraction": swap(r"<sent>([^<+]*)", r"<sent>\1.250"),
    "offset without colon": swap(r"\+08:00</(sent|expires)>", r"+0800</\1>"),
    "blank for T": swap(r"<(sent|expires)>(\S{10})T", r"<\1>\2 "),
    "GMT+8": swap(r"\+08:00</expires>", r"GMT+08:00</expires>"),
    "status first": swap(r"^(.*?<alert[^>]*>)(.*)(<status>.*?</status>)", r"\1\3\2"),
    "info before scope": swap(r"(<scope>.*?</scope>)(.*)(</alert>)", r"\2\1\3"),
    "expires last": swap(r"(<expires>.*?</expires>)(.*?)(</info>)", r"\2\1\3"),
    "area first": swap(r"(<info>)(.*?)(<area>.*</area>)", r"\1\3\2"),
    "empty references": swap("</scope>", "</scope><references/>"),
    "empty fields": swap("<urgency>", "<responseType/><urgency>"),
    "own elements": swap("</scope>", '</scope><x:status xmlns:x="urn:x">Test</x:status>'),
    "unknown elements": swap("</area>", "<Type>County</Type></area>"),
    "attributes": swap("<info>", '<info id="i1">'),
    "lower case": lambda t: re.sub(
        r"<(status|msgType|scope|category|urgency|severity|certainty)>([^<]*)",
        lambda m: f"<{m[1]}>{m[2].lower()}",
        t,
    ),
    "blanks": swap(r"<(status|severity)>([^<]*)", r"<\1>\n  \2 "),
    "names in other case": swap(r"(</?)msgType>", r"\1msgtype>"),
    "no scope": swap(r"<scope>.*?</scope>", ""),
    "no category": swap(r"<category>.*?</category>", ""),
    "no certainty": swap(r"<certainty>.*?</certainty>", ""),
    "no urgency": swap(r"<urgency>.*?</urgency>", ""),
    "very likely": swap(r"<certainty>.*?<", "<certainty>Very Likely<"),
    "no areaDesc": swap(r"<areaDesc>.*?</areaDesc>", ""),
    "no area": swap(r"</?area>", ""),
    "no valueName": swap(r"<valueName>.*?</valueName>", ""),
    "geocode of CAP 1.0": swap(r"<geocode><valueName>(.*?)</valueName><value>(.*?)</value>", r"<geocode>\1=\2"),
    "bare geocode": swap(r"<geocode><valueName>.*?</valueName><value>(.*?)</value>", r"<geocode>\1"),
    "resource without type": swap("<area>", "<resource><uri>x</uri></resource><area>"),
    "said twice": swap(r"(<severity>.*?</severity>)", r"\1\1"),
}  # fmt: skip
KINDS = st.sampled_from(["Minor", "Moderate", "Severe", "Extreme"])


def test_what_keeps_to_the_schema_has_no_note() -> None:
    found = taken(message())
    assert found.deviations == ()
    parse_cap(message())


@pytest.mark.parametrize("how", LOOSE)
def test_each_deviation_is_understood_and_noted(how: str) -> None:
    strict = message().decode()
    bent = LOOSE[how](strict)
    assert bent != strict, "the deviation is there"
    if how != "empty references":  # the schema has no word on it
        with pytest.raises(Wrong):
            parse_cap(bent.encode())
    want, found = taken(message()), taken(bent.encode())
    assert bare(found) == bare(want)
    assert found.deviations, "and told"
    assert listen(bent.encode()).unread == (), "nothing of it is lost"


@examples(250)
@given(
    st.lists(st.sampled_from(sorted(LOOSE)), min_size=1, max_size=4, unique=True),
    KINDS,
    st.sampled_from(["A01", "A10", "A19"]),
    st.sampled_from(["Alert", "Update"]),
    st.integers(0, 40),
)
def test_any_of_them_together_mean_what_the_strict_form_means(
    how: list[str], severity: str, area: str, kind: str, minute: int
) -> None:
    """A signature over the bent form counts as well: it is verified before anything is mended."""
    place = (
        f"<area><areaDesc>x</areaDesc><geocode><valueName>c</valueName>"
        f"<value>{A[area].division}</value></geocode></area>"
    )
    strict = message(
        severity=severity,
        kind=kind,
        references=reference("W0", T0 - minute * MIN) if kind == "Update" else "",
        areas=place,
    )
    text = strict.decode()
    for name in how:
        text = LOOSE[name](text)
    try:
        etree.fromstring(text.encode())
    except etree.XMLSyntaxError:
        return  # two of them that do not go together are no message
    want, found = listen(strict).found, listen(text.encode()).found
    assert isinstance(want, CapIn)
    assert isinstance(found, CapIn), (how, found)
    assert bare(found) == bare(want), how
    shaped = shape(open_cap(text.encode()))
    parse_cap(etree.tostring(shaped.root))  # what is read keeps to the schema
    assert found.deviations or text.encode() == strict


@pytest.mark.parametrize("how", ["lower case", "expires last", "unknown elements", "time in Z"])
def test_a_signature_is_verified_before_anything_is_mended(how: str) -> None:
    hears = Hearing(hearing(), True)
    bent = LOOSE[how](message().decode()).encode()
    found = hears.heard(signed(bent), T0)
    assert isinstance(found, CapIn), found
    assert found.signed
    assert found.deviations
    broken = LOOSE[how](signed(message()).decode()).encode()
    was = hears.heard(broken, T0)
    assert isinstance(was, Rejected)
    assert was.reason == "bad_signature", "changed after it was signed"


# --- what is never guessed


@pytest.mark.parametrize(
    "status", ["Real", "Actual2", "", "Ａctual", "Act ual", "actual-test", "Live", "0"]
)
def test_no_other_status_becomes_actual(status: str) -> None:
    body = message().replace(b"<status>Actual", f"<status>{status}".encode())
    for hears in (HERE, PLAY):
        assert refused(body, "status", hears=hears) in ("bad_payload", "wrong_status")


def test_exercise_test_and_draft_stay_what_they_are_in_any_case() -> None:
    for status in ("exercise", "TEST", "Draft", "system"):
        body = message().replace(b"<status>Actual", f"<status>{status}".encode())
        assert refused(body) == "wrong_status"
    twice = message().replace(b"</status>", b"</status><status>Test</status>")
    assert refused(twice, "status") == "bad_payload"
    assert refused(message().replace(b"<status>Actual</status>", b""), "<status>") == "bad_payload"
    commented = message().replace(b"<status>Actual", b"<status>Actual<!-- x -->Test")
    assert refused(commented, "status") == "bad_payload", "a comment cuts no text short"


@pytest.mark.parametrize("name", ["identifier", "sender", "sent", "status", "msgType"])
def test_what_a_message_cannot_be_without_is_named(name: str) -> None:
    body = re.sub(f"<{name}>.*?</{name}>".encode(), b"", message())
    assert refused(body, f"<{name}>") == "bad_payload"


@pytest.mark.parametrize("sent", ["2025-07-26T20:00:00", "yesterday", "26/07/2025 20:00", ""])
def test_a_time_without_an_offset_is_none(sent: str) -> None:
    body = re.sub(b"<sent>[^<]*", f"<sent>{sent}".encode(), message())
    assert refused(body, "sent") in ("bad_time", "bad_payload")


@pytest.mark.parametrize("severity", ["", "Sever", "High", "严重", "5"])
def test_a_severity_is_never_guessed(severity: str) -> None:
    body = re.sub(b"<severity>[^<]*", f"<severity>{severity}".encode(), message())
    assert refused(body, "severity") == "bad_payload"
    gone = re.sub(b"<severity>.*?</severity>", b"", message())
    assert refused(gone, "severity") == "bad_payload"
    two = message().replace(b"</severity>", b"</severity><severity>Minor</severity>")
    assert refused(two, "severity") == "bad_payload"
    colour = "<parameter><valueName>预警颜色</valueName><value>橙色</value></parameter>"
    known = re.sub(b"<severity>[^<]*", f"<severity>{severity}".encode(), message(extra=colour))
    found = taken(known)
    assert {s.level for s in found.says} == {Level.ORANGE}, "its colour is certain"
    assert any("severity" in d for d in found.deviations)


def test_of_several_infos_one_broken_costs_the_others_nothing() -> None:
    whole = message(severity="Severe").decode()
    info = re.search("<info>.*</info>", whole)
    assert info is not None
    english = info[0].replace("zh-CN", "en-US").replace("Severe", "Sever")
    found = taken(whole.replace(info[0], info[0] + english).encode())
    assert {s.level for s in found.says} == {Level.ORANGE}
    assert any("info 2 severity" in d for d in found.deviations)
    first = taken(whole.replace(info[0], english + info[0]).encode())
    assert first.says == found.says


def test_an_update_that_cannot_be_read_whole_ends_nothing() -> None:
    whole = message("W2", kind="Update", references=reference("W1"))
    broken = re.sub(b"<severity>[^<]*", b"<severity>Sever", whole)
    assert refused(broken, "severity") == "bad_payload", "the earlier warning stays"
    shape_lost = message(
        "W2",
        kind="Update",
        references=reference("W1"),
        areas=(
            "<area><areaDesc>x</areaDesc><polygon>x</polygon></area>"
            f"<area><areaDesc>y</areaDesc><geocode><valueName>c</valueName>"
            f"<value>{A['A01'].division}</value></geocode></area>"
        ),
    )
    found = taken(shape_lost)
    assert areas(found) == {"A01"}
    assert found.references == ()
    assert taken(whole).references != ()


def test_an_end_before_the_beginning_is_no_end() -> None:
    found = taken(message(expires_at=T0 - 60 * MIN))
    assert found.expires_at == T0 + 86_400_000
    assert any("expires" in d for d in found.deviations)


def test_what_begins_later_counts_until_it_has_been() -> None:
    onset = "<onset>2025-07-28T08:00:00+08:00</onset>"
    body = message(expires_at=None).decode().replace("<headline>", onset + "<headline>")
    found = taken(body.encode())
    assert found.expires_at > T0 + 86_400_000 + 30 * 3_600_000
    far = taken(body.replace("2025-07-28", "2099-07-28").encode())
    assert far.expires_at <= T0 + 8 * 86_400_000, "no forecast reaches so far"


# --- shapes


def ring(area: str, size: float = 0.02) -> list[tuple[float, float]]:
    a = A[area]
    return [
        (a.lat + dy, a.lon + dx)
        for dy, dx in ((-size, -size), (-size, size), (size, size), (size, -size), (-size, -size))
    ]


def polygon(points: list[Any]) -> str:
    words = [p if isinstance(p, str) else f"{p[0]:.5f},{p[1]:.5f}" for p in points]
    return f"<area><areaDesc>x</areaDesc><polygon>{' '.join(words)}</polygon></area>"


@pytest.mark.parametrize("n", range(4))
@pytest.mark.parametrize(
    "bad", ["nan,116", "x,y", "40.4", "91,200", "40.4;116", "400.4,116.1", ","]
)
def test_a_bad_corner_costs_no_place_that_the_polygon_holds(n: int, bad: str) -> None:
    want = areas(taken(message(areas=polygon(ring("A01")))))
    points: list[Any] = ring("A01")
    points[n] = bad
    found = taken(message(areas=polygon(points)))
    assert areas(found) >= want
    assert any("polygon" in d for d in found.deviations)
    assert listen(message(areas=polygon(points))).unread, "and the duty room is told"


@examples(200)
@given(
    st.lists(
        st.tuples(st.floats(40.2, 40.8), st.floats(115.7, 116.5)),
        min_size=5,
        max_size=9,
        unique=True,
    ),
    st.data(),
)
def test_what_is_left_of_a_convex_polygon_is_never_smaller_where_its_angles_are_wide(
    points: list[tuple[float, float]], data: st.DataObject
) -> None:
    import shapely

    corners = list(hull(points))[:-1]
    if len(corners) < 5:
        return
    n = data.draw(st.integers(0, len(corners) - 1))
    text = " ".join("?" if i == n else f"{p[0]},{p[1]}" for i, p in enumerate(corners))
    place = read_place([text], [], [])
    assert place.unread
    assert not place.blind
    rest = [p for i, p in enumerate(corners) if i != n]
    left = shapely.Polygon(place.polygons[0])
    assert all(left.buffer(1e-9).covers(shapely.Point(p)) for p in rest)
    assert len(place.circles) == 1


def test_a_swapped_polygon_is_turned_only_where_that_is_certain() -> None:
    want = areas(taken(message(areas=polygon(ring("A01")))))
    turned = [(x, y) for y, x in ring("A01")]
    found = taken(message(areas=polygon(turned)))
    assert areas(found) == want
    assert any("lon,lat" in d for d in found.deviations)
    one: list[Any] = ring("A01")
    one[1] = (one[1][1], one[1][0])
    assert areas(taken(message(areas=polygon(one)))) == want
    a = A["A01"]
    circle = f"<area><areaDesc>x</areaDesc><circle>{a.lon},{a.lat} 0.5</circle></area>"
    assert "A01" in areas(taken(message(areas=circle)))
    # both could be latitudes: nobody can say
    assert read_place(["50,80 51,80 51,81 50,80"], [], []).polygons[0][0] == (50.0, 80.0)


def test_rings_that_are_written_otherwise_mean_the_same() -> None:
    points = ring("A01")
    want = areas(taken(message(areas=polygon(points))))
    text = [f"{y:.5f},{x:.5f}" for y, x in points]
    for words, note in (
        (" ".join(text[:-1]), "closed"),
        (" ".join([text[0], *text]), "repeated"),
        (";".join(text), ";"),
        (" ".join(text).replace(",", " "), "commas"),
    ):
        body = message(areas=f"<area><areaDesc>x</areaDesc><polygon>{words}</polygon></area>")
        found = taken(body)
        assert areas(found) == want, note
        assert any(note in d for d in found.deviations)
        assert listen(body).unread == ()


def test_two_corners_are_the_box_between_them() -> None:
    points = ring("A01")
    want = areas(taken(message(areas=polygon(points))))
    found = taken(message(areas=polygon([points[0], points[2]])))
    assert areas(found) >= want


@pytest.mark.parametrize("radius", ["", " nan", " -2", " 99999", " x", " 0", " 1e999"])
def test_a_circle_keeps_its_centre_when_its_radius_is_bad(radius: str) -> None:
    a = A["A01"]
    body = message(
        areas=f"<area><areaDesc>x</areaDesc><circle>{a.lat + 0.004},{a.lon}{radius}</circle></area>"
    )
    found = taken(body)
    assert "A01" in areas(found)
    assert any("circle" in d or "半径" in d for d in found.deviations)


def test_a_bad_code_among_good_ones_is_told() -> None:
    code = "<geocode><valueName>行政区划代码</valueName><value>{}</value></geocode>"
    both = f"<area><areaDesc>x</areaDesc>{code.format(A['A01'].division)}{code.format('1101191X6204')}</area>"
    found = taken(message(areas=both))
    assert areas(found) == {"A01"}
    assert any("1101191X6204" in d for d in found.deviations)


def test_a_place_without_shape_or_code_is_known_by_its_name() -> None:
    def named(name: str) -> Any:
        return listen(message(areas=f"<area><areaDesc>{name}</areaDesc></area>")).found

    township = {a.id for a in A.values() if a.township == "大庄科乡"}
    for name in ("延庆区", "北京市延庆区", "延庆"):
        assert areas(named(name)) == set(A)
    for name in ("大庄科乡", "延庆区大庄科乡", "北京市延庆区大庄科乡香屯村"):
        assert areas(named(name)) == township
    assert areas(named("大庄科乡、四海镇")) > township
    for name in ("怀来县", "浙江省某市大庄科乡", "x"):
        assert isinstance(named(name), Rejected), name
    found = named("延庆区")
    assert any("areaDesc" in d for d in found.deviations)
    lost = "<area><areaDesc>延庆区大庄科乡</areaDesc><polygon>?</polygon></area>"
    assert areas(taken(message(areas=lost))) == township


# --- envelopes and lists


def inner(identifier: str = "W1", **changes: Any) -> str:
    text = message(identifier, **changes).decode()
    return text[text.index("<alert") :]


DE1 = (
    '<d:EDXLDistribution xmlns:d="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><d:distributionID>1'
    "</d:distributionID><d:distributionStatus>{status}</d:distributionStatus><d:contentObject>"
    "<d:xmlContent><d:keyXMLContent>{key}</d:keyXMLContent><d:embeddedXMLContent>{body}"
    "</d:embeddedXMLContent></d:xmlContent></d:contentObject></d:EDXLDistribution>"
)
DE2 = (
    '<d:edxlDistribution xmlns:d="urn:oasis:names:tc:emergency:EDXL:DE:2.0"><d:distributionStatus>'
    '<s:StatusKindDefault xmlns:s="urn:s">{status}</s:StatusKindDefault></d:distributionStatus>'
    "<d:content><d:contentObject><d:contentXML><d:embeddedXMLContent>{body}</d:embeddedXMLContent>"
    "</d:contentXML></d:contentObject></d:content></d:edxlDistribution>"
)
SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><n:send xmlns:n="urn:n">'
    "<arg0>{body}</arg0></n:send></s:Body></s:Envelope>"
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>e</id><content type="application/xml">'
    "{body}</content></entry></feed>"
)
LIST = '<alerts xmlns="urn:oasis:names:tc:emergency:cap:1.2">{body}</alerts>'
ENVELOPES = {"DE 1.0": DE1, "DE 2.0": DE2, "SOAP": SOAP, "Atom": ATOM, "list": LIST}


def wrapped(name: str, body: str, status: str = "Actual") -> bytes:
    return ENVELOPES[name].format(body=body, status=status, key="").encode()


@pytest.fixture
def door(tmp_path: Path) -> CapDoor:
    return CapDoor(loose(), True, tmp_path)


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_message_in_an_envelope_is_the_message(name: str, door: CapDoor) -> None:
    strict = taken(message())
    for body in (
        inner(),
        f"<![CDATA[{message().decode()}]]>",
        inner().replace("&", "&amp;").replace("<", "&lt;"),
    ):
        found = door.take(wrapped(name, body), T0, "x")
        assert [bare(f) for f in found.good] == [bare(strict)]
        assert found.told == ()


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_signature_holds_within_an_envelope(name: str, tmp_path: Path) -> None:
    door = CapDoor(hearing(), True, tmp_path)
    text = signed(message()).decode()
    text = text[text.index("<alert") :] if text.startswith("<?xml") else text
    found = door.take(wrapped(name, text), T0, "x")
    assert [f.signed for f in found.good] == [True]
    cheat = door.take(wrapped(name, text.replace("Extreme", "Minor")), T0, "x")
    assert [w.reason for w in cheat.told] == ["bad_signature"]
    none = door.take(wrapped(name, inner()), T0, "x")
    assert [w.reason for w in none.told] == ["unsigned"]


def test_one_bad_message_of_a_list_loses_no_other_and_has_its_number(door: CapDoor) -> None:
    body = "".join(
        (
            inner("W1"),
            inner("W2").replace("<status>Actual", "<status>Real"),
            inner("W3"),
            inner("W4").replace("cma@weather", "nobody@weather"),
        )
    )
    found = door.take(wrapped("list", body), T0, "x")
    assert [f.identifier for f in found.good] == ["W1", "W3"]
    assert [zh(w.detail)[:3] for w in found.told] == ["第 2", "第 4"]
    assert [o.topic for o in found.outs].count("dead-letters") == 2


@pytest.mark.parametrize("name", ["DE 1.0", "DE 2.0"])
@pytest.mark.parametrize("status", ["Exercise", "Test", "System", " test "])
def test_an_envelope_that_plays_makes_nothing_real(name: str, status: str, door: CapDoor) -> None:
    found = door.take(wrapped(name, inner(), status), T0, "x")
    assert [w.reason for w in found.told] == ["wrong_status"]
    real = door.take(wrapped(name, inner(status="Test"), "Actual"), T0, "x")
    assert [w.reason for w in real.told] == ["wrong_status"]


def test_extracts_are_no_messages_and_contents_in_base64_are() -> None:
    whole = DE1.format(status="Actual", key=inner("KEY"), body=inner("W1"))
    assert len(messages(whole.encode())) == 1
    packed = base64.b64encode(message()).decode()
    other = f"<o><nonXMLContent><contentData>{packed}</contentData></nonXMLContent></o>"
    assert messages(other.encode())[0].body.startswith(b"<alert")


def test_the_guards_stand_within_envelopes_too(door: CapDoor) -> None:
    dtd = "<![CDATA[<!DOCTYPE a [<!ELEMENT a ANY>]>" + inner() + "]]>"
    found = door.take(wrapped("SOAP", dtd), T0, "x")
    assert [w.reason for w in found.told] == ["bad_payload"]
    assert "DTD" in found.told[0].detail
    many = wrapped("list", "<alert/>" * 1_100)
    assert len(door.take(many, T0, "x").told) == 1_001
    assert door.take(b" " * (MAX_BYTES + 1), T0, "x").told[0].reason == "oversize"
    spaces = "".join(f' xmlns:n{i}="urn:{i:040}"' for i in range(6_000))
    wide = f"<x{spaces}>{'<alert/>' * 900}</x>".encode()
    assert door.take(wide, T0, "x").told[-1].reason == "oversize"


def test_what_is_packed_is_unpacked_and_no_further_than_the_limit(door: CapDoor) -> None:
    assert door.take(gzip.compress(message()), T0, "x").good
    bomb = gzip.compress(b"<a>" + b" " * (3 * MAX_BYTES) + b"</a>")
    assert len(unpacked(bomb, MAX_BYTES)) == MAX_BYTES + 1
    assert door.take(bomb, T0, "x").told[0].reason == "oversize"
    for broken in (gzip.compress(message())[:-20], b"\x1f\x8b123"):
        assert door.take(broken, T0, "x").told[0].reason == "bad_payload"


@examples(200)
@given(st.binary(max_size=300), st.sampled_from(sorted(ENVELOPES)))
def test_nothing_in_an_envelope_breaks_the_reader(body: bytes, name: str) -> None:
    text = inner().replace("暴雨", body.decode("latin-1"))
    try:
        parts = messages(wrapped(name, text))
    except Wrong:
        return
    for part in parts:
        HERE.listen(part.body, T0, "", part.status)


@pytest.mark.parametrize("blank", [" ", "\n"])
def test_what_is_long_costs_no_more_than_its_length(blank: str) -> None:
    """A run of blanks, a list of names or names of namespaces that are looked at again and again would
    take hours here: this ends at all."""
    run = blank * 900_000
    whole = message(areas=polygon([f"40,116{run}41,116{run}x"])).decode()
    assert listen(whole.encode()).unread
    whole = message(areas=f"<area><areaDesc>{'乡、' * 300_000}</areaDesc></area>").decode()
    assert isinstance(listen(whole.encode()).found, Rejected)
    late = message().decode().replace("<sent>", f"<sent>2025{run}")
    assert isinstance(listen(late.encode()).found, Rejected)
    spaces = "".join(f' xmlns:n{i}="urn:{i:040}"' for i in range(6_000))
    stray = "<area><areaDesc>x</areaDesc></area>" * 4_000
    bare_ = f'<alert{spaces} xmlns="{NAMESPACE}">' + inner().partition(">")[2].replace(
        "</alert>", stray + "</alert>"
    )
    assert isinstance(listen(bare_.encode()).found, CapIn)


# --- feeds, and what is no XML but for an &


def feed_of(*entries: str) -> bytes:
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>'.encode()


def entry(n: int, inner: str) -> str:
    return f"<entry><id>e{n}</id><updated>2025-07-26T1{n}:00:00Z</updated>{inner}</entry>"


def test_a_bad_entry_of_a_feed_costs_no_other_entry() -> None:
    body = feed_of(
        entry(1, '<link href="a?x=1&y=2"/><summary>wind &amp; rain&nbsp;</summary>'),
        entry(2, "<summary>no link</summary>"),
        entry(3, f'<content type="text/xml">{inner("W3")}</content>'),
        entry(4, f'<content type="text/xml">{inner("W4")}{inner("W5")}</content>'),
        entry(5, f"<content>{inner('W6').replace('<', '&lt;')}</content>"),
    )
    for sent in (body, gzip.compress(body), body.replace(b"no link", b"no\x0blink")):
        found = {
            f.key.split()[0] + f.key.split()[1][:2]: f for f in entries(sent, "http://x.example/f")
        }
        assert len(found) == 5
        urls = [f.url for f in found.values() if not f.body and not f.wrong]
        assert urls == ["http://x.example/a?x=1&y=2"]
        assert [bool(f.wrong) for f in found.values()].count(True) == 1
        assert [len(messages(f.body)) for f in found.values() if f.body] == [1, 2, 1]


def test_a_stray_ampersand_is_text_and_breaks_a_signature() -> None:
    body = message(note="wind x rain").replace(b"wind x", b"wind & sleet?a=1&b=2&nbsp;")
    door_of = CapDoor(loose(), True, Path("unused"))
    (one,) = door_of.judged(body, T0, "")
    assert isinstance(one, CapIn)
    assert one.note == "wind & sleet?a=1&b=2&nbsp; rain"
    assert any("document" in d for d in one.deviations)
    strict = CapDoor(hearing(), True, Path("unused"))
    whole = signed(message(note="wind x rain"))
    (two,) = strict.judged(whole.replace(b"wind x", b"wind &"), T0, "")
    assert isinstance(two, Rejected)
    assert two.reason == "bad_signature"
