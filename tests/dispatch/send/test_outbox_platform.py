"""A message to a broadcast platform in the outbox: taken, on the air, played and failed are four things,
and the duty room hears of one that does not sound."""

from dispatch.send.outbox.state import Attempt
from stream.records import Tick
from tests.support.outbox import MIN, T0, World, delivery, due, receipt, routes

PLATFORM = routes("broadcast_platform")


def begun(deadline_min: int = 4) -> tuple[World, Attempt]:
    w = World()
    w.put(delivery(routes=PLATFORM, deadline_at=T0 + deadline_min * MIN, expires_at=T0 + 60 * MIN))
    one = w.one()
    w.put(receipt(one, "accepted"))
    return w, one


def test_taken_alone_is_sent_again_and_told_at_the_deadline() -> None:
    w, _ = begun()
    tries = 1
    for at in range(T0, T0 + 50 * MIN, 5000):
        w.put(Tick(clock_at=at))
        for a in due(w.box, (), at):
            if a.delivery.id == "d1":
                assert a.key
                tries += 1
                w.put(receipt(a, "accepted", at))
    assert tries > 5
    (told,) = w.notices()
    assert told.recipient == "duty:r1" and "到期未播出" in str(told.routes[0].text)
    assert w.box.entries["d1"].state != "played"


def test_on_the_air_is_left_alone_to_the_end_and_is_not_called_played() -> None:
    w, one = begun()
    w.put(receipt(one, "playing", T0 + MIN))
    for at in range(T0, T0 + 59 * MIN, 10_000):
        w.put(Tick(clock_at=at))
        assert not due(w.box, (), at)
    assert w.box.entries["d1"].state == "playing" and not w.notices()
    w.put(Tick(clock_at=T0 + 61 * MIN))
    assert w.receipts()[-1] == "expired" and not w.notices()
    w.put(receipt(one, "played", T0 + 62 * MIN))  # its word on how it went comes after that
    assert w.box.entries["d1"].state == "played"


def test_played_ends_it_and_a_withdrawal_that_was_taken_too() -> None:
    w, one = begun()
    w.put(receipt(one, "playing", T0 + MIN), receipt(one, "played", T0 + 2 * MIN))
    assert w.box.entries["d1"].done and w.box.entries["d1"].state == "played"
    w.put(delivery(2, recipient="r1", version=2, msg_type="cancel", routes=PLATFORM))
    (over,) = due(w.box, (), T0)
    w.put(receipt(over, "delivered"))
    assert w.box.entries["d2"].done and not w.box.open


def test_a_broadcast_that_failed_is_tried_again_and_one_that_a_person_cancelled_is_not() -> None:
    w, one = begun()
    w.put(receipt(one, "playing", T0 + MIN), receipt(one, "failed", T0 + 2 * MIN))
    (again,) = due(w.box, (), T0 + 3 * MIN)
    assert (again.delivery.id, again.attempt) == ("d1", 2)
    w.put(receipt(again, "failed", T0 + 4 * MIN, permanent=True, detail="平台取消了播发"))
    assert w.box.entries["d1"].done
    (told,) = w.notices()
    assert "平台取消了播发" in str(told.routes[0].text)


def test_done_is_taken_back_by_a_later_word_that_it_failed() -> None:
    w, one = begun()
    w.put(receipt(one, "played", T0 + MIN), receipt(one, "failed", T0 + 2 * MIN))
    assert not w.box.entries["d1"].done
    (again,) = due(w.box, (), T0 + 3 * MIN)
    assert again.delivery.id == "d1"
