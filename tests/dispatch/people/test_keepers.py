"""A gully closed and opened, the guests of a camp site: who may say so, until when it counts, who sees it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import zh
from detectors.messages.observer_rule import hear
from detectors.stage import Detect
from dispatch.address.report_notices import deliveries
from dispatch.people.evacuation_roll import Roll
from dispatch.people.residents.places import Places
from fengsui.cli.people.people import lines
from ingest.decode.phrases import Meaning, hours_of, meanings, of_place
from ingest.observation import PersonSays
from ingest.people.page import form
from ingest.people.reports import CLOSED_H, CLOSED_MOST_H, People
from stream.log.open import open_log
from stream.log.port import Out
from stream.records import Rejected, encode
from tests.support.choices import resident
from tests.support.decide_district import T0, yanqing
from tests.support.examples import examples
from tests.support.people import HEAD, OBSERVER

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("封沟", [Meaning("closed")]),
        ("A01已封沟 12小时", [Meaning("closed")]),
        ("沟口已封闭", [Meaning("closed")]),
        ("开沟", [Meaning("opened")]),
        ("香屯村解除封沟", [Meaning("opened")]),
        ("今晚 43 人", [Meaning("staying", 43)]),
        ("今晚住四十三人", [Meaning("staying", 43)]),
        ("今晚营地 12 位客人", [Meaning("staying", 12)]),
        ("今晚没有人", [Meaning("staying", 0)]),
        ("今晚无人", [Meaning("staying", 0)]),
        ("没有封沟", []),
        ("要不要封沟？", []),
        ("准备封沟", []),
        ("听说封沟了", []),
        ("今晚转移 12 人", []),
        ("封沟，有人被困", []),
        ("今晚 3 人被困", []),
        ("收到", []),
    ],
)
def test_what_a_keeper_says(text: str, found: list[Meaning]) -> None:
    assert of_place(text) == found


@examples(200)
@given(st.sampled_from(["封沟", "开沟", "今晚 3 人", "封沟12小时"]), st.text(max_size=30))
def test_a_danger_is_never_taken_for_a_keepers_word(word: str, more: str) -> None:
    for text in (word + more, more + word):
        if any(m.what not in ("received", "safe") for m in meanings(text)):
            assert of_place(text) == []


def said(text: str, person: str = HEAD, people: Any = None) -> Any:
    (one,) = (people or People(yanqing())).text(person, text, "m1", None, T0)
    return one


def test_a_closure_ends_by_itself() -> None:
    one = said("封沟")
    assert (one.what, one.until_at) == ("closed", T0 + CLOSED_H * HOUR)
    assert said("封沟12小时").until_at == T0 + 12 * HOUR
    assert said("封沟99小时").until_at == T0 + CLOSED_MOST_H * HOUR
    assert hours_of("封沟 6 个小时") == 6
    roll = Roll()
    roll.take(one)
    d = yanqing()
    row = roll.row(d, "A01", T0 + HOUR)
    assert row is not None
    assert row.closed is not None
    assert row.closed.by == HEAD
    assert any("封沟到" in zh(x) for x in lines(d, row, T0 + HOUR))
    assert roll.row(d, "A01", T0 + 25 * HOUR) is None
    again = msgspec.structs.replace(one, id="2", said_at=T0 + HOUR, until_at=T0 + 30 * HOUR)
    roll.take(again)
    assert roll.closed("A01", T0 + 26 * HOUR) is not None  # renewed
    roll.take(
        msgspec.structs.replace(one, id="3", what="opened", said_at=T0 + 2 * HOUR, until_at=0)
    )
    assert roll.closed("A01", T0 + 3 * HOUR) is None


@examples(60)
@given(st.permutations(range(4)))
def test_the_order_of_words_does_not_show(order: list[int]) -> None:
    one = said("封沟")
    some = [
        one,
        msgspec.structs.replace(one, photo="ab" * 32),
        msgspec.structs.replace(one, id="o", what="opened", said_at=T0, until_at=0),
        msgspec.structs.replace(one, id="e", what="opened", said_at=T0 - HOUR, until_at=0),
    ]
    roll = Roll()
    for n in order:
        roll.take(some[n])
    closed = roll.closed("A01", T0 + HOUR)
    assert closed is not None
    assert closed.photo == "ab" * 32


def test_who_may_not_is_refused() -> None:
    d = yanqing()
    plain, camp = resident("R-1"), resident("R-2", category="camp")
    people = People(msgspec.structs.replace(d, contacts={"R-1": plain, "R-2": camp}))
    refused = people.text("R-1", "封沟", "m1", None, T0)
    assert any(isinstance(x, Rejected) for x in refused)
    assert not any(isinstance(x, PersonSays) and x.what == "closed" for x in refused)
    assert said("今晚 43 人", "R-2", people).people == 43


def test_guests_count_with_those_who_should_move() -> None:
    roll = Roll()
    for n, (person, count, at) in enumerate([(HEAD, 40, 0), (HEAD, 43, 5), (OBSERVER, 7, 3)]):
        one = said(f"今晚 {count} 人", person)
        roll.take(msgspec.structs.replace(one, id=str(n), said_at=T0 + at))
    assert roll.guests("A01", T0 + HOUR) == 50
    assert roll.guests("A01", T0 + 25 * HOUR) is None


def test_the_duty_room_is_told_and_the_proof_goes_on() -> None:
    d = yanqing()
    one = said("封沟12小时")
    (notice,) = deliveries(d, one, True)
    text = zh(notice.routes[0].text)
    assert "封沟到" in text
    assert HEAD in text
    stage = Detect(d, lambda _: None)
    state = stage.new(0)
    assert [w.record for w in hear(d, state, one)] == [one]
    assert hear(d, state, one) == []
    proved = msgspec.structs.replace(one, photo="ab" * 32)
    assert [w.record for w in hear(d, state, proved)] == [proved]


def test_the_public_page_says_that_it_is_closed_and_not_by_whom(tmp_path: Path) -> None:
    log, d = open_log(f"sqlite:///{tmp_path}", "exercise-a", "yanqing", 4, {}), yanqing()
    now = [T0]
    places = Places(d, log, lambda: now[0])
    places.look()
    assert places.notes("A01") == []
    log.append([Out("alerts", "A01", encode(said("封沟")))])
    places.look()
    (note,) = places.notes("A01")
    assert "已封闭" in note.zh
    assert HEAD not in note.zh + note.en
    assert places.notes("A02") == []
    now[0] += 25 * HOUR
    assert places.notes("A01") == []
    log.close()


def test_the_personal_page_asks_a_keeper_and_nobody_else() -> None:
    area = [yanqing().areas["A01"]]
    assert 'value="closed"' in form(area, "x", drill=False, hotline="1", keeps=True)
    assert 'value="closed"' not in form(area, "x", drill=False, hotline="1")
