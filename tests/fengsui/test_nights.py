"""Messages a person in a night, as the after-action report counts them."""

import msgspec

from config.records.level import Action, Level
from dispatch.records import Delivery, Question, Receipt, Route
from dispatch.send.outbox.ends import WITH
from dispatch.send.outbox.undelivered import NOT_WOKEN
from fengsui.review.nights import night_messages
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.joining import alert

MIDNIGHT = T0 + 240 * MIN


def told(n: int, who: str = "C-0001", area: str = "A01", **more: object) -> Delivery:
    at = MIDNIGHT + n * MIN
    made = Delivery(
        id=f"{who}-{n}", alert="x", version=n, area=area, hazard="flash_flood", level=Level.BLUE,
        action=Action.NONE, msg_type="alert", status="exercise", recipient=who, audience="internal",
        routes=(Route(channel="sms", text="…"),), queued_at=at, deadline_at=at, expires_at=at + 60 * MIN,
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def took(d: Delivery, state: str = "accepted", **more: object) -> Receipt:
    return Receipt(delivery=d.id, route=0, state=state, receipt_at=d.queued_at, **more)  # type: ignore[arg-type]


def test_who_had_how_many_and_who_was_over() -> None:
    district = yanqing()
    most = district.policy.night_messages["blue"]
    mine = [told(n) for n in range(most + 1)]
    other = [told(9, "C-0190", a, id=a) for a in ("A01", "A02")]
    got = [took(d) for d in (*mine, *other)]
    found = night_messages(district, [*mine, *other, *got])
    assert found is not None
    assert (found.people, found.most, found.local_people, found.local_most) == (2, most + 1, 1, most + 1)
    (row,) = found.over
    assert (row.id, row.messages, row.most, row.level, row.areas) == ("C-0001", most + 1, most, "蓝色", 1)
    assert row.night == "2025-07-26"


def test_what_went_with_another_what_never_went_and_what_is_no_message_does_not_count() -> None:
    district = yanqing()
    one, two, merged = told(1), told(2), told(3, covers=("C-0001-1", "C-0001-2"))
    failed, day = told(4), told(5, queued_at=T0 - 60 * MIN)
    node = next(iter(district.nodes))
    loud = told(6, node, routes=(Route(channel="broadcast", text="…"),))
    receipts = [
        took(merged), took(one, detail=WITH + "m"), took(two, detail=WITH + "m"), took(failed, "failed"),
        msgspec.structs.replace(took(day), receipt_at=T0 - 60 * MIN), took(loud, "played"),
    ]  # fmt: skip
    found = night_messages(district, [one, two, merged, failed, day, loud, *receipts])
    assert found is not None
    assert (found.people, found.most, found.over) == (1, 1, ())
    assert night_messages(district, [failed, took(failed, "failed")]) is None


def test_what_a_phone_received_is_told_by_kind_and_only_warnings_have_a_number() -> None:
    """A chief's lists count; who was asked to decide is none of those who are told of one village."""
    d = yanqing()
    asked = alert(Level.RED, Action.MOVE)
    officer = next(o for o in d.officers.values() if o.contact in d.contacts)
    asked = msgspec.structs.replace(asked, questions=(Question(what="release", called=(officer.id,)),))
    who, version = officer.contact, {"alert": asked.id, "version": asked.version}
    village, chief = "C-0001", "C-0190"
    mine = [
        told(0, who, **version), told(1, who), told(0, village), told(1, village, alert="n", hazard=""),
        told(0, chief), told(1, chief, "", alert=f"{NOT_WOKEN}9"), told(2, chief, "", alert=f"{NOT_WOKEN}10"),
        told(3, "asked:0123", hazard=""),
    ]  # fmt: skip
    receipts = [took(x) for x in mine] + [msgspec.structs.replace(took(mine[2], "failed"), route=1)]
    receipts += [msgspec.structs.replace(took(mine[2], "delivered"), route=2), took(mine[2], "delivered")]
    found = night_messages(d, [asked, *mine, *receipts])
    assert found is not None
    assert found.kinds == {"warning": 3, "question": 1, "list": 2, "again": 1, "other": 1}
    assert found.kind_most == {"warning": 1, "question": 1, "list": 2, "again": 1, "other": 1}
    assert (found.people, found.most) == (3, 3)
    assert (found.asked_people, found.asked_most) == (1, 2)
    assert (found.local_people, found.local_most) == (2, 3)
    assert (chief, 1, 3) in [(r.id, r.messages, r.all) for r in found.rounds]
