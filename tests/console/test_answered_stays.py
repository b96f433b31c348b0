"""Who has answered is not shown as missed, whatever comes later of a way that was begun before."""

import msgspec

from console.model.reach import arrived, missed
from console.model.view import View
from dispatch.records import Receipt, Route
from tests.support.decide_district import MIN, T0
from tests.support.roll import asked


def test_a_late_answer_stays_when_the_next_way_says_that_it_delivered() -> None:
    view = View()
    told = asked("C-0001", "d-1")
    view.take(msgspec.structs.replace(told, routes=(*told.routes, Route(channel="app", text="x"))))
    for state, route, minute in (
        ("delivered", 0, 1), ("failed", 0, 5), ("accepted", 1, 5),
        ("answered", 0, 6), ("delivered", 1, 7),
    ):  # fmt: skip
        view.take(
            Receipt(delivery="d-1", route=route, state=state, receipt_at=T0 + minute * MIN)  # type: ignore[arg-type]
        )
    sent = view.sent["d-1"]
    assert (sent.state, sent.route, sent.at) == ("answered", 0, T0 + 6 * MIN)
    assert arrived(sent)
    assert not missed(sent, told.deadline_at + MIN)
