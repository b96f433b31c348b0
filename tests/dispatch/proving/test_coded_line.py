"""The code from the tables to the roll: a message asks for it, an SMS or the page brings it back, and the roll
tells proven from said from silent."""

from typing import Any

import msgspec

from config.records.authority import Proving
from config.records.district import District
from dispatch.people.evacuation_roll import Roll
from dispatch.proving.codes import blank
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import Delivery, Receipt
from dispatch.words.sms_length import segments
from ingest.observation import PersonSays
from ingest.people.reports import People
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.people import HEAD, Watch, one, says, sent, sms
from tests.support.roll import alert, asked


def coded(**more: Any) -> District:
    policy = msgspec.structs.replace(yanqing().policy, proving=Proving(code=True, **more))
    return msgspec.structs.replace(yanqing(), policy=policy)


def plain() -> District:
    """Where nothing is to be proved."""
    policy = msgspec.structs.replace(yanqing().policy, proving=Proving())
    return msgspec.structs.replace(yanqing(), policy=policy)


def test_who_must_answer_is_asked_for_the_code_and_nobody_else() -> None:
    made = [d for d in sent(alert(), kind="exercise", district=coded()) if isinstance(d, Delivery)]
    must = [d for d in made if d.must_answer]
    assert must
    assert {d.code for d in made if not d.must_answer} == {""}
    for d in must:
        assert d.code == blank(4)
        for route in d.routes:
            assert d.code in str(route.text), (d.recipient, route)
            if route.channel == "sms":
                assert segments(str(route.text)) <= 3


def test_the_figures_of_a_short_message_and_of_an_app() -> None:
    people = People(coded())
    for text, what in (("收到 4821", "received"), ("4821", "received"), ("已转移12人，4821", "moved")):
        (found,) = people.sms(HEAD, sms(text), T0)
        assert (found.what, found.code) == (what, "4821")  # type: ignore[union-attr]
    body = msgspec.json.encode({"what": "received", "area": "A01", "code": " 4 821 "})
    (found,) = people.report(HEAD, body, T0)
    assert one([found]).code == "4821"  # type: ignore[list-item]
    (found,) = People(plain()).sms(HEAD, sms("收到 4821"), T0)
    assert one([found]).code == "", "where no code is asked for, figures are nobody's"  # type: ignore[list-item]


def test_who_answers_for_several_places_need_name_none() -> None:
    contact = msgspec.structs.replace(yanqing().contacts[HEAD], areas=("A01", "A03"))
    district = msgspec.structs.replace(coded(), contacts={HEAD: contact})
    (found,) = People(district).sms(HEAD, sms("4821"), T0)
    assert one([found]).area == ""  # type: ignore[list-item]


def answer(n: int, strength: Any, verdict: Any, person: str = HEAD, wrong: int = 0) -> JudgedAnswer:
    return JudgedAnswer(
        id=f"j{n}", person=person, area="A01", alert="al-1", delivery="d-1", way="sms", wrong=wrong,
        what="received", strength=strength, verdict=verdict, answered_at=T0 + n * MIN,
    )  # fmt: skip


def test_the_roll_tells_proven_from_said_from_silent_in_any_order() -> None:
    ask = [
        msgspec.structs.replace(asked(p, f"d-{n}"), code=blank(4))
        for n, p in enumerate((HEAD, "C-0002", "C-0003", "C-0004"))
    ]
    records = [
        alert(), *ask,
        Receipt(delivery="d-2", route=0, state="delivered", receipt_at=T0 + 3 * MIN),
        answer(3, "read", "wrong", wrong=1), answer(4, "code", "right", wrong=1),
        answer(5, "read", "none", "C-0002"),
    ]  # fmt: skip
    rows = []
    for order in (records, records[::-1], [*records, *records]):
        roll = Roll()
        for record in order:
            roll.take(record)
        (row,) = roll.rows(coded(), T0 + 60 * MIN)
        rows.append(row)
    assert rows[0] == rows[1] == rows[2]
    found = {h.person: (h.strength, h.wrong) for h in rows[0].heard}
    assert found == {
        "C-0004": ("", 0), "C-0003": ("received", 0), "C-0002": ("read", 0), HEAD: ("code", 1),
    }  # fmt: skip
    assert set(rows[0].unanswered) == {"C-0002", "C-0003", "C-0004"}


def test_the_line_passes_on_a_code_without_a_place_and_the_picture_of_a_move_behind_its_word() -> None:
    watch = Watch(coded())
    code = says(1, "received", HEAD, area="", code="4821")
    move = says(2, "moved", HEAD, people=3)
    shown = msgspec.structs.replace(move, photo="aa")
    found = watch.feed(code, move, shown, shown, says(3, "received", HEAD, area=""))
    assert [(r.what, r.photo) for r in found if isinstance(r, PersonSays)] == [
        ("received", ""), ("moved", ""), ("moved", "aa"), ("moved", "aa"),
    ]  # fmt: skip
