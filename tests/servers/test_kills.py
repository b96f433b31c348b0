"""Each stage killed once in the middle of a small storm, on a real Kafka, mosquitto and InfluxDB; then one
stands still until its group gives it up, and ingest is cut off from its broker: nothing that was acknowledged
is lost, nothing doubled, nothing old sent. And what says so is asked of the same storm with a loss, a double
and an old message put into it."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest

from bench.kills.campaign import Storm
from bench.kills.line import Place, StageLine
from bench.kills.plan import STAGES, Fault
from bench.kills.promises import PROMISES, Account, Record, Verdict, judged
from bench.kills.sending import Posted
from bench.servers.tcp_proxy import Proxy
from dispatch.records import Decision, Delivery, Receipt
from dispatch.send.outbox.state import key_of, line_of
from ingest.observation import Observations
from stream.log.port import Out
from tests.support.servers import Influx, Mosquitto, free_port

pytestmark = pytest.mark.xdist_group("kills")
SPEED = 60.0
FAULTS = (
    *(Fault("kill", whom, after_s=0.0) for whom in STAGES),
    Fault("stop", "decide", after_s=0.0, lasts_s=7.0),
    Fault("cut", "ingest", "mosquitto", after_s=0.0, lasts_s=1.0),
)
LATER = 1e12  # the monotonic clock of nobody here


class Told(NamedTuple):
    """What came of the storm."""

    back: list[bool]
    rested: bool
    account: Account
    verdict: Verdict


@pytest.fixture(scope="module")
def told(
    kafka_server: str, influx_server: Influx, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    folder, patch = tmp_path_factory.mktemp("kills"), pytest.MonkeyPatch()
    broker = Mosquitto(folder).start()
    patch.setenv("FENGSUI_INFLUX_TOKEN", influx_server.token)
    place = Place(f"kafka://{kafka_server}", broker.url, influx_server.url, influx_server.token)
    proxy = Proxy(free_port())
    proxy.target = broker.port
    beyond = f"{broker.url.rpartition(':')[0]}:{proxy.port}"
    line = StageLine(
        folder, folder / "run", place, lambda s: {"FENGSUI_BROKER": beyond} if s == "ingest" else {}
    )
    line.proxies = {("ingest", "mosquitto"): proxy}
    storm = Storm(line, 3, SPEED, "cloudburst", waits=True)
    try:
        line.wait(lambda: bool(storm.desk.acked and storm.carrier.posted))
        never = threading.Event()
        back = [storm.strike(fault, never).back_s is not None for fault in FAULTS]
        rested, account = storm.rest()
        yield Told(back, rested, account, judged(account))
    finally:
        storm.close()
        broker.stop()
        proxy.close()
        patch.undo()


def test_every_stage_comes_back_and_nothing_is_lost_or_doubled_or_old(told: Told) -> None:
    assert told.back == [True] * len(FAULTS)
    assert told.rested
    assert told.verdict.broken == {}, told.verdict


# --- what is asked can be broken


def records(told: Told, topic: str, kind: type) -> list[Record]:
    return [r for r in told.account.records if r.topic == topic and isinstance(r.record, kind)]


def without(told: Told, gone: Sequence[Record]) -> Account:
    places = {(r.topic, r.partition, r.offset) for r in gone}
    left = [r for r in told.account.records if (r.topic, r.partition, r.offset) not in places]
    return told.account._replace(records=left)


def also(told: Told, more: Record) -> Account:
    return told.account._replace(records=[*told.account.records, more])


def breaks(name: str, account: Account) -> Counter[str]:
    counted: Counter[str] = Counter()
    assert list(PROMISES[name][1](account, counted))
    return counted


def test_a_reading_that_is_lost_is_found(told: Told) -> None:
    batches = records(told, "observations", Observations)
    sent = {s.suffix for s in told.account.sent}
    every = [o for r in batches for o in r.record.items]
    lost = next(o for o in reversed(every) if f"station/{o.station}/{o.quantity}" in sent)
    same = (lost.station, lost.quantity, lost.observed_at)
    gone = [
        r
        for r in batches
        if any((o.station, o.quantity, o.observed_at) == same for o in r.record.items)
    ]
    assert breaks("readings", without(told, gone))["lost readings"]
    breaks("history", without(told, gone))


def test_an_act_that_is_lost_or_done_twice_is_found(told: Told) -> None:
    acts = [r for r in records(told, "alerts", Decision) if r.record.order]
    assert breaks("acts", without(told, [acts[0]]))["lost decisions"]
    done = next(r for r in acts if r.record.outcome == "done")
    assert breaks("acts", also(told, done))["doubled decisions"]
    unproven = msgspec.structs.replace(done.record, unproven="unsigned")
    left = [r for r in told.account.records if r is not done]
    changed = told.account._replace(records=[*left, done._replace(record=unproven)])
    assert breaks("acts", changed)["lost decisions"]


@pytest.mark.parametrize("topic", ["cases", "alerts", "deliveries"])
def test_a_record_of_a_stage_that_is_lost_or_doubled_is_found(told: Told, topic: str) -> None:
    kinds: dict[str, Any] = {"deliveries": Delivery}
    ours = [
        r
        for r in records(told, topic, kinds.get(topic, object))
        if not isinstance(r.record, Decision) and r.key != "run"
    ]
    wrong = breaks("stages", without(told, [ours[-1]]))
    assert (wrong["lost records"], wrong["doubled records"]) == (1, 0)
    wrong = breaks("stages", also(told, ours[-1]))
    assert (wrong["lost records"], wrong["doubled records"]) == (0, 1)


def accepted_sms(told: Told) -> Record:
    """The first receipt of the gateway for what did not fail later, so that it may not go out again."""
    sent = {r.record.id: r.record for r in records(told, "deliveries", Delivery)}
    receipts = records(told, "deliveries", Receipt)
    failed = {r.record.delivery for r in receipts if r.record.state == "failed"}
    return next(
        r
        for r in receipts
        if r.record.state == "accepted"
        and r.record.delivery not in failed
        and sent[r.record.delivery].routes[r.record.route].channel == "sms"
    )


def test_a_message_that_is_old_or_doubled_or_of_nobody_is_found(told: Told) -> None:
    account = told.account
    sent = {r.record.id: r.record for r in records(told, "deliveries", Delivery)}
    newest = {
        line_of(d): max(x.version for x in sent.values() if line_of(x) == line_of(d))
        for d in sent.values()
    }
    old = next(
        d
        for d in sent.values()
        if d.version < newest[line_of(d)] and not d.asked_by and d.routes[0].channel == "sms"
    )

    def posting(key: str) -> Account:
        return account._replace(posted=[*account.posted, Posted(key, "", "sms", LATER)])

    assert breaks("deliveries", posting(key_of(old, "sms")))["stale"]
    accepted = accepted_sms(told).record
    assert breaks("deliveries", posting(key_of(sent[accepted.delivery], "sms")))["doubled"]
    assert breaks("deliveries", posting("of nobody"))["doubled"]


def test_an_attempt_that_was_begun_too_late_is_found_by_its_own_receipt(told: Told) -> None:
    """However the gateway's clock went."""
    accepted = accepted_sms(told)
    clocks = [getattr(r.record, "clock_at", 0) for r in records(told, "deliveries", object)]
    again = msgspec.structs.replace(accepted.record, attempt=9, receipt_at=max(clocks))
    offset = max(r.offset for r in told.account.records if r.topic == "deliveries") + 1
    assert breaks("deliveries", also(told, accepted._replace(offset=offset, record=again)))[
        "doubled"
    ]


def test_a_storm_in_which_nothing_was_sent_proves_nothing(told: Told) -> None:
    assert "no posts" in judged(told.account._replace(posted=[])).broken["judged"]


def test_a_ledger_with_an_entry_twice_is_found(told: Told) -> None:
    log = told.account.log
    last = log.read("ledger", 0, 0)[-1]
    log.append([Out("ledger", last.key, last.value, 0)])
    breaks("ledger", told.account)
