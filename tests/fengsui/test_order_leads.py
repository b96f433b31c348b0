"""How early orders came before the water, as the last screen of a run tells it."""

import msgspec

from config.language import zh
from config.records.authority import Authority
from config.records.level import Action
from dispatch.records import Alert
from fengsui.review.incident.order_leads import order_counts, village_orders
from tests.support.decide_district import MIN, T0, Line, act, mark, real, seen, with_authority

MOVE, PREPARE = Action.MOVE, Action.PREPARE


def versions(line: Line) -> list[list[Alert]]:
    found: dict[str, list[Alert]] = {}
    for w in line.writes:
        if isinstance(w.record, Alert):
            found.setdefault(w.record.id, []).append(w.record)
    return list(found.values())


def test_an_order_that_waited_for_a_person_says_for_whom_and_how_long() -> None:
    asks = Authority(by=("district", "chief"), deadline_s=3600, default="repeat")
    line = Line(with_authority(prepare=asks))
    line.feed(seen(0, action=PREPARE), mark(1))
    line.feed(mark(3), act("release", by="P-7"))
    (row,) = village_orders(line.district, versions(line), {"A01": T0 + 33 * MIN})
    assert row.prepare is not None
    assert row.prepare.by == "P-7"
    assert row.prepare.waited_s == 180
    assert row.prepare.lead_s == 1800
    assert "60分钟降雨量52.3mm（阈值52mm" in zh(row.prepare.why)
    assert row.move is None


def test_an_order_that_was_lifted_before_the_flood_helped_nobody() -> None:
    line = Line(real())
    line.feed(seen(0, action=MOVE), mark(1), act("release", by="V-01"))
    given = [msgspec.structs.replace(a, action=MOVE, sent_at=T0) for a in versions(line)[0][-1:]]
    lifted = [msgspec.structs.replace(given[0], version=9, action=Action.NONE,
                                      proposed_action=Action.NONE, sent_at=T0 + 30 * MIN)]  # fmt: skip
    (row,) = village_orders(line.district, [[*given, *lifted]], {"A01": T0 + 60 * MIN})
    assert row.move is None
    (row,) = village_orders(line.district, [[*given, *lifted]], {"A01": T0 + 20 * MIN})
    assert row.move is not None
    assert row.move.lead_s == 1200


def test_what_was_proposed_and_nobody_let_out_is_told_apart_from_what_never_came() -> None:
    line = Line(with_authority(prepare=(asks := _asks()), move=asks))
    line.feed(seen(0, action=PREPARE), mark(1))
    line.feed(seen(5, action=MOVE), mark(6))
    asked = {a.proposed_action: a.sent_at for a in reversed(versions(line)[0])}
    at = T0 + 33 * MIN
    (row,) = village_orders(line.district, versions(line), {"A01": at})
    assert (row.prepare, row.move) == (None, None)
    assert row.unanswered == tuple(
        (asked[x], x, (at - asked[x]) // 1000) for x in (PREPARE, MOVE)
    )
    (row,) = village_orders(line.district, versions(line), {"A01": T0 - MIN})
    assert row.unanswered == (), "what was asked for after the flood helped nobody"
    line.feed(act("release", by="P-7"))
    (row,) = village_orders(line.district, versions(line), {"A01": at})
    assert row.move is not None and row.unanswered == ()
    assert village_orders(line.district, [], {}) == []


def _asks() -> Authority:
    return Authority(by=("district", "chief"), deadline_s=3600, default="repeat")


def test_villages_are_counted_by_how_early_it_was() -> None:
    line = Line(real())
    line.feed(seen(0, action=MOVE), seen(0, action=MOVE, area="A02"), mark(0.5))
    for area in ("A01", "A02"):
        line.feed(act("release", by="D-01", area=area))
    orders = versions(line)
    at = max(a.sent_at for mine in orders for a in mine)
    rows = village_orders(line.district, orders, {"A01": at + 25 * MIN, "A06": at})
    assert [r.area for r in rows] == ["A06", "A01", "A02"]
    n = order_counts(rows, MOVE, 20 * 60)
    assert (n.flooded, n.enough, n.short, n.late, n.never, n.vain) == (2, 1, 0, 0, 1, 1)
    assert n.median_s == 1500
    late = village_orders(line.district, orders, {"A01": at - MIN})
    assert order_counts(late, MOVE, 20 * 60).late == 1
