"""Supplies that are counted, the draft of an order with the source of every sentence, and an order in a
person's own words to those whose the tasks are."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import en, zh
from config.records.authority import Proving
from config.records.level import Action, Level
from dispatch.address.stage import Address
from dispatch.decide.plan.draft import draft, paragraphs
from dispatch.decide.plan.stock import HeldSupply, Stocked, moved, stocked, take_stock
from dispatch.grade import Grade
from dispatch.proving.codes import blank
from dispatch.records import Alert, Decision, Delivery
from stream.stages.stage import Item
from tests.support.decide_district import Line, act, mark, real, seen
from tests.support.examples import examples

SANDBAGS = "SB-01"
Stock = dict[str, dict[str, HeldSupply]]


def wish(
    what: str, count: int, by: str = "D-01", supply: str = SANDBAGS, incident: str = ""
) -> Decision:
    d = act(what, area="", hazard="", by=by, reason="抢险")
    return msgspec.structs.replace(d, supply=supply, count=count, incident=incident)


def of(line: Line) -> Stocked:
    stock: Stock = {}
    for d in line.decisions:
        take_stock(stock, d)
    assert stock == line.state.stock, "who reads the ledger counts as decide does"
    return stocked(line.district, stock, SANDBAGS)


def answer(line: Line, decision: Decision) -> str:
    line.feed(decision)
    return line.decisions[-1].outcome


def test_supplies_are_reserved_issued_and_brought_back() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    assert answer(line, wish("reserve", 800)) == "done"
    assert of(line) == Stocked(1200, 800, 0, 400)
    assert answer(line, wish("issue", 500, by="T-01")) == "done"  # the keeper
    assert of(line) == Stocked(1200, 300, 500, 400)
    assert answer(line, wish("issue", 600)) == "done"  # what is reserved first, then what is free
    assert of(line) == Stocked(1200, 0, 1100, 100)
    assert answer(line, wish("restore", 1100)) == "done"
    assert of(line) == Stocked(1200, 0, 0, 1200)
    assert "抢险" in zh(line.decisions[-1].reason)


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (wish("reserve", 1201), "只剩1200条可用"),
        (wish("issue", 1201), "只剩1200条可用"),
        (wish("restore", 1), "只有0条"),
        (wish("reserve", 0), "一以上"),
        (wish("reserve", 5, by="T-02"), "由T-01保管"),
        (wish("reserve", 5, supply="SB-99"), "没有物资"),
        (wish("reserve", 5, by="nobody"), "没有nobody"),
        (wish("reserve", 5, incident="yanqing-1"), "不是进行中的事件"),
    ],
)
def test_what_is_not_there_cannot_be_had(decision: Decision, why: str) -> None:
    line = Line(real())
    assert answer(line, decision) == "refused"
    assert why in zh(line.decisions[-1].answer)
    assert of(line).free == 1200


def test_two_storms_cannot_reserve_the_same_thing_twice() -> None:
    d = real()
    stock: Stock = {}

    def said(what: str, count: int, incident: str) -> str:
        found = moved(d, stock, incident, wish(what, count, incident=incident))
        take_stock(
            stock,
            msgspec.structs.replace(found.upon(wish(what, count, incident=incident)), hash="h"),
        )
        return found.outcome

    assert said("reserve", 1000, "first") == "done"
    assert said("reserve", 300, "second") == "refused"
    assert said("issue", 201, "second") == "refused"
    assert said("issue", 200, "second") == "done"
    assert said("restore", 300, "second") == "refused"
    assert said("restore", 1000, "first") == "done"
    assert said("reserve", 1000, "second") == "done"


@examples(200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["reserve", "issue", "restore"]),
            st.integers(0, 700),
            st.sampled_from("ab"),
        ),
        max_size=30,
    )
)
def test_nothing_is_ever_below_zero(said: list[tuple[str, int, str]]) -> None:
    d = real()
    stock: Stock = {}
    for what, count, incident in said:
        one = wish(what, count, incident=incident)
        take_stock(
            stock, msgspec.structs.replace(moved(d, stock, incident, one).upon(one), hash="h")
        )
        now = stocked(d, stock, SANDBAGS)
        assert min(now) >= 0
        assert now.free + now.reserved + now.out == now.quantity
        assert all(h.reserved >= 0 and h.out >= 0 for m in stock.values() for h in m.values())


def test_every_sentence_of_a_draft_names_its_row() -> None:
    d = real()
    found = draft(
        d, "A01", "flash_flood", Grade(Level.RED, Action.MOVE), {"SD-04": {"x": HeldSupply(out=3)}}
    )
    text = "".join(zh(s.words) for s in found)
    assert "香屯村" in text and "602人" in text
    assert "可容700人" in text
    assert "抢险队到村协助转移" in text
    assert "不得走示例-香屯村至沙门村沿河路" in text
    left = d.plans.supplies["SD-04"].quantity - 3
    assert f"可用{left}" in text
    sources = [zh(s.source) for s in found]
    assert sources[0] == "areas.csv A01"
    for name in ("shelters.csv SH-A01", "plans.toml team-go，teams.csv TR-01", "risks.csv RK-42"):
        assert name in sources
    assert all(s.strip() for s in sources)
    assert not any(c > "⺀" for s in found for c in en(s.words) if "示例" not in zh(s.words)), found
    assert draft(d, "A01", "flash_flood", Grade(), {}) == []


def test_the_plans_text_is_attached_by_level_and_hazard() -> None:
    d = real()

    def ids(hazard: str, *grade: int) -> list[str]:
        return [p.id for p in paragraphs(d, hazard, Grade(Level(grade[0]), Action(grade[1])))]

    assert ids("flash_flood", 1, 0) == ["4.1"]
    assert ids("flash_flood", 2, 2) == ["4.1", "4.2", "5.1", "5.2"]
    assert ids("debris_flow", 0, 2) == ["5.1", "5.2", "5.3"]


def deliveries(line: Line) -> list[Delivery]:
    stage = Address(line.district)
    state = stage.new(0)
    found = []
    for n, w in enumerate(line.writes):
        state, writes = stage.step(state, [Item(0, n, w.key, w.record)])
        found += [x.record for x in writes if isinstance(x.record, Delivery)]
    return [d for d in found if d.alert.startswith("instruct:")]


@pytest.mark.parametrize("coded", [True, False])
def test_an_order_in_writing_goes_to_those_whose_the_tasks_are_word_for_word(coded: bool) -> None:
    d = real()
    proving = Proving(code=coded)
    line = Line(msgspec.structs.replace(d, policy=msgspec.structs.replace(d.policy, proving=proving)))
    line.feed(mark(1), seen(1, Level.YELLOW, Action.MOVE), mark(2))
    (alert,) = {w.record.id for w in line.writes if isinstance(w.record, Alert)}
    said = act("instruct", by="D-01", alert=alert, reason="香屯村全部转移到村委会广场。")
    line.feed(said)
    assert line.decisions[-1].outcome == "done", line.decisions[-1].answer
    assert "V-01" in zh(line.decisions[-1].answer)
    found = deliveries(line)
    assert {d.recipient for d in found} >= {"C-0001", line.district.officers["T-01"].contact}
    assert all(d.must_answer and d.audience == "internal" for d in found)
    assert all("香屯村全部转移到村委会广场。" in zh(r.text) for d in found for r in d.routes)
    asks = f"收到请回复确认码{blank(4)}。" if coded else "收到请回复。"
    assert all(asks in zh(r.text) for d in found for r in d.routes), "who must answer is asked to"
    assert {d.code for d in found} == {blank(4) if coded else ""}
    assert all("指令（D-01签发）" in zh(r.text) for d in found for r in d.routes)
    assert len({d.id for d in found}) == len(found)
    for wrong in (
        msgspec.structs.replace(said, by="V-02", order="x"),
        msgspec.structs.replace(said, alert="nothing", order="y"),
        msgspec.structs.replace(said, by="G-01", order="z"),
    ):
        assert answer(line, wrong) == "refused"
    assert deliveries(line) == found
    line.feed(seen(3, Level.NONE), mark(3))
    line.quiet(40, 60)
