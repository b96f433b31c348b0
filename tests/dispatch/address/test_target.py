"""Who is told of what, in which order and with which words: the stage address."""

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from detectors.detection import Mark
from dispatch.address.recipients import CAP_FEED, DOWNSTREAM, DUTY_ROOM
from dispatch.address.stage import Address
from dispatch.geography.downstream import areas_below
from dispatch.notices import REPORT
from dispatch.records import Alert, Delivery
from stream.records import Run
from stream.stages.stage import Item
from tests.support.decide_district import (
    MIN,
    OTHER,
    T0,
    Line,
    act,
    mark,
    run,
    seen,
    silence,
    small,
    yanqing,
)
from tests.support.examples import examples
from tests.support.target import Both, reached

YELLOW, ORANGE, RED = Level.YELLOW, Level.ORANGE, Level.RED


def by(found: list[Delivery]) -> dict[str, Delivery]:
    table = {d.recipient: d for d in found}
    assert len(table) == len(found)  # nobody twice for one version
    return table


def people(role: str, area: str = "A01") -> set[str]:
    return {
        c.id
        for c in yanqing().contacts.values()
        if c.role == role and (area in c.areas or "*" in c.areas)
    }


def test_red_reaches_everybody_concerned() -> None:
    found = by(Both("exercise").feed(seen(1, RED, Action.MOVE)))
    nodes = {n.id for n in yanqing().nodes.values() if n.area == "A01"}
    assert nodes
    everyone = {
        CAP_FEED,
        DUTY_ROOM,
        *nodes,
        *people("responsible"),
        *people("residents"),
        *people("observer"),
        *people("organisation"),
    }
    below = {d.recipient for d in found.values() if d.category == DOWNSTREAM}
    assert below
    hits = areas_below(yanqing(), "A01", "flash_flood")
    assert below <= {c for h in hits for c in people("responsible", h.id)}
    assert set(found) - below == everyone
    assert {found[n].routes[0].channel for n in nodes} == {"broadcast"}
    for who in people("responsible"):
        assert found[who].must_answer
        assert found[who].audience == "internal"
        assert found[who].deadline_at == found[who].queued_at + 3 * MIN
    for who in people("residents"):
        assert found[who].audience == "public"
        assert not found[who].must_answer
    for d in found.values():
        assert d.status == "exercise"
        assert all("演练" in r.text or "EXERCISE" in r.text for r in d.routes)


def test_routes_follow_the_contacts_preference_and_count_segments() -> None:
    found = by(Both("exercise").feed(seen(1, RED)))
    for c in yanqing().contacts.values():
        if c.id in found:
            assert tuple(r.channel for r in found[c.id].routes) == c.channels
            for r in found[c.id].routes:
                assert (r.segments > 0) == (r.channel == "sms")


def test_neighbouring_counties_hear_of_their_areas_only() -> None:
    d = yanqing()
    both = Both("exercise")
    both.stage = Address(d)  # the whole district: these areas lie at its edge
    alert = both.line.feed(seen(1, RED))[0]
    for area, county in (("A46", "怀来"), ("A19", "赤城")):
        moved = msgspec.structs.replace(alert, area=area, id=f"x-{area}")
        _, writes = both.stage.step(both.stage.new(0), [Item(0, 0, "", moved)])
        found = [w.record for w in writes if isinstance(w.record, Delivery)]
        told = [
            d.contacts[x.recipient].name
            for x in found
            if x.recipient in d.contacts and d.contacts[x.recipient].role == "organisation"
        ]
        assert len(told) == 1
        assert county in told[0]
        org = next(
            x
            for x in found
            if x.recipient in d.contacts and d.contacts[x.recipient].role == "organisation"
        )
        assert org.audience == "public"
        assert "通报" in org.routes[0].text


