"""A move is proved by content: each fake that was tried and how it is caught, and sums that count each person
once, in whatever order words come."""

import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from config.records.authority import Proving
from config.records.district import District
from dispatch.address.report_notices import deliveries
from dispatch.notices import DUTY
from dispatch.people.evacuation_roll import Roll
from dispatch.proving.codes import blank
from dispatch.proving.transfers import Sums, Transfers
from ingest.decode.phrases import Meaning
from ingest.observation import PersonSays, PhotoFacts
from ingest.people.photos.photo import PhotoTaken, at_browser, taken
from ingest.people.reports import People
from ingest.people.words.transfer_words import ways, witnessed
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.examples import examples
from tests.support.people import HEAD, OBSERVER, one, sms
from tests.support.roll import PEOPLE, alert, asked, said

AREA = yanqing().areas["A01"]


def proved(*, flows: bool = False, depth_m: float | None = None, **more: Any) -> District:
    """flows: debris flows come there."""
    d = yanqing()
    policy = msgspec.structs.replace(d.policy, proving=Proving(transfer=True, **more))
    hazards = ("flash_flood", "debris_flow") if flows else ("flash_flood",)
    area = msgspec.structs.replace(AREA, hazards=hazards, depth_m=depth_m)
    return msgspec.structs.replace(d, policy=policy, areas={**d.areas, "A01": area})


def shelter() -> tuple[float, float]:
    s = next(s for s in yanqing().plans.shelters.values() if AREA.within(s.areas))
    return s.lon, s.lat


def shown(minute: float = 9, **more: Any) -> PhotoFacts:
    lon, lat = shelter()
    facts = {"taken_at": T0 + int(minute * MIN), "lon": lon, "lat": lat, "place_by": "exif"}
    return PhotoFacts(**{**facts, "look": "f0f0f0f0f0f0f0f0", **more})


def moved(
    minute: float, how: str, people: int | None, person: str = HEAD, photo: str = "", **more: Any
) -> PersonSays:
    facts = more.pop("shown", shown(minute - 1) if photo else None)
    return said(minute, "moved", person=person, people=people, how=how, photo=photo, shown=facts, **more)


def sums(*words: PersonSays, district: District | None = None) -> Sums:
    t = Transfers()
    for w in words:
        t.take(w)
    found = t.sums(district or proved(), "A01", T0 + MIN, 100)
    assert found is not None
    return found


def test_a_photograph_of_place_and_time_proves_what_a_word_does_not() -> None:
    bare = sums(moved(10, "shelter", 40))
    assert (bare.proven, bare.unproven, bare.not_reached) == (0, 40, 60)
    found = sums(moved(10, "shelter", 40, photo="aa"), moved(11, "relatives", 10))
    assert (found.proven, found.unproven, found.not_reached) == (40, 10, 50)
    assert found.ways == {"shelter": 40, "relatives": 10}


@pytest.mark.parametrize(
    ("why", "facts"),
    [
        ("old", {"taken_at": T0 - 600 * MIN}),  # of yesterday's drill
        ("old", {"taken_at": T0 + 60 * MIN}),  # a clock that was set for it
        ("far", {"lon": 116.4, "lat": 39.9}),  # from the office
        ("no_place", {"lon": None, "lat": None}),
        ("no_time", {"taken_at": 0}),
        ("blank", {"look": ""}),  # a covered lens
    ],
)
def test_a_photograph_that_proves_nothing_says_why(why: str, facts: dict[str, Any]) -> None:
    found = sums(moved(10, "shelter", 40, photo="aa", shown=shown(**facts)))
    assert found.proven == 0
    assert [r.why for r in found.rows] == [why]


def test_one_picture_proves_one_report() -> None:
    """Sent before by another village, by another person here, or of another way; or the same cropped anew."""
    first = moved(10, "shelter", 40, photo="aa")
    elsewhere = moved(5, "shelter", 9, "C-0011", "aa", area="A03")
    assert [r.why for r in sums(elsewhere, first).rows] == ["used"]
    assert [r.why for r in sums(first, moved(11, "shelter", 30, OBSERVER, "aa")).rows] == ["used", ""]
    near = shown(10, look="f0f0f0f0f0f0f0f1")
    again = moved(11, "shelter", 30, OBSERVER, "bb", shown=near)
    assert [r.why for r in sums(first, again).rows] == ["alike", ""]
    assert sums(first, moved(12, "shelter", 45, photo="aa")).proven == 45, "the same report, mended"


