"""The agenda hands out what `due` of tests/dispatch/send/test_outbox.py defines, in that order,
whatever happens."""

import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from dispatch.records import Receipt
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.attempts import Agenda
from dispatch.send.outbox.state import Attempt, Box
from stream.records import Tick
from tests.support.examples import examples
from tests.support.outbox import RULES, T0, delivery, due, receipt, routes


def taken(agenda: Agenda, channel: str, at: int) -> list[Attempt]:
    found = []
    while (attempt := agenda.take(channel, at)) is not None:
        found.append(attempt)
    return found


@examples(300)
@given(st.integers(0, 2**32))
def test_the_order_is_the_one_that_is_defined(seed: int) -> None:
    rnd = random.Random(seed)
    box, agenda, begun, at = Box(), Agenda(), dict[str, Attempt](), T0
    for _step in range(rnd.randrange(5, 60)):
        at += rnd.choice([0, 0, 1000, 20_000])
        for _ in range(rnd.randrange(4)):
            queued = at + rnd.randrange(3)
            apply(
                RULES,
                box,
                delivery(
                    rnd.randrange(200),
                    alert=rnd.choice("xy"),
                    version=rnd.randrange(1, 4),
                    recipient=f"r{rnd.randrange(6)}",
                    level=rnd.choice(list(Level)),
                    action=rnd.choice(list(Action)),
                    routes=routes(*rnd.sample(["sms", "app", "broadcast"], rnd.randrange(1, 4))),
                    queued_at=queued,
                    deadline_at=queued + rnd.randrange(100_000),
                    expires_at=queued + rnd.randrange(300_000),
                ),
            )
        if rnd.random() < 0.1:  # the partition went away and came back
            box = msgspec.msgpack.decode(msgspec.msgpack.encode(box), type=Box)
        if rnd.random() < 0.5:
            apply(RULES, box, Tick(clock_at=at))
        agenda.follow(box)
        if rnd.random() < 0.2:
            assert agenda.idle(at) == (not begun and not due(box, begun, at))
        # one at a time, for each may make others of its line wait
        for channel in rnd.sample(["sms", "app", "broadcast"], 3):
            for _ in range(rnd.randrange(4)):
                wanted = [
                    a for a in due(box, begun, at) if a.delivery.routes[a.route].channel == channel
                ]
                got = agenda.take(channel, at)
                assert got == (wanted[0] if wanted else None)
                if got is not None:
                    begun[got.delivery.id] = got
        for entry_id, a in list(begun.items()):
            if rnd.random() < 0.5:
                r: Receipt = receipt(a, rnd.choice(["accepted", "failed", "sent", "failed"]), at)
                apply(RULES, box, msgspec.structs.replace(r, permanent=rnd.random() < 0.3))
                agenda.follow(box)
                del begun[entry_id]
                agenda.end(entry_id)
    agenda.follow(box)
    for channel in ("sms", "app", "broadcast"):
        taken(agenda, channel, at)


def test_what_is_put_off_comes_back_later() -> None:
    box, agenda = Box(), Agenda()
    apply(RULES, box, delivery())
    agenda.follow(box)
    assert agenda.take("sms", T0) is not None
    agenda.end("d1", T0 + 5000)
    assert agenda.take("sms", T0 + 4999) is None
    assert agenda.take("sms", T0 + 5000) is not None


def test_a_red_stands_before_100_000_blues() -> None:
    box, agenda = Box(), Agenda()
    blue: dict[str, Any] = {"level": Level.BLUE, "alert": "b"}
    for n in range(100_000):
        apply(RULES, box, delivery(n, **blue))
    agenda.follow(box)
    first = agenda.take("sms", T0)
    assert first is not None
    assert first.delivery.level == Level.BLUE
    apply(RULES, box, delivery(200_000, level=Level.RED))
    agenda.follow(box)
    second = agenda.take("sms", T0)
    assert second is not None
    assert second.delivery.level == Level.RED