def test_blue_does_not_wake_the_village_and_min_level_is_kept() -> None:
    found = by(Both().feed(seen(1, Level.BLUE)))
    for recipient in found:
        assert recipient not in yanqing().nodes
    for c in yanqing().contacts.values():
        if c.id in found:
            assert c.min_level <= Level.BLUE
    assert CAP_FEED in found


def test_an_order_overrides_min_level() -> None:
    found = by(Both().feed(seen(1, Level.NONE, Action.PREPARE)))
    assert people("residents") <= set(found)
    assert any(r in yanqing().nodes for r in found)
    assert all(found[p].must_answer for p in people("responsible"))


def test_what_is_not_public_stays_inside() -> None:
    both = Both()
    found = by(both.feed(seen(1, ORANGE)))
    assert found[CAP_FEED].level == YELLOW
    for who in people("residents") & set(found):
        assert found[who].level == YELLOW
        assert all("橙" not in r.text and "orange" not in r.text.lower() for r in found[who].routes)
    for who in people("responsible"):
        assert found[who].level == ORANGE
        assert "研判橙色" in found[who].routes[0].text
    # the city does not answer: the village hears nothing of that
    (asked,) = both.feed(mark(30))
    assert asked.recipient == both.line.district.officers["K-09"].contact, (
        "a question put to the next is no news to who is not asked"
    )


def test_five_hours_of_an_unanswered_question_are_one_version_and_reach_who_is_asked() -> None:
    """K-01 and K-02 have a telephone each, K-09 none: each hears when they are asked, round by round,
    and nobody else hears it again; one press then releases what they were asked."""
    both = Both(district=reached())
    first = by(both.feed(seen(1, RED)))
    assert {"C-K1", "C-0001"} <= set(first)
    told: Counter[str] = Counter()
    texts = []
    for minute in range(2, 302):
        for d in both.feed(mark(minute), mark(minute, group=OTHER)):
            if d.alert.startswith(REPORT):
                continue
            told[d.recipient] += 1
            texts.append((d.id, d.again, d.must_answer, d.version))
    assert set(told) == {"C-K1", "C-K2"}
    assert all(must and version == 1 for _, _, must, version in texts)
    assert len({i for i, *_ in texts}) == len(texts), "each is a message of its own"
    assert told["C-K1"] <= 300 / 15 + 300 / 30 + 2  # red in rounds of 15 minutes, orange of 30
    versions = {a.version for a in both.line.alerts}
    assert versions == {1}
    both.feed(act("approve", RED, by="K-01", version=1))
    (a,) = both.line.feed(act("release", RED, by="D-01", version=1))
    assert (a.level, a.version) == (RED, 3)


def test_a_notice_that_was_never_public_is_cancelled_inside_only() -> None:
    both = Both("exercise")
    (proposal,) = both.line.feed(seen(1, RED, suspect=True))
    assert not proposal.public
    found = by(both.feed())
    assert CAP_FEED not in found
    found = by(both.feed(act("cancel")))
    assert {d.audience for d in found.values()} == {"internal"}
    assert {d.msg_type for d in found.values()} == {"cancel"}


def test_first_public_version_is_an_alert_to_those_who_heard_nothing() -> None:
    both = Both("exercise")
    both.feed(seen(1, RED, suspect=True))
    found = by(both.feed(act("release")))
    assert found[CAP_FEED].version == 2
    assert found[CAP_FEED].msg_type == "alert"
    assert found[DUTY_ROOM].msg_type == "update"


def test_a_cancel_goes_to_all_who_may_have_received_anything() -> None:
    both = Both("exercise")
    first = set(by(both.feed(seen(1, RED, Action.MOVE))))
    both.feed(seen(2, Level.BLUE))
    lower = both.feed(mark(32))
    lower = [d for d in lower if not d.recipient.startswith("duty:task:")]  # a notice of its own
    assert set(by(lower)) == first  # also those who would not be told of blue
    both.feed(seen(40))
    over = by(both.feed(mark(70)))
    assert set(over) == first
    for d in over.values():
        assert d.msg_type == "cancel"
        assert not d.must_answer
        assert all(r.channel == "cap" or "解除" in r.text or "lifted" in r.text for r in d.routes)
    assert both.state.alerts == {}


