"""CAP as weather offices really send it: one thing that cannot be read beside one that can, codes of every
length, sizes that are issued, any encoding of XML, ids that are said again, feeds of every shape."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Level
from detectors.memory.cap import CapState, changes, forget, take, top
from ingest.cap.feed_entries import entries
from ingest.cap.intake import CapDoor
from ingest.cap.interpret import Hearing, Listened
from ingest.cap.places import division_codes, read_place
from ingest.decode.xml import Wrong, as_utf8
from ingest.observation import CapIn
from stream.log.open import open_log
from stream.records import Rejected
from tests.support.cap_heard import VALID, cap, level
from tests.support.cap_ways import Feed, letters, listed, names, poller
from tests.support.cap_world import MIN, WEATHER, hearing, message, signed
from tests.support.decide_district import T0, yanqing
from tests.support.examples import examples

A = yanqing().areas
GOOD_CODE = f"<geocode><valueName>c</valueName><value>{A['A01'].division}</value></geocode>"
GOOD_CIRCLE = f"<circle>{A['A01'].lat},{A['A01'].lon} 0.1</circle>"
BAD = [
    "<polygon>40.45,116.18 40.45),116.24 40.41,116.24 40.45,116.18</polygon>",
    "<polygon>116.36,40.49 116.40,40.49 116.40,40.52 116.36,40.49</polygon>",
    "<polygon>10.0,-180.005 10.1,-179.9 10.2,-179.9 10.0,-180.005</polygon>",
    "<polygon>nan,116 40,116 41,116</polygon>",
    "<polygon>40.45;116.18</polygon>",
    "<circle>40.61</circle>",
    "<circle>40.61,116.21</circle>",
    "<circle>40.61,116.21 -2</circle>",
    "<circle>40.61,116.21 99999</circle>",
    "<circle>91,116.21 2</circle>",
]
# not one corner or centre of these is a place
NOTHING_LEFT = [BAD[4], BAD[5], BAD[9]]


@pytest.fixture
def feed() -> Any:
    found = Feed()
    yield found
    found.close()


@pytest.fixture
def log(tmp_path: Path) -> Any:
    found = open_log(f"sqlite:///{tmp_path}", "live", "yanqing", hearing().partitions)
    yield found
    found.close()


def listen(body: bytes, at: int = T0) -> Listened:
    return Hearing(hearing(), True).listen(body, at)


def areas(found: Any) -> set[str]:
    assert isinstance(found, CapIn), found
    return {s.area for s in found.says}


def place(*shapes: str) -> str:
    # CAP's order: polygons, circles, codes
    rank = {"<p": 0, "<c": 1, "<g": 2}
    return (
        f"<area><areaDesc>x</areaDesc>{''.join(sorted(shapes, key=lambda s: rank[s[:2]]))}</area>"
    )


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("good", [GOOD_CODE, GOOD_CIRCLE])
def test_one_bad_shape_costs_nothing_beside_it_and_is_told(bad: str, good: str) -> None:
    found = listen(signed(message(areas=place(bad, good)))).found
    assert areas(found) >= {"A01"}
    assert isinstance(found, CapIn)
    assert len(found.deviations) == 1
    apart = listen(signed(message(areas=place(bad) + place(good))))
    assert areas(apart.found) >= {"A01"}
    alone = listen(signed(message(areas=place(bad)))).found
    if isinstance(alone, Rejected):  # it may have been ours: nobody says that it was not
        assert alone.reason == "bad_payload"
    else:
        assert bad not in NOTHING_LEFT


def test_what_is_told_is_a_dead_letter_beside_the_record(tmp_path: Path) -> None:
    taken = CapDoor(hearing(), True, tmp_path).take(
        signed(message(areas=place(BAD[0], GOOD_CODE))), T0, "x"
    )
    assert [o.topic for o in taken.outs].count("dead-letters") == 1
    assert taken.part is not None
    assert "polygon" in taken.part.detail


@pytest.mark.parametrize(
    "text",
    ["40.66, 116.21 40.69, 116.21 40.69 ,116.25", "40.66，116.21 40.69，116.21 40.69，116.25"],
)
def test_blanks_round_a_comma_mean_nothing(text: str) -> None:
    assert read_place([text], [], []).polygons == (
        ((40.66, 116.21), (40.69, 116.21), (40.69, 116.25)),
    )
    for circle in ("40.61, 116.21 2", "40.61,116.21  2.0 km", "40.61,116.21,2"):
        assert read_place([], [circle], []).circles == ((40.61, 116.21, 2.0),)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("110119", ["110119"]),
        ("110119106", ["110119106"]),
        ("110119106204", ["110119106204"]),
        ("11011910620401", ["11011910620401"]),
        (" 110119 106 204 ", ["110119106204"]),
        ("110119-106", ["110119106"]),
        ("１１０１１９１０６", ["110119106"]),
        ("CN-110119106", ["110119106"]),
        ("行政区划代码：110119106", ["110119106"]),
        ("GB/T2260:110119", []),  # a figure before it: which is it?
        ("110119106,110119107", ["110119106", "110119107"]),
        ("110119106 110119107", ["110119106", "110119107"]),
        ("110119106、110119107", ["110119106", "110119107"]),
        ("2.49.0.1.156", []),
        ("DE012", []),
        ("", []),
        ("1101191", []),
    ],
)
def test_division_codes_as_they_are_written(text: str, codes: list[str]) -> None:
    assert division_codes(text) == codes


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ("110119106", "110119106"),
        ("110119106000", "110119106"),
        ("11011910600000", "110119106"),
        ("110119000", "110119"),
        ("110119200225", "110119200225"),
        ("11011920022500", "110119200225"),
        ("11011920022503", "110119200225"),
        ("CN 110119106", "110119106"),
    ],
)
def test_a_code_of_any_length_means_what_it_holds(code: str, begins: str) -> None:
    area = f"<geocode><valueName>division</valueName><value>{code}</value></geocode>"
    found = listen(signed(message(areas=place(area)))).found
    assert areas(found) == {a.id for a in A.values() if a.division.startswith(begins)}


def test_sizes_that_are_issued_are_read() -> None:
    """Two languages of one message, with 6,200 points or 600 areas in each."""
    a = A["A01"]
    points = " ".join(
        f"{a.lat + n % 90 / 1e5:.5f},{a.lon + n // 90 / 1e5:.5f}" for n in range(6_200)
    )
    for part in (place(f"<polygon>{points}</polygon>"), place(GOOD_CODE) * 600):
        whole = message(areas=part)
        begin, end = whole.index(b"<info>"), whole.index(b"</info>") + 7
        body = whole[:end] + whole[begin:end].replace(b"zh-CN", b"en-US") + whole[end:]
        assert "A01" in areas(listen(signed(body)).found)


ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb2312", "gbk", "gb18030",
)  # fmt: skip


@pytest.mark.parametrize("codec", ENCODINGS)
def test_any_encoding_of_xml_and_its_signature_holds(codec: str) -> None:
    text = signed(message()).decode()
    name = {"utf-8-sig": "UTF-8"}.get(codec, codec.removesuffix("-le").removesuffix("-be"))
    text = text[text.index("<alert") :]
    body = f'<?xml version="1.0" encoding="{name}"?>{text}'.encode(codec)
    assert areas(listen(body).found) == set(A)


@pytest.mark.parametrize(
    ("name", "codec", "word"),
    [
        ("windows-1252", "cp1252", "crue éclair"), ("windows-1251", "cp1251", "ливень"),
        ("ISO-8859-1", "latin-1", "crue éclair"), ("iso-8859-15", "iso8859-15", "crue €"),
        ("KOI8-R", "koi8-r", "ливень"), ("Shift_JIS", "cp932", "大雨"), ("EUC-KR", "cp949", "호우"),
        ("utf-16", "utf-8", "大雨"),  # a library's habit: it wrote text, and somebody else the bytes
    ],
)  # fmt: skip
def test_what_offices_abroad_write_in(name: str, codec: str, word: str) -> None:
    text = f'<?xml version="1.0" encoding="{name}"?><a>{word}</a>'
    assert as_utf8(text.encode(codec)).decode() == f"<a>{word}</a>"


def test_what_looks_like_a_dtd_is_text_where_it_is_text() -> None:
    for inner in (
        "<![CDATA[<!DOCTYPE html><p>x</p>]]>",
        "&lt;!DOCTYPE html>",
        "<![CDATA[<!ENTITY a>]]>",
    ):
        assert areas(listen(signed(message(note=inner))).found) == set(A)
    body = signed(message())
    start = body.index(b"<alert")
    commented = body[:start] + b"<!-- <!DOCTYPE a> -->\n<?pi <!DOCTYPE?>" + body[start:]
    assert areas(listen(commented).found) == set(A)
    for before in (b"", b"<!-- x -->", b"\n <?pi x?>\n", b"\xef\xbb\xbf"):
        for dtd in (b'<!DOCTYPE a SYSTEM "x">', b"<!DOCTYPE alert [<!ELEMENT a ANY>]>"):
            with pytest.raises(Wrong):
                as_utf8(before + dtd + b"<a/>")
    with pytest.raises(Wrong):
        as_utf8("<!DOCTYPE a><a/>".encode("utf-16"))
    # behind the first element it is no XML, and nothing is made of it
    found = listen(body.replace(b"<identifier>", b"<!DOCTYPE a><identifier>")).found
    assert isinstance(found, Rejected)
    assert found.reason == "bad_payload"


@examples(300)
@given(st.text(max_size=200), st.sampled_from(ENCODINGS))
def test_no_text_in_no_encoding_breaks_the_reader(text: str, codec: str) -> None:
    body = f"<?xml version='1.0' encoding='{codec}'?><a>{text}".encode(codec, "replace")
    try:
        as_utf8(body).decode()
    except Wrong as e:
        assert e.rejected.detail


# --- the same id again


def heard(*messages: CapIn) -> tuple[CapState, list[str]]:
    state = CapState()
    return state, [take(state, m, VALID) for m in messages]


def test_the_same_id_at_a_later_time_is_another_message() -> None:
    for first, then, want in (
        (Level.YELLOW, Level.RED, Level.RED),
        (Level.RED, Level.RED, Level.RED),
        (Level.RED, Level.YELLOW, Level.RED),  # nothing takes the red back
    ):
        one, two = cap("W1", first), cap("W1", then, minute=10)
        for order in ((one, two), (two, one)):
            state, wrong = heard(*order)
            assert wrong == ["", ""]
            assert level(state, 11) == want
    state, wrong = heard(cap("W1", Level.RED), cap("W1", Level.YELLOW, minute=10), cap("W1"))
    assert wrong == ["", "", ""]
    assert level(state, 361) == Level.YELLOW, "each ends by itself"


def update(
    identifier: str, level: Level, minute: int, *refs: tuple[str, int], kind: str = "update"
) -> CapIn:
    from ingest.observation import CapRef

    named = tuple(CapRef(sender="weather@x", identifier=i, sent_at=T0 + m * MIN) for i, m in refs)
    return msgspec.structs.replace(
        cap(identifier, level, kind=kind, minute=minute), references=named
    )


@pytest.mark.parametrize("named", [("W1", 0), ("W1", 3)], ids=["its time", "a time it never had"])
def test_an_update_under_its_own_id_takes_the_place_of_the_earlier(named: tuple[str, int]) -> None:
    one, two = cap("W1", Level.RED), update("W1", Level.YELLOW, 10, named)
    for order in ((one, two), (two, one)):
        state, wrong = heard(*order)
        assert wrong == ["", ""]
        assert level(state, 11) == Level.YELLOW
    # one that names nothing but itself ends nothing, itself least of all
    state, _ = heard(one, update("W1", Level.YELLOW, 10, ("W1", 10)))
    assert level(state, 11) == Level.RED
    state, _ = heard(update("W1", Level.YELLOW, 10, ("W1", 10)))
    assert level(state, 11) == Level.YELLOW


def test_a_cancel_ends_the_message_it_names_and_no_later_one() -> None:
    one, later = cap("W1", Level.RED), cap("W1", Level.ORANGE, minute=20)
    over = update("W2", Level.NONE, 10, ("W1", 0), kind="cancel")
    for order in ((one, over, later), (later, over, one), (over, later, one)):
        state, _ = heard(*order)
        assert level(state, 21) == Level.ORANGE
    state, _ = heard(one, later, update("W2", Level.NONE, 30, ("W1", 7), kind="cancel"))
    assert level(state, 31) == Level.NONE, "a time that none has means all before it"


def test_an_id_in_other_case_is_the_same_where_it_repeats_or_is_named() -> None:
    from ingest.observation import CapRef

    one, again = cap("W1a", Level.RED), cap("w1A", Level.RED)
    state, wrong = heard(one, again)
    assert wrong == ["", ""]
    assert sum(h.came for h in state.held[WEATHER].values()) == 1, "it counts once"
    over = msgspec.structs.replace(
        cap("W2", Level.NONE, kind="cancel", minute=5),
        references=(CapRef(sender="weather@x", identifier="W1A", sent_at=T0),),
    )
    assert take(state, over, VALID) == ""
    assert level(state, 6) == Level.NONE
    state, wrong = heard(cap("W1a", Level.RED), cap("w1A", Level.YELLOW))
    assert wrong == ["", ""], "other words under it are another message"
    assert level(state) == Level.RED


def test_a_memory_of_an_earlier_version_is_read() -> None:
    from detectors.memory.cap import HeldMessage

    state, _ = heard(cap("W1", Level.RED))
    (mine,) = state.held[WEATHER].values()
    old = msgspec.structs.replace(mine, identifier="")
    state.held[WEATHER] = {
        "weather@x,W1": old,
        "weather@x,W9": HeldMessage(old.forget_at, over=True),
    }
    assert take(state, cap("W1", Level.RED), VALID) == ""
    assert take(state, cap("W9", Level.RED), VALID) == "", "cancelled before it came"
    assert level(state) == Level.RED
    assert [w.identifier for w in state.said["A01|flash_flood"].words] == ["W1"]
    take(state, update("W2", Level.BLUE, 5, ("W1", 0)), VALID)
    assert level(state, 6) == Level.BLUE
    forget(state, T0 + 10 * VALID)
    assert list(changes(state, ("A01",), T0 + 10 * VALID))
    assert not state.said
    assert top(()) == Level.NONE


# --- feeds


ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"{0}>{1}</feed>'
ENTRY = "<entry{0}><id>{1}</id><updated>2025-07-26T{2}:00:00+08:00</updated>{3}</entry>"
CAP = 'type="application/cap+xml"'


def urls(feed: str, at: str = "http://x.example/a/feed") -> list[str]:
    return [f.url for f in entries(feed.encode(), at)]


@pytest.mark.parametrize(
    ("base", "inner", "want"),
    [
        ("", f'<link href="m.xml" {CAP}/>', "http://x.example/a/m.xml"),
        ("", f'<link href="/m.xml" {CAP}/>', "http://x.example/m.xml"),
        (' xml:base="http://x.example/c/"', f'<link href="m.xml" {CAP}/>', "http://x.example/c/m.xml"),
        ("", f'<link xml:base="c/" href="m.xml" {CAP}/>', "http://x.example/a/c/m.xml"),
        (' xml:base="../d/"', f'<content xml:base="e/" {CAP} src="m.xml"/>', "http://x.example/d/e/m.xml"),
        ("", f'<link href="p.html"/><content {CAP} src="m"/>', "http://x.example/a/m"),
        ("", '<link href="p.html"/><link rel="related" href="m.cap"/>', "http://x.example/a/m.cap"),
        ("", f'<link href="p" type="text/html"/><link rel="enclosure" href="m" {CAP}/>', "http://x.example/a/m"),
        ("", '<link rel="self" href="s.xml"/><link href="m"/>', "http://x.example/a/m"),
    ],
)  # fmt: skip
def test_where_an_atom_entry_leads(base: str, inner: str, want: str) -> None:
    assert urls(ATOM.format(base, ENTRY.format("", "e", "20", inner))) == [want]


@pytest.mark.parametrize(
    ("inner", "want"),
    [
        ("<link>http://x.example/m.xml</link>", "http://x.example/m.xml"),
        ("<link>m.xml</link><guid>1</guid>", "http://x.example/a/m.xml"),
        (f'<link>http://x.example/d.html</link><enclosure url="c/m" length="1" {CAP}/>', "http://x.example/a/c/m"),
        ("<guid>http://x.example/m.xml</guid>", "http://x.example/m.xml"),
        ('<guid isPermaLink="true">http://x.example/m</guid>', "http://x.example/m"),
        ("<link>d.html</link><guid>http://x.example/m.cap</guid>", "http://x.example/m.cap"),
        ('<link>m</link><enclosure url="v.mp3" type="audio/mpeg"/>', "http://x.example/a/m"),
    ],
)  # fmt: skip
def test_where_an_rss_item_leads(inner: str, want: str) -> None:
    feed = f'<rss version="2.0"><channel><item>{inner}</item></channel></rss>'
    assert urls(feed) == [want]
    none = '<rss version="2.0"><channel><item><guid isPermaLink="false">http://x/m</guid></item></channel></rss>'
    assert [bool(f.wrong) for f in entries(none.encode(), "http://x.example/a/feed")] == [True], (
        "told"
    )


def test_the_newest_come_first_in_whatever_order_they_stand() -> None:
    rows = [ENTRY.format("", n, f"{n:02}", f'<link href="{n}.xml"/>') for n in range(20)]
    for order in (rows, rows[::-1], rows[7:] + rows[:7]):
        assert urls(ATOM.format("", "".join(order)))[:2] == [
            "http://x.example/a/19.xml", "http://x.example/a/18.xml",
        ]  # fmt: skip
    items = "".join(
        f"<item><link>{n}.xml</link><pubDate>Sat, 26 Jul 2025 {n:02}:00:00 +0800</pubDate></item>"
        for n in (3, 9, 5)
    )
    feed = f'<rss version="2.0"><channel>{items}<item><link>new.xml</link></item></channel></rss>'
    assert [u.rpartition("/")[2] for u in urls(feed)] == ["new.xml", "9.xml", "5.xml", "3.xml"]


def test_a_long_feed_is_read_to_its_end_and_through_its_pages(
    feed: Feed, log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.cap.feed_poller._AT_ONCE", 4)
    for n in range(10):
        feed.pages[f"/{n}.xml"] = 200, signed(message(f"W{n}"))
    more = b'<link rel="next" href="/page2"/></feed>'
    feed.pages["/feed"] = 200, listed(*(f"{n}.xml" for n in range(6))).replace(b"</feed>", more)
    feed.pages["/page2"] = 200, listed(*(f"{n}.xml" for n in range(6, 10)))
    asking = poller(feed, log, tmp_path)
    for _ in range(3):
        assert asking.once() == ""
    assert names(log) == {f"W{n}" for n in range(10)}
    before = len(feed.asked)
    assert asking.once() == ""
    assert len(feed.asked) <= before + 2, "nothing is fetched twice"


def test_what_leaves_a_feed_is_neither_over_nor_asked_for_again(
    feed: Feed, log: Any, tmp_path: Path
) -> None:
    feed.pages["/feed"] = 200, listed("1.xml", "2.xml")
    for n in (1, 2):
        feed.pages[f"/{n}.xml"] = 200, signed(message(f"W{n}"))
    asking = poller(feed, log, tmp_path)
    assert asking.once() == ""
    feed.pages["/feed"] = 200, listed("2.xml")[:-7] + b"<!-- --></feed>"
    assert asking.once() == ""
    feed.pages["/feed"] = 200, listed("1.xml", "2.xml")
    assert asking.once() == ""
    assert names(log) == {"W1", "W2"}
    assert letters(log) == []


def test_a_clock_that_is_ahead_is_told_once_and_asked_again(
    feed: Feed, log: Any, tmp_path: Path
) -> None:
    now = [T0]
    feed.pages["/feed"] = 200, listed("1.xml")
    feed.pages["/1.xml"] = 200, signed(message("W1", sent_at=T0 + 20 * MIN))
    asking = poller(feed, log, tmp_path)
    asking._now = lambda: now[0]
    for minute in (0, 5, 10):
        now[0] = T0 + minute * MIN
        asking.once()
        assert names(log) == set()
        assert letters(log) == ["clock_ahead"]
    now[0] = T0 + 16 * MIN
    assert asking.once() == ""
    assert names(log) == {"W1"}
    assert letters(log) == ["clock_ahead"]


def test_a_link_to_another_server_is_told_unless_the_source_names_it(
    feed: Feed, log: Any, tmp_path: Path
) -> None:
    other = Feed()
    other.pages["/x.xml"] = 200, signed(message("X"))
    feed.pages["/feed"] = 200, listed(f"{other.url}/x.xml", "ftp://[::1/x")
    try:
        asking = poller(feed, log, tmp_path)
        assert asking.once() == ""
        assert other.asked == []
        assert letters(log) == ["bad_reference", "bad_reference"]
        asking.once()
        assert len(letters(log)) == 2, "once"
        known = poller(feed, log, tmp_path)
        known._source = msgspec.structs.replace(
            known._source, hosts=(other.url.removeprefix("http://"),)
        )
        assert known.once() == ""
        assert names(log) == {"X"}
    finally:
        other.close()
