"""A storm on real servers in which every process is killed once, and each other fault strikes once: nothing is
lost, nothing doubled. And each check of it finds what it is for."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from bench.kills.campaign import Storm, Struck
from bench.kills.line import RealLine
from bench.kills.plan import SERVERS, STAGES, each_once
from bench.kills.promises import PROMISES, Account, Record, judged
from bench.kills.world import Posted, Sent
from bench.servers.process import Absent
from dispatch.records import Alert, Decision, Delivery
from dispatch.send.outbox.state import key_of
from ingest.observation import Observation, Observations
from tests.support.servers import absent

SEED = 11


class Over(NamedTuple):
    struck: list[Struck]
    rested: bool
    account: Account


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Over]:
    """The storm, when it is over; its servers are still there."""
    folder, stop = tmp_path_factory.mktemp("kills"), threading.Event()
    try:
        line = RealLine(folder)
    except Absent as e:
        absent(e.what)
        raise
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FENGSUI_INFLUX_TOKEN", line.influxdb.place.token)
        try:
            storm = Storm(line, SEED, 20.0, "cloudburst")
            struck = [
                storm.strike(fault, stop) for fault in each_once(SEED, disks=line.volumes.small)
            ]
            rested, account = storm.rest()
            yield Over(struck, rested, account)
            storm.close()
        finally:
            line.close()


def test_every_process_comes_back_and_nothing_is_lost_or_doubled(over: Over) -> None:
    assert {s.fault.whom for s in over.struck if s.fault.kind == "kill"} == {*STAGES, *SERVERS}
    assert [s for s in over.struck if s.back_s is None] == []
    assert [s for s in over.struck if set(s.fell) & set(STAGES)] == []  # none ended by itself
    assert over.rested
    verdict = judged(over.account)
    assert verdict.broken == {}
    for what in ("readings", "versions", "deliveries", "posts", "entered", "points"):
        assert verdict.counted[what] > 0, what


def found(promise: str, a: Account) -> list[str]:
    return list(PROMISES[promise][1](a, Counter()))


def test_what_is_missing_or_there_twice_is_found(over: Over) -> None:
    a = over.account
    reading = Sent("station/R01/rain", b'{"time": 1.0, "value": 0.2, "seq": 1}', 0.0, 0.1)
    alert = next(r for r in a.records if isinstance(r.record, Alert))
    decision = Decision(
        area="A01",
        hazard="flash_flood",
        act="raise",
        by="D-01",
        decided_at=1,
        reason="x",
        order="none",
    )
    batch = next(r for r in a.records if isinstance(r.record, Observations))
    point = Observations.of(
        batch.record.group, 1, [Observation(station="R01", quantity="rain", observed_at=1, value=1)]
    )
    assert found("readings", a._replace(sent=[reading]))
    assert found("stages", a._replace(records=[r for r in a.records if r is not alert]))
    assert found("stages", a._replace(records=[*a.records, alert]))
    assert found("history", a._replace(records=[*a.records, Record(*batch[:4], point)]))
    a.desk.acked.append(decision)
    assert found("acts", a)
    a.desk.acked.pop()


def test_what_goes_out_after_its_end_is_found(over: Over) -> None:
    a = over.account
    places = {
        (d.id, n): key_of(d, r.channel)
        for _, d in a.of("deliveries", Delivery)
        for n, r in enumerate(d.routes)
    }
    key = next(places[place] for place in a.desk.accepted if place in places)
    late = Posted(key, "someone", "sms", time.monotonic())
    assert found("deliveries", a._replace(posted=[*a.posted, late]))
    stranger = Posted("of nobody", "someone", "sms", 0.0)
    assert found("deliveries", a._replace(posted=[stranger]))