def test_thin_evidence_is_no_news_to_the_village() -> None:
    both = Both()
    both.feed(seen(1, YELLOW))
    assert {d.audience for d in both.feed(silence(2, True))} == {"internal"}


def test_a_renewal_reaches_the_village_again() -> None:
    both = Both()
    both.feed(seen(1, YELLOW))
    assert not both.feed(mark(340)), "nobody is woken for it"
    found = by(both.feed(mark(600)))
    assert CAP_FEED in found
    texts = [r.text for d in found.values() if d.audience == "public" for r in d.routes]
    assert any("继续有效" in t for t in texts)


def test_run_and_marks_go_on_once_in_order() -> None:
    both = Both()
    both.feed(run(), mark(5), mark(5), seen(6, YELLOW), mark(7), mark(7, group=OTHER))
    kinds = [type(w.record).__name__ for w in both.writes]
    assert kinds[0] == "Run"
    assert kinds.count("Run") == 1
    assert kinds.count("Mark") == 3
    assert kinds[-1] == "Mark"
    assert {type(w.record) for w in both.writes} == {Run, Mark, Delivery}
    assert all(w.topic == "deliveries" for w in both.writes)


def test_an_old_version_is_not_addressed_again() -> None:
    both = Both()
    alert = both.line.feed(seen(1, YELLOW))[0]
    state = both.stage.new(0)
    state, writes = both.stage.step(state, [Item(0, 0, "", alert)])
    assert writes
    state, writes = both.stage.step(state, [Item(0, 1, "", alert)])
    assert writes == []


def test_ids_come_from_content() -> None:
    a = by(Both().feed(seen(1, YELLOW)))
    b = by(Both().feed(seen(1, YELLOW)))
    assert a == b
    assert len({d.id for d in a.values()}) == len(a)


@examples(40)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.sampled_from(Level),
            st.sampled_from(Action),
            st.booleans(),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.integers(1, 9),
)
def test_batches_and_snapshots_do_not_show(
    steps: list[tuple[int, Level, Action, bool, bool]], size: int
) -> None:
    line, now = Line(), 0
    for n, (passed, level, action, doubt, person) in enumerate(steps):
        now += passed
        line.feed(seen(now, level, action, suspect=doubt, tag=str(n)))
        if person:
            line.feed(act("release"))
        line.feed(mark(now))
    items = [Item(0, n, w.key, w.record) for n, w in enumerate(line.writes)]
    stage = Address(small())
    _, whole = stage.step(stage.new(0), items)
    state, parts = stage.new(0), []
    for start in range(0, len(items), size):
        state, writes = stage.step(state, items[start : start + size])
        parts += writes
        state = stage.load(0, stage.dump(state))
    assert whole == parts
    # a recipient sees versions only rise, and a cancel ends what they were told
    last: dict[tuple[str, str], Delivery] = {}
    for w in whole:
        if isinstance(w.record, Delivery):
            key = (w.record.alert, w.record.recipient)
            told, was = w.record, last.get(key)
            assert was is None or (was.version, was.again) < (told.version, told.again)
            assert w.record.expires_at >= w.record.deadline_at >= w.record.queued_at
            last[key] = w.record
    cancelled = {a.id for a in line.alerts if a.msg_type == "cancel"}
    for (alert, _), d in last.items():
        assert (d.msg_type == "cancel") == (alert in cancelled)


def test_decode_reads_what_decide_writes() -> None:
    stage = Address(small())
    line = Line()
    line.feed(seen(1, ORANGE), act("release"), mark(60), mark(60, group=OTHER))
    for w in line.writes:
        assert stage.decode(msgspec.json.encode(w.record)) == w.record
    assert any(isinstance(w.record, Alert) for w in line.writes)
    assert line.alerts[0].sent_at == T0 + MIN