def test_a_witness_is_another_one_who_speaks_after_it_of_no_fewer() -> None:
    report = moved(10, "shelter", 40)
    assert sums(report, said(11, "witnessed", person=OBSERVER)).proven == 40
    assert sums(report, said(11, "witnessed", person=OBSERVER, people=40)).proven == 40
    for none in (
        said(11, "witnessed", person=HEAD),  # oneself
        said(9, "witnessed", person=OBSERVER),  # before it
        said(11, "witnessed", person=OBSERVER, people=12),  # of fewer
    ):
        assert sums(report, none).proven == 0
    both = proved(proofs=2)
    assert sums(report, said(11, "witnessed", person=OBSERVER), district=both).proven == 0
    with_photo = moved(10, "shelter", 40, photo="aa")
    assert sums(with_photo, said(11, "witnessed", person=OBSERVER), district=both).proven == 40


@pytest.mark.parametrize(
    ("district", "unsafe"),
    [(proved(), 0), (proved(flows=True), 8), (proved(depth_m=1.5), 8), (proved(depth_m=0.3), 0)],
)
def test_upstairs_is_no_move_where_it_is_not_safe(district: District, unsafe: int) -> None:
    up = moved(10, "upstairs", 8)
    found = sums(up, said(11, "witnessed", person=OBSERVER), district=district)
    assert (found.unsafe, found.proven, found.not_reached) == (unsafe, 8 - unsafe, 92 + unsafe)
    told = deliveries(district, up, True)
    assert [d.recipient for d in told] == ([DUTY + HEAD, HEAD] if unsafe else [])
    if unsafe:
        assert "这里上楼不安全" in str(told[1].routes[0].text)


def test_each_person_is_counted_once_and_never_more_than_there_are() -> None:
    found = sums(
        moved(10, "shelter", 60, photo="aa"),
        moved(11, "shelter", 70, OBSERVER, "bb", shown=shown(10, look="0f0f0f0f0f0f0f0f")),
    )
    assert (found.proven, found.unproven, found.not_reached) == (70, 0, 30)
    whole = sums(moved(10, "", None, role="responsible"), moved(11, "shelter", 500, OBSERVER))
    assert (whole.proven, whole.unproven, whole.not_reached) == (0, 100, 0)


_WORD = st.tuples(
    st.sampled_from(["moved", "witnessed"]), st.sampled_from([HEAD, OBSERVER, "C-0009"]),
    st.sampled_from(["shelter", "relatives", "upstairs", ""]), st.integers(0, 150),
    st.sampled_from(["", "aa", "bb"]), st.integers(2, 40),
)  # fmt: skip


@given(st.lists(_WORD, max_size=7), st.booleans(), st.randoms(use_true_random=False))
@examples(80)
def test_order_never_shows_and_the_parts_make_the_whole(
    words: list[Any], flows: bool, how: Any
) -> None:
    records = [
        moved(m, way, n, who, photo) if what == "moved" else said(m, what, person=who, people=n)
        for what, who, way, n, photo, m in words
    ]
    found = []
    for _ in range(2):
        t = Transfers()
        for r in records:
            t.take(r)
        found.append(t.sums(proved(flows=flows), "A01", T0, 100))
        how.shuffle(records)
        records += records[:2]
    assert found[0] == found[1]
    if (s := found[0]) is not None:
        assert s.proven + s.unproven + s.not_reached == 100
        assert min(s.proven, s.unproven, s.unsafe, s.not_reached) >= 0
        assert s.unsafe <= s.not_reached
        assert not flows or all(not r.proven for r in s.rows if r.how == "upstairs")


