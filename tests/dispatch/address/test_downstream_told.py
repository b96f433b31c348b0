"""Who is responsible for an area in the way of the water hears of it, until theirs has a warning."""

import msgspec

from config.records.district import District
from config.records.level import Action, Level
from dispatch.address.reach_estimate import reach
from dispatch.address.stage import Address
from dispatch.grade import Grade
from dispatch.records import Delivery
from dispatch.send.outbox.grouping import mergeable
from dispatch.words.sample import sample
from stream.records import Record
from stream.stages.stage import Item
from tests.support.decide_district import T0, run
from tests.support.downstream import STRAIGHT, valley

ORANGE, RED = Grade(Level.ORANGE), Grade(Level.RED, Action.MOVE)


def three() -> District:
    """Three villages down one channel, a responsible person and a resident in each."""
    d = valley({"P1": (1000, 0), "P2": (5000, 0), "P3": (9000, 0)}, STRAIGHT)
    some = {c.role: c for c in d.contacts.values()}
    contacts = {
        f"{role}-{area}": msgspec.structs.replace(
            some[role], id=f"{role}-{area}", areas=(area,), min_level=Level.BLUE
        )
        for role in ("responsible", "residents", "observer")
        for area in d.areas
    }
    return msgspec.structs.replace(d, contacts=contacts, nodes={}, plans=d.plans)


class Line:
    """The stage address with one partition, and what it was told."""

    def __init__(self, district: District | None = None) -> None:
        self.stage = Address(district or three())
        self.state = self.stage.new(0)
        self.say(run())
        self.versions: dict[str, int] = {}

    def say(self, record: Record) -> list[Delivery]:
        item = Item(0, 0, "x", record)
        self.state, writes = self.stage.step(self.state, [item])
        self.state = self.stage.load(0, self.stage.dump(self.state))  # as after a restart
        return [w.record for w in writes if isinstance(w.record, Delivery)]

    def warn(self, area: str, grade: Grade, msg_type: str = "") -> dict[str, Delivery]:
        """The next version of this area's warning -> what goes to whom downstream."""
        version = self.versions[area] = self.versions.get(area, 0) + 1
        base = sample(area, "flash_flood", grade, T0, status="actual")  # as the run is
        told = msgspec.structs.replace(
            base, id=f"W-{area}", version=version, sent_at=T0, expires_at=T0 + 3_600_000,
            msg_type=msg_type or ("update" if version > 1 else "alert"),
        )  # fmt: skip
        return {d.recipient: d for d in self.say(told) if d.category == "downstream"}


def test_the_nearest_of_theirs_is_named_and_what_to_do_is_not_what_the_warned_must_do() -> None:
    found = Line().warn("P1", RED)
    assert sorted(found) == ["responsible-P2", "responsible-P3"]
    near = found["responsible-P2"]
    assert (near.audience, near.must_answer, near.msg_type) == ("internal", False, "alert")
    text = near.routes[0].text
    name = three().areas["P2"].name
    assert f"您负责的{name}在其下游，水流可能" in text
    assert "请让河边人员立即离开" in text
    assert "请立即组织转移" not in text
    assert not mergeable(near)  # the merged text asks for what the warned must do


def test_they_hear_once_and_again_when_it_rises_falls_and_ends() -> None:
    line = Line()
    assert not line.warn("P1", Grade(Level.YELLOW))
    assert line.warn("P1", ORANGE)["responsible-P2"].msg_type == "alert"
    assert not line.warn("P1", ORANGE)
    assert line.warn("P1", RED)["responsible-P2"].msg_type == "update"
    assert line.warn("P1", Grade(Level.BLUE))["responsible-P2"].level == Level.BLUE
    assert not line.warn("P1", Grade(Level.YELLOW))
    assert "responsible-P2" in line.warn("P1", RED), "it rises again after it fell"
    over = line.warn("P1", RED, "cancel")
    assert sorted(over) == ["responsible-P2", "responsible-P3"]
    assert "解除" in over["responsible-P2"].routes[0].text


def test_two_warnings_above_them_are_told_as_one() -> None:
    line = Line()
    assert "responsible-P3" in line.warn("P1", ORANGE)
    assert not line.warn("P2", ORANGE)
    assert "responsible-P3" in line.warn("P2", RED)
    assert not line.warn("P2", ORANGE), "the other still says as much"
    assert not line.warn("P1", ORANGE, "cancel"), "the other goes on"
    assert "responsible-P3" in line.warn("P2", RED, "cancel")


def test_who_has_a_warning_of_their_own_is_told_by_that() -> None:
    line = Line()
    line.warn("P2", Grade(Level.BLUE))
    assert sorted(line.warn("P1", RED)) == ["responsible-P3"]


def test_who_is_responsible_for_both_hears_of_it_once() -> None:
    d = three()
    both = msgspec.structs.replace(d.contacts["responsible-P1"], areas=("P1", "P2"))
    line = Line(msgspec.structs.replace(d, contacts={**d.contacts, both.id: both}))
    assert both.id not in line.warn("P1", RED)


def test_the_estimate_before_release_counts_them() -> None:
    lists = reach(three(), "P1", "flash_flood", RED, T0).lists
    assert sum(n for (_, kind, _), n in lists.items() if kind == "downstream") == 2
    assert not any(
        k == "downstream"
        for _, k, _ in reach(three(), "P1", "flash_flood", Grade(Level.BLUE), T0).lists
    )


def test_at_night_a_low_colour_of_their_own_waits_for_what_comes_where_an_order_stands_upstream() -> None:
    d = three()
    policy = msgspec.structs.replace(d.policy, night="22:00-06:00", night_gather_s=1800)
    night = T0 + 4 * 3_600_000

    def own(order: Grade, own: Grade, after: int = 60_000) -> int:
        """How long (ms) the head of P2 waits for what P2 itself has, so long after `order` for P1."""
        line = Line(msgspec.structs.replace(d, policy=policy))
        for area, grade, at in (("P1", order, night), ("P2", own, night + after)):
            base = sample(area, "flash_flood", grade, at, status="actual")
            told = msgspec.structs.replace(base, id=f"W-{area}", sent_at=at, expires_at=at + 3_600_000)
            found = {x.recipient: x for x in line.say(told)}
        return max(0, found["responsible-P2"].not_before - found["responsible-P2"].queued_at)

    prepare, yellow = Grade(Level.YELLOW, Action.PREPARE), Grade(Level.YELLOW)
    assert own(prepare, yellow) == own(RED, yellow) == 1_800_000
    assert own(ORANGE, yellow) == 0, "no order: nobody was told to get ready"
    assert own(RED, yellow, 3_600_000) == 0, "that order has run out, and nobody took it back"
    assert [own(RED, g) for g in (ORANGE, prepare, RED, Grade(Level.RED))] == [0] * 4
