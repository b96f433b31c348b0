"""Who goes out into a storm: heard of within the interval, or told of, step by step and once each; through
restarts, in any order of words, and never taken for back by a word that is none."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.authority import Proving
from config.records.district import District
from detectors.detection import Mark
from dispatch.address.stage import Address
from dispatch.notices import DUTY
from dispatch.people.evacuation_roll import Roll
from dispatch.people.outings import Outings, take
from dispatch.records import Delivery
from ingest.observation import PersonSays
from ingest.people.reports import People
from ingest.people.words.field_words import going
from stream.records import Record, Rejected
from stream.stages.stage import Item
from tests.support.decide_district import MIN, T0, run, yanqing
from tests.support.examples import examples
from tests.support.people import HEAD, OBSERVER, one, says, sms

SUPERIOR = "C-0010"


def field(**more: Any) -> District:
    fields = {"check_back_min": 30, "superior_min": 10} | more
    policy = msgspec.structs.replace(yanqing().policy, proving=Proving(**fields))
    channels = msgspec.structs.replace(yanqing().channels, not_woken_to=(SUPERIOR,))
    return msgspec.structs.replace(yanqing(), policy=policy, channels=channels)


class Line:
    """address, record by record; a restart goes by its snapshot."""

    def __init__(self, district: District | None = None) -> None:
        self.stage = Address(district or field())
        self.state = self.stage.new(0)
        self.feed(run("live"))

    def feed(self, *records: Record) -> list[Delivery]:
        items = [Item(0, 0, "", r) for r in records]
        self.state, writes = self.stage.step(self.state, items)
        return [w.record for w in writes if isinstance(w.record, Delivery)]

    def at(self, minute: float) -> list[Delivery]:
        group = field().group_of_area["A01"]
        at = T0 + round(minute * MIN)
        return self.feed(Mark(group=group, clock_at=at, complete_at=at))

    def restart(self) -> None:
        self.state = self.stage.load(0, self.stage.dump(self.state))


def to(made: list[Delivery]) -> list[str]:
    return [d.recipient for d in made]


@pytest.mark.parametrize("restarts", [False, True])
def test_silence_is_told_to_the_duty_room_and_then_to_the_superior(restarts: bool) -> None:
    line = Line()
    (noted,) = line.feed(says(0, "out"))
    assert "30" in str(noted.routes[0].text)
    assert not line.at(29)
    if restarts:
        line.restart()
    told = line.at(30)
    assert to(told) == [DUTY + OBSERVER, OBSERVER]
    assert "香屯村" in str(told[0].routes[0].text), "with the place of the last word"
    assert not line.at(39)
    if restarts:
        line.restart()
    assert to(line.at(40)) == [SUPERIOR]
    assert not line.at(200)


def test_any_word_is_a_sign_of_life_and_only_back_ends_it() -> None:
    line = Line()
    line.feed(says(0, "out"))
    line.feed(says(25, "report_flood"))
    assert not line.at(54)
    assert to(line.at(55))[0] == DUTY + OBSERVER
    again = [d for d in line.feed(says(56, "safe")) if d.recipient == DUTY + OBSERVER]
    assert "又有消息" in str(again[0].routes[0].text)
    assert line.at(86)
    back = line.feed(says(87, "back"))
    assert "已返回" in str(back[0].routes[0].text)
    assert not line.at(900)


def test_no_time_ends_it_and_another_ones_word_is_no_sign() -> None:
    line = Line()
    line.feed(says(0, "out"), says(5, "safe", HEAD, role="responsible"), says(6, "back", HEAD))
    assert to(line.at(30))[0] == DUTY + OBSERVER
    roll = Roll()
    roll.take(says(0, "out"))
    (row,) = roll.rows(field(), T0 + 3 * 24 * 60 * MIN)
    assert [o.person for o in row.field] == [OBSERVER]


def test_nothing_is_expected_where_the_policy_is_off() -> None:
    off = field(check_back_min=0)
    line = Line(off)
    line.feed(says(0, "out"))
    assert not line.at(300)
    found = People(off).report(OBSERVER, b'{"what": "out", "area": "A01"}', T0)
    assert isinstance(found[0], Rejected)


def test_who_may_say_so() -> None:
    people = People(field())
    assert one(people.sms(OBSERVER, sms("出发巡查"), T0)).what == "out"  # type: ignore[arg-type]
    assert one(people.sms(OBSERVER, sms("平安返回"), T0)).what == "back"  # type: ignore[arg-type]
    resident = next(c.id for c in field().contacts.values() if c.role == "residents")
    body = msgspec.json.encode({"what": "out", "area": people.areas_of(resident)[0]})
    found = people.report(resident, body, T0)
    assert isinstance(found[0], Rejected)
    assert found[0].reason == "not_their_area"


def of_two() -> District:
    """C-0001 answers for A01 and A02, the observer for A01 alone."""
    d = field()
    head = msgspec.structs.replace(d.contacts[HEAD], areas=("A01", "A02"))
    return msgspec.structs.replace(d, contacts={**d.contacts, HEAD: head})


def test_who_answers_for_two_villages_need_not_name_one_to_be_looked_after() -> None:
    d = of_two()
    people, line, second = People(d), Line(d), d.areas["A02"].name

    def write(text: str, minute: int) -> list[Delivery]:
        at = T0 + minute * MIN
        return line.feed(*[r for r in people.sms(HEAD, sms(text), at) if isinstance(r, PersonSays)])

    (noted,) = write("出发", 0)
    assert "哪个村" in str(noted.routes[0].text), "they count from now on, and are asked where"
    assert line.at(30)[0].recipient == DUTY + HEAD
    write(f"{second} 出发", 31)
    write("看不懂的一句话", 32)
    write("平安", 50)
    assert not line.at(79)
    told = line.at(80)
    assert second in str(told[0].routes[0].text), "the place that they named, not another of theirs"
    assert "已返回" in str(write("返回", 81)[0].routes[0].text)
    assert not line.at(500)


def test_who_named_no_place_stands_under_each_of_theirs_on_the_roll() -> None:
    roll = Roll()
    roll.take(says(0, "out", HEAD, role="responsible", area=""))
    rows = roll.rows(of_two(), T0 + MIN)
    assert [(r.area, [o.person for o in r.field]) for r in rows] == [("A01", [HEAD]), ("A02", [HEAD])]


_PLACES = ("A01", "A02", "")
_WORDS = st.lists(
    st.tuples(
        st.sampled_from(["out", "back", "safe", "report_flood", "words"]), st.integers(0, 90)
    ),
    min_size=1, max_size=8, unique_by=lambda w: w[1],
)  # fmt: skip


@given(_WORDS, st.randoms(use_true_random=False))
@examples(60)
def test_the_order_in_which_words_come_never_shows(words: list[tuple[str, int]], how: Any) -> None:
    records = [says(minute, what, area=_PLACES[minute % 3]) for what, minute in words]
    in_order, mixed = Outings(), Outings()
    for r in records:
        take(in_order, r)
    how.shuffle(records)
    for r in [*records, *records]:
        take(mixed, r)
    assert in_order == mixed
    by_time = sorted(words, key=lambda w: w[1])
    moves = [what for what, _ in by_time if what in ("out", "back")]
    assert in_order[OBSERVER].is_out == (bool(moves) and moves[-1] == "out")


@pytest.mark.parametrize(
    "text",
    [
        "返回了吗", "谁返回了？", "群众返回", "人员不得返回", "没有返回", "准备出发", "马上出发", "请出发",
        "听说他回来了", "出发，水涨了", "村民回来了", "还没回来", "不要出发", "", "明天出发",
    ],
)  # fmt: skip
def test_questions_hearsay_and_others_are_no_word_of_ones_own(text: str) -> None:
    assert going(text) == ""