def test_who_has_acted_stands_above_who_has_the_code() -> None:
    ask = msgspec.structs.replace(asked(HEAD), code=blank(4))
    roll = Roll()
    for r in (alert(), ask, moved(10, "shelter", PEOPLE, photo="aa")):
        roll.take(r)
    (row,) = roll.rows(proved(), T0 + 60 * MIN)
    assert [(h.strength, h.proven) for h in row.heard] == [("acted", True)]
    assert (row.moved, row.not_yet) == (PEOPLE, 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("已转移到安置点20人", [("shelter", 20)]), ("12人投亲靠友", [("relatives", 12)]),
        ("就地上楼8人", [("upstairs", 8)]), ("已全部转移到安置点", [("shelter", None)]),
        ("安置点二十人、投亲五人", [("shelter", 20), ("relatives", 5)]), ("请上楼", []),
        ("听说上楼8人", []), ("上楼安全吗？", []), ("不要上楼", []),
        ("安置点在哪", []), ("准备转移到安置点8人", []),
    ],
)  # fmt: skip
def test_how_people_moved_in_a_text(text: str, found: list[tuple[str, int | None]]) -> None:
    assert [(m.how, m.people) for m in ways(text)] == found


def test_a_witness_by_sms_and_who_asks_is_none() -> None:
    assert witnessed("属实，12人") == [Meaning("witnessed", 12)]
    assert not [t for t in ("是否属实？", "听说属实", "不属实", "收到") if witnessed(t)]
    people = People(proved())
    assert one(people.sms(OBSERVER, sms("属实"), T0)).what == "witnessed"  # type: ignore[arg-type]
    found = people.sms(HEAD, sms("安置点20人，投亲5人"), T0)
    assert [(f.how, f.people) for f in found] == [("shelter", 20), ("relatives", 5)]  # type: ignore[union-attr]
    assert len({f.id for f in found}) == 2  # type: ignore[union-attr]
    plain = msgspec.structs.replace(yanqing().policy, proving=Proving())
    off = People(msgspec.structs.replace(yanqing(), policy=plain)).sms(HEAD, sms("属实"), T0)
    assert "witnessed" not in [getattr(f, "what", "") for f in off]


def picture(seed: int = 1, place: tuple[float, float] | None = None, at: str = "") -> bytes:
    image = Image.new("RGB", (320, 240), (120, 120, 120))
    draw = ImageDraw.Draw(image)
    for n in range(12):
        x, y = (seed * 37 + n * 53) % 280, (seed * 91 + n * 29) % 200
        draw.rectangle((x, y, x + 40, y + 40), fill=((n * 20) % 255, (seed * n * 7) % 255, 90))
    exif = Image.Exif()
    if at:
        exif.get_ifd(0x8769)[36867] = at
    if place:
        gps = exif.get_ifd(0x8825)
        for n, (value, sides) in enumerate(((place[1], "NS"), (place[0], "EW"))):
            v = abs(value)
            gps[1 + 2 * n] = sides[value < 0]
            gps[2 + 2 * n] = (int(v), int(v * 60 % 60), v * 3600 % 60)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_what_a_real_file_says_of_itself_and_keeps_nothing_of() -> None:
    made = taken(picture(1, (115.9712, -40.4567), "2025:07:26 22:10:00"))
    assert isinstance(made, PhotoTaken)
    facts = made.facts("Asia/Shanghai")
    assert (round(facts.lon or 0, 4), round(facts.lat or 0, 4)) == (115.9712, -40.4567)
    assert facts.taken_at == 1_753_539_000_000
    assert not Image.open(io.BytesIO(made.jpeg)).getexif()
    other, smaller = taken(picture(2)), Image.open(io.BytesIO(picture(1))).resize((200, 150))
    out = io.BytesIO()
    smaller.save(out, "JPEG", quality=40)
    again = taken(out.getvalue())
    assert isinstance(other, PhotoTaken)
    assert isinstance(again, PhotoTaken)
    apart = [(int(made.look, 16) ^ int(x.look, 16)).bit_count() for x in (again, other)]
    assert apart[0] <= 8 < apart[1], apart
    black = io.BytesIO()
    Image.new("RGB", (320, 240)).save(black, "JPEG")
    dark = taken(black.getvalue())
    assert isinstance(dark, PhotoTaken)
    assert dark.look == ""


def test_the_browsers_place_stands_in_where_the_file_has_none() -> None:
    bare = PhotoFacts(look="1")
    fields = {"lon": "116.1", "lat": "40.5", "placed": str(T0)}
    assert at_browser(bare, fields).place_by == "browser"
    assert at_browser(bare, fields).taken_at == T0
    for bad in ({}, {**fields, "lat": "nan"}, {**fields, "lon": "<b>"}, {**fields, "placed": "-1"}):
        assert at_browser(bare, bad) == bare
    assert at_browser(shown(), fields) == shown()
