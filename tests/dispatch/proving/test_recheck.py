"""A re-check over decide, address and the outbox: drawn by the ledger's own hash, with a code of its own, by
telephone first; who does not answer is told of and what they said before counts as said alone."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import zh
from config.records.authority import Proving
from config.records.district import District
from config.records.level import Action, Level
from dispatch.address.stage import Address
from dispatch.notices import RECHECK
from dispatch.people.evacuation_roll import Roll
from dispatch.proving.codes import AnswerCodes, blank
from dispatch.proving.draw import candidates, drawn
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import Alert, Decision, Delivery, Receipt
from dispatch.send.outbox.state import Rules
from fengsui.review.after_action import assess
from fengsui.review.page import page
from fengsui.review.reach import proved
from fengsui.review.step_times import gather
from fengsui.review.targets import Plan
from stream.records import Tick
from stream.stages.stage import Item
from tests.support.decide_district import MIN, T0, Line, act, mark, real, seen
from tests.support.examples import examples
from tests.support.outbox import RULES, World
from tests.support.people import HEAD
from tests.support.roll import asked
from tests.support.roll import said as told

CODES = AnswerCodes(b"k" * 32, "live", live=True)
SUPERIOR = "C-0010"
RULED: Rules = RULES._replace(codes=CODES, not_woken_to=((SUPERIOR, ("sms",)),), voice_retry_s=(5,))


def district(*, code: bool = True) -> District:
    proving = Proving(code=code, transfer=True, recheck_share=0.3)
    return real(msgspec.structs.replace(real().policy, proving=proving))


def line(*, code: bool = True) -> tuple[Line, str]:
    """A warning with an order to move is open."""
    found = Line(district(code=code))
    found.feed(mark(1), seen(1, Level.YELLOW, Action.MOVE), mark(2))
    (alert,) = {w.record.id for w in found.writes if isinstance(w.record, Alert)}
    return found, alert


def called(found: Line) -> list[Delivery]:
    stage = Address(found.district)
    state, made = stage.new(0), list[Delivery]()
    for n, w in enumerate(found.writes):
        state, writes = stage.step(state, [Item(0, n, w.key, w.record)])
        made += [x.record for x in writes if isinstance(x.record, Delivery)]
    return [d for d in made if d.alert.startswith(RECHECK)]


def test_the_draw_is_the_ledgers_and_can_be_repeated() -> None:
    found, alert = line()
    found.feed(act("recheck", by="D-01", alert=alert, reason="抽查"))
    decision: Decision = found.decisions[-1]
    assert decision.outcome == "done", decision.answer
    calls = called(found)
    want = drawn(candidates(found.district, "A01"), decision.hash, 0.3)
    assert [d.recipient for d in calls] == list(want)
    assert called(found) == calls, "a replay draws the same"
    for d in calls:
        assert d.code == blank(4)
        assert d.must_answer
        assert CODES.code(d.alert, d.recipient) != CODES.code(alert, d.recipient)
        for r in d.routes:
            assert d.code in zh(r.text)
        if "voice" in [r.channel for r in d.routes]:
            assert d.routes[0].channel == "voice"


@pytest.mark.parametrize(
    "wrong", [{"by": "V-02"}, {"alert": "nothing"}, {"by": "G-01"}, {"by": "nobody"}]
)
def test_who_may_not_and_what_is_not_open(wrong: dict[str, str]) -> None:
    found, alert = line()
    said = act("recheck", by="D-01", alert=alert, reason="抽查")
    found.feed(msgspec.structs.replace(said, **wrong))
    assert found.decisions[-1].outcome == "refused"
    assert not called(found)


def test_where_no_code_is_asked_for_nothing_can_be_asked_again() -> None:
    found, alert = line(code=False)
    found.feed(act("recheck", by="D-01", alert=alert, reason="抽查"))
    assert found.decisions[-1].outcome == "refused"
    assert "code = true" in zh(found.decisions[-1].answer)


def story(*, answers: bool) -> tuple[Roll, District, list[object]]:
    """HEAD had the code and moved people; then they are called again."""
    found, alert = line()
    found.feed(act("recheck", by="D-01", alert=alert, reason="抽查"))
    one = called(found)[0]
    call = msgspec.structs.replace(
        one, recipient=HEAD, area="A01", routes=one.routes[:1], status="exercise",
        queued_at=T0 + 20 * MIN, deadline_at=T0 + 25 * MIN, expires_at=T0 + 380 * MIN,
    )  # fmt: skip
    w = World(RULED)
    w.put(Tick(clock_at=T0 + 20 * MIN), call)
    w.box.entries[call.id].begun_at = T0 + 20 * MIN
    if answers:
        code = CODES.code(call.alert, HEAD)
        w.put(told(21, "received", code=code))
    else:
        w.put(
            Receipt(
                delivery=call.id, route=0, state="failed", receipt_at=T0 + 21 * MIN, attempt=1,
                permanent=True, detail="no answer",
            )
        )  # fmt: skip
        w.put(Tick(clock_at=T0 + 23 * MIN))
    first = msgspec.structs.replace(asked(HEAD), alert=alert, code=blank(4))
    right = JudgedAnswer(
        id="j", person=HEAD, area="A01", alert=alert, delivery="d-1", way="sms", what="received",
        strength="code", verdict="right", answered_at=T0 + 8 * MIN,
    )  # fmt: skip
    moves = (
        told(10, "moved", people=20, how="shelter"), told(11, "witnessed", person="C-0004"),
    )  # fmt: skip
    records = [*(x.record for x in found.writes), first, right, *w.log, *moves]
    roll = Roll()
    for r in records:
        roll.take(r)
    return roll, found.district, records


def test_who_passes_stays_proven() -> None:
    roll, d, _ = story(answers=True)
    row = roll.row(d, "A01", T0 + 60 * MIN)
    assert row is not None
    assert [(r.person, r.state) for r in row.rechecks] == [(HEAD, "passed")]
    assert [h.strength for h in row.heard] == ["acted"]
    assert row.transfers is not None
    assert (row.transfers.proven, row.unanswered) == (20, ())


def test_who_fails_is_only_said_again_and_the_superior_hears() -> None:
    roll, d, made = story(answers=False)
    row = roll.row(d, "A01", T0 + 60 * MIN)
    assert row is not None
    assert [(r.person, r.state) for r in row.rechecks] == [(HEAD, "failed")]
    assert [(h.strength, h.proven) for h in row.heard] == [("read", False)]
    assert row.unanswered == (HEAD,)
    assert row.transfers is not None
    assert (row.transfers.proven, row.transfers.unproven) == (0, 20)
    assert [r.why for r in row.transfers.rows] == ["recheck"]
    assert SUPERIOR in [x.recipient for x in made if isinstance(x, Delivery)]


@given(
    st.sets(st.text("abcdef", min_size=1, max_size=3), max_size=12),
    st.text(max_size=8),
    st.floats(0, 1),
)
@examples(60)
def test_a_draw_takes_no_one_twice_and_never_more_than_there_are(
    among: set[str], seed: str, share: float
) -> None:
    found = drawn(among, seed, share)
    assert len(set(found)) == len(found) <= len(among)
    assert bool(found) == bool(among)
    assert set(found) <= among


def test_the_report_afterwards_gives_the_figures() -> None:
    _, d, records = story(answers=False)
    found = proved(d, records, gather(records))
    assert (found.asked, found.proven, found.said, found.rechecked) == (1, 0, 1, 1)
    assert found.failed == (HEAD,)
    assert (found.moved_proven, found.moved_unproven) == (0, 20)
    assessment = assess(d, records, Plan(), ())
    for language, words in (("zh", "抽查 1"), ("en", "re-checked 1")):
        assert words in page(d, assessment, language)  # type: ignore[arg-type]
