"""What a resident's short message asks for, and that a report of danger never is taken for a wish."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.people.residents import texts
from dispatch.people.residents.villages import MOST, Villages, names_of
from dispatch.people.residents.words import Wanted, asks, is_mobile, quiet_of, told_hours
from ingest.decode.phrases import meanings
from tests.support.decide_district import yanqing
from tests.support.examples import examples

VILLAGES = Villages(yanqing())
WISHES = (
    "订阅 香屯村",
    "订阅",
    "退订",
    "语言 英语",
    "时段 7-22",
    "TD",
    "stop",
    "482913",
    "怎么订阅",
)
LOUD = (
    "水涨了", "救命", "泥石流下来了", "房子塌了", "山体滑坡", "有人被困", "进水了", "求助", "已转移12人",
    "溃坝了", "help", "flood", "路断了", "we are trapped",
)  # fmt: skip
hour = st.integers(0, 23)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("订阅 香屯村", Wanted("subscribe", "香屯村")),
        ("【订阅】香屯村", None),
        ("我要订阅香屯", Wanted("subscribe", "香屯")),
        ("订阅：香屯、沙门村。", Wanted("subscribe", "香屯、沙门村")),
        ("Subscribe to Xiangtun", Wanted("subscribe", "xiangtun")),
        ("订阅", Wanted("subscribe")),
        ("退订", Wanted("leave")),
        ("退订 香屯村", Wanted("leave", "香屯村")),
        ("ＴＤ", Wanted("leave")),
        ("STOP!", Wanted("leave")),
        ("stop the car", None),
        ("语言 英语", Wanted("language", lang="en")),
        ("语言：中文", Wanted("language", lang="zh")),
        ("语言 火星文", Wanted("language", "火星文")),
        ("时段 7-22", Wanted("hours", quiet="22:00-07:00")),
        ("时段 七点到二十二点", Wanted("hours", quiet="22:00-07:00")),
        ("时段 6:30-21:00", Wanted("hours", quiet="21:00-06:30")),
        ("时段 全天", Wanted("hours", quiet="")),
        ("时段 25-3", Wanted("hours", "25-3")),
        ("482913", Wanted("code", code="482913")),
        ("确认 482913", Wanted("code", code="482913")),
        ("48291", None),
        ("怎么订阅？", Wanted("how")),
        ("帮助", None),  # may be a cry for help
        ("收到", None),
        ("1", None),
        ("水进村了", None),
    ],
)
def test_what_is_asked(text: str, found: Wanted | None) -> None:
    assert asks(text, VILLAGES.known) == found


@examples(300)
@given(
    st.sampled_from(WISHES),
    st.sampled_from(LOUD),
    st.sampled_from([" ", "，", "。", ""]),
    st.booleans(),
)
def test_a_report_of_danger_is_no_wish(wish: str, loud: str, gap: str, first: bool) -> None:
    text = f"{loud}{gap}{wish}" if first else f"{wish}{gap}{loud}"
    assert asks(text, VILLAGES.known) is None or not meanings(text)


@examples(300)
@given(
    st.text(max_size=220) | st.builds("{}{}".format, st.sampled_from(WISHES), st.text(max_size=40))
)
def test_any_text_is_a_wish_or_none_and_no_report_is_lost(text: str) -> None:
    found = asks(text, VILLAGES.known)
    if found is not None and not (found.about and VILLAGES.known(found.about)):
        assert {m.what for m in meanings(text)} <= {"received", "safe"}


@examples(200)
@given(
    hour, st.sampled_from(["", ":00", ":30", "点"]), hour, st.sampled_from(["-", "到", "至", "~"])
)
def test_hours_are_told_as_they_were_chosen(begin: int, minute: str, end: int, to: str) -> None:
    quiet = quiet_of(f"{begin}{minute}{to}{end}")
    assert quiet is not None
    if quiet:
        at = f"{begin:02}:{'30' if minute == ':30' else '00'}"
        assert told_hours(quiet) == f"{at}-{end:02}:00"
    else:
        assert (begin, minute == ":30") == (end, False)


@pytest.mark.parametrize("area", yanqing().areas.values(), ids=lambda a: a.id)
def test_every_village_is_found_by_its_names(area) -> None:  # type: ignore[no-untyped-def]
    for name in names_of(area):
        assert asks(f"订阅 {name}", VILLAGES.known) == Wanted("subscribe", name)
        assert texts.meant(VILLAGES, name) == (area.id,)


def test_two_villages_of_one_name_are_asked_back() -> None:
    d = yanqing()
    twin = msgspec.structs.replace(d.areas["A10"], name="香屯村", name_en="Xiangtun")
    villages = Villages(msgspec.structs.replace(d, areas={**d.areas, "A10": twin}))
    back = texts.meant(villages, "香屯村")
    assert isinstance(back, texts.Text)
    assert "订阅 A01" in back.zh
    assert "订阅 A10" in back.zh
    assert texts.meant(villages, "a10") == ("A10",)
    assert texts.meant(villages, f"{twin.township}香屯村") == ("A10",)


def test_what_is_not_there_is_answered_with_what_it_may_be() -> None:
    back = texts.meant(VILLAGES, "香顿村")
    assert isinstance(back, texts.Text)
    assert "香屯村" in back.zh
    six = " ".join(a.name for a in list(yanqing().areas.values())[: MOST + 1])
    assert texts.meant(VILLAGES, six) == texts.TOO_MANY


def test_a_village_whose_name_sounds_like_danger_can_be_subscribed() -> None:
    d = yanqing()
    odd = msgspec.structs.replace(d.areas["A10"], name="落石沟村", name_en="Luoshigou")
    villages = Villages(msgspec.structs.replace(d, areas={**d.areas, "A10": odd}))
    assert asks("订阅 落石沟村", villages.known) == Wanted("subscribe", "落石沟村")
    assert asks("订阅 落石沟村落石了", villages.known) is None


@pytest.mark.parametrize(
    "number", ["13800138000", "+86 138-0013-8000", "008613800138000", "8613800138000"]
)
def test_a_mobile_number(number: str) -> None:
    assert is_mobile(number)


@pytest.mark.parametrize(
    "number", ["", "10086", "1069012345678901", "12800138000", "010-69101234", "x3800138000"]
)
def test_no_mobile_number(number: str) -> None:
    assert not is_mobile(number)
