"""The evacuation roll: a fold of records, in any order, and what it says to who reads it."""

import random
from typing import Any

import msgspec
import pytest

from config.level import Action, Level
from dispatch.alert import Alert, Delivery, Receipt, Route
from dispatch.roll import Roll, RollRow
from ingest.observation import PersonSays
from tests.decide_district import MIN, T0, yanqing

PEOPLE = yanqing().areas["A01"].population


def alert(version: int = 1, *, action: Action = Action.MOVE, **changes: Any) -> Alert:
    made = Alert(
        id="al-1", version=version, area="A01", hazard="flash_flood", status="exercise",
        msg_type="alert", level=Level.ORANGE, action=action, proposed_level=Level.ORANGE,
        proposed_action=action, public=True, state="released", incident="i",
        sent_at=T0 + version * MIN, onset_at=T0, expires_at=T0 + 600 * MIN, reason="",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def said(
    minute: float, what: Any, *, person: str = "C-0001", people: int | None = None, **more: Any
) -> PersonSays:
    at = T0 + int(minute * MIN)
    fields: dict[str, Any] = {
        "id": f"{person}{what}{minute}{people}", "person": person, "role": "responsible",
        "area": "A01", "what": what, "said_at": at, "received_at": at, "way": "sms",
        "people": people, **more,
    }  # fmt: skip
    return PersonSays(**fields)


def asked(person: str, ident: str = "d-1") -> Delivery:
    return Delivery(
        id=ident, alert="al-1", version=1, area="A01", hazard="flash_flood", level=Level.ORANGE,
        action=Action.MOVE, msg_type="alert", status="exercise", recipient=person,
        audience="internal", routes=(Route(channel="sms", text="x"),), queued_at=T0 + MIN,
        deadline_at=T0 + 9 * MIN, expires_at=T0 + 600 * MIN, must_answer=True,
        category="responsible",
    )  # fmt: skip


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
