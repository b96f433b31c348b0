"""The evacuation roll: a fold of records, in any order, and what it says to who reads it."""

import random
from typing import Any

import pytest

from config.records.level import Action
from dispatch.people.evacuation_roll import Roll, RollRow
from dispatch.records import Receipt
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.roll import PEOPLE, alert, asked, said


def rows(*records: Any, minute: float = 60) -> list[RollRow]:
    roll = Roll()
    for record in records:
        roll.take(record)
    return roll.rows(yanqing(), T0 + int(minute * MIN))


def test_the_newest_count_of_one_person_counts() -> None:
    (row,) = rows(alert(), said(5, "moved", people=12), said(20, "moved", people=30))
    assert (row.should, row.moved, row.not_yet) == (PEOPLE, 30, PEOPLE - 30)
    assert row.newest_at == T0 + 20 * MIN


def test_two_people_may_count_the_same_villagers() -> None:
    """Too few moved is the safe side: the largest count, never the sum."""
    one = said(5, "moved", people=30)
    other = said(6, "moved", person="C-0004", people=20, role="observer")
    (row,) = rows(alert(), one, other)
    assert row.moved == 30


@pytest.mark.parametrize(("role", "moved"), [("responsible", PEOPLE), ("observer", None)])
def test_moved_without_a_number_is_everybody_from_who_answers_for_the_area(
    role: str, moved: int | None
) -> None:
    (row,) = rows(alert(), said(5, "moved", role=role))
    assert row.moved == moved


def test_what_was_said_before_the_warning_is_of_another_storm() -> None:
    (row,) = rows(alert(), said(0.5, "moved", people=30))
    assert row.moved is None
    assert row.not_yet is None
    assert row.answers == ()


def test_a_cry_for_help_needs_no_warning_and_stands_until_the_same_person_ends_it() -> None:
    cry = said(5, "help")
    assert [r.help[0].person for r in rows(cry)] == ["C-0001"]
    assert rows(cry)[0].since_at == 0
    assert rows(cry, said(6, "safe", person="C-0002"))[0].help
    assert not rows(cry, said(6, "safe"))
    assert rows(cry, said(4, "safe"))[0].help, "what was said before ends nothing"
    assert not rows(cry, minute=5 + 24 * 60 + 1)


def test_who_was_called_and_has_not_answered_is_named() -> None:
    (row,) = rows(alert(), asked("C-0001"), asked("C-0002", "d-2"), said(5, "received"))
    assert row.unanswered == ("C-0002",)
    receipt = Receipt(delivery="d-2", route=0, state="answered", receipt_at=T0 + 6 * MIN)
    (row,) = rows(alert(), asked("C-0001"), asked("C-0002", "d-2"), said(5, "received"), receipt)
    assert row.unanswered == ()
    assert [(w.person, w.what) for w in row.answers] == [
        ("C-0002", "received"),
        ("C-0001", "received"),
    ]


def test_an_ended_warning_leaves_the_roll() -> None:
    assert not rows(alert(), said(5, "moved"), alert(2, msg_type="cancel", state="cancelled"))


def test_order_and_repetition_never_show() -> None:
    records = [
        alert(1, action=Action.PREPARE), alert(2), asked("C-0001"), asked("C-0002", "d-2"),
        Receipt(delivery="d-2", route=0, state="answered", receipt_at=T0 + 9 * MIN),
        said(3, "help"), said(7, "help"), said(5, "safe"), said(5, "moved", people=1),
        said(5, "moved", people=2), said(9, "moved", person="C-0002", people=4),
    ]  # fmt: skip
    want = rows(*records)
    assert want[0].help
    draw = random.Random(7)
    for _ in range(100):
        mixed = [*records, *draw.sample(records, 5)]
        draw.shuffle(mixed)
        assert rows(*mixed) == want


def test_help_stands_before_everything() -> None:
    other = alert(1, id="al-2", area="A02")
    found = rows(alert(), other, said(5, "help", area="A06"))
    assert found[0].area == "A06"
