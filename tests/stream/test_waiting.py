"""What waits to be read is bounded, in order, and none of it is lost."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from stream.mqtt.inbound_queue import Waiting
from tests.support.examples import examples


@examples(200)
@given(sizes=st.lists(st.integers(0, 50), max_size=40), most=st.integers(1, 5))
def test_order_and_bounds(sizes: list[int], most: int) -> None:
    waiting: Waiting[int] = Waiting(most, 60)
    inside, told, taken = 0, 0, []
    for n, size in enumerate(sizes):
        while not waiting.put(n, size, 0.0):
            assert inside == most or told + size > 60
            got = waiting.take(0.0, 2, 0.0, 40)
            taken += got
            inside, told = inside - len(got), told - sum(sizes[k] for k in got)
        inside, told = inside + 1, told + size
        assert inside <= most
        assert told <= 60 or inside == 1
    while got := waiting.take(0.0, 3, 0.0, 10):
        taken += got
    assert taken == list(range(len(sizes)))


def test_one_that_is_larger_than_all_still_comes_alone() -> None:
    waiting: Waiting[str] = Waiting(10, 100)
    assert waiting.put("picture", 5000, 0.0)
    assert not waiting.put("next", 1, 0.0)
    assert waiting.take(0.0, 10, 0.0, 100) == ["picture"]
    assert waiting.put("next", 1, 0.0)
    assert waiting.take(0.0, 10, 0.0, 100) == ["next"]
    assert waiting.take(0.01, 10, 0.0, 100) == []


def test_who_waits_for_room_and_who_waits_for_a_message_wake_each_other() -> None:
    waiting: Waiting[int] = Waiting(2, 100)
    thread = threading.Thread(
        target=lambda: [waiting.put(n, 60, 90.0) for n in range(50)], daemon=True
    )
    thread.start()
    taken: list[int] = []
    until = time.monotonic() + 90
    while len(taken) < 50 and time.monotonic() < until:
        taken += waiting.take(1.0, 10, 0.0, 1000)
    assert taken == list(range(50))
    thread.join(90)


def test_what_comes_after_a_pause_waits_for_nothing_and_what_comes_at_once_is_gathered() -> None:
    times = iter([0.0, 5000.0, 5000.0])
    long = 3600.0  # whoever waited for it would never come to an end
    after_a_pause: Waiting[int] = Waiting(100, 1000, lambda: next(times))
    assert after_a_pause.put(1, 1, 0.0)
    assert after_a_pause.take(90.0, 10, long, 1000) == [1]
    waiting: Waiting[int] = Waiting(100, 1000)
    assert waiting.put(1, 1, 0.0)
    thread = threading.Thread(target=lambda: [waiting.put(n, 1, 90.0) for n in (2, 3)])
    thread.start()
    assert waiting.take(90.0, 3, long, 1000) == [1, 2, 3]
    thread.join(90)
