"""A message that is begun like a wish and goes on in words that nobody foresaw is read by a person."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.district import District
from dispatch.channels import CarrierWord
from dispatch.send.inbound_sms import Inbound
from stream.log.port import Out
from tests.support.decide_district import T0
from tests.support.examples import examples
from tests.support.residents import Clock, desk, with_store

BEGINS = (
    "订阅 ", "订阅 香屯村 ", "我要订阅", "退订 ", "退订 香屯村，", "时段 ", "语言 ", "subscribe ",
    "hours ", "language ", "dy ", "时段 7-22 ",
)  # fmt: skip
DANGERS = (
    "房子要塌了", "河里水快到门口了", "水漲進屋", "水長了快來", "山上掉石头", "有人被水带走", "被圍困",
    "三个人下不了山", "轉移不了", "水涨了", "救命", "泥石流下来了", "水长了", "the river is in my house",
    "we are stuck on the roof",
    "现在水很大", "被水围了", "囚在房上",
)  # fmt: skip
_numbers = count(13_000_000_000)


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


FORMS: tuple[Callable[[str], str], ...] = (
    str,
    _wide,
    lambda t: " ".join(t) if not t.isascii() else t,
    lambda t: f"\n{t}\n",
    lambda t: f"{t}!!!",
)


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> District:
    folder: Path = tmp_path_factory.mktemp("run")
    return with_store(folder, residents_sms_day=10**9)


def hear(d: District, text: str, sender: str) -> list[Out]:
    inbound = Inbound(d, residents=desk(d, Clock()))
    return inbound.outs(CarrierWord("sms", "one", "", (), "", sender=sender, text=text), T0)


@examples(60)
@given(st.sampled_from(BEGINS), st.sampled_from(DANGERS), st.sampled_from(FORMS))
def test_a_report_in_a_wish_reaches_a_person(
    district: District, begin: str, danger: str, form: Callable[[str], str]
) -> None:
    outs = hear(district, begin + form(danger), str(next(_numbers)))
    assert [o for o in outs if o.topic == "observations"], begin + form(danger)


def test_it_does_so_where_the_number_gets_no_answer_any_more(district: District) -> None:
    sender = str(next(_numbers))
    for _ in range(12):
        outs = hear(district, "订阅 房子要塌了", sender)
        assert [o for o in outs if o.topic == "observations"]
    assert [o for o in outs if o.topic == "deliveries"] == []


@pytest.mark.parametrize("text", ["订阅 香屯村", "订阅", "怎么订阅", "退订", "时段 7-22", "语言 英语"])
def test_a_plain_wish_is_answered_and_read_by_nobody(district: District, text: str) -> None:
    outs = hear(district, text, str(next(_numbers)))
    assert [o.topic for o in outs] == ["deliveries"]
