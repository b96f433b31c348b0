"""A small incident in a log of its own: a warning asked for and released, what was sent and answered, what
was blind, readings of two gauges, and the ledger of it."""

from pathlib import Path

import msgspec

from config.records.level import Level
from detectors.detection import Coverage
from dispatch.ledger.chain import CHAINS
from dispatch.ledger.writer import Writer, ledger_keys
from dispatch.records import Alert, Decision, Delivery, Receipt, Report
from fengsui.inquiry.known import known_at
from fengsui.run.setup import Setup
from ingest.observation import Observation, Observations
from stream.log.port import Log, Out, partition_of
from stream.records import Record, Run, Tick, encode
from tests.support.after_action import T0, S, alert, detection, story
from tests.support.backups import DISTRICT, at

RUN = "exercise-inquiry"
INCIDENT = "I1"
NAME, NUMBER = "王小明", "13800001234"
GROUP = DISTRICT.group_of_area["A01"]


def readings(at_ms: int, received: int, value: int) -> Observations:
    gauge = Observation(station="R01", quantity="rain", observed_at=at_ms, value=value)
    return Observations.of(GROUP, received, [gauge])


def topic_of(record: Record) -> str:
    if isinstance(record, Alert | Decision | Report):
        return "alerts"
    if isinstance(record, Delivery | Receipt):
        return "deliveries"
    if isinstance(record, Observations | Tick):
        return "observations"
    return "cases"


def records() -> list[Record]:
    other = alert(1, T0 + 200 * S, Level.BLUE, id="w2", area="A02", incident="I2")
    typed = Decision(
        area="A01", hazard="flash_flood", act="hold", by="K-01", decided_at=T0 + 300 * S,
        reason=f"{NAME} {NUMBER}", alert="w1", version=1, incident=INCIDENT, hash="h0",
    )  # fmt: skip
    first = Report(
        incident=INCIDENT,
        number=1,
        kind="初报",
        reported_at=T0 + 480 * S,
        alerts=("w1/2",),
        text="初报",
    )
    told = Receipt(
        delivery="i2", route=0, state="failed", receipt_at=T0 + 180 * S, detail=f"550 {NUMBER}"
    )
    blind = detection(
        3,
        T0 + 30 * S,
        Level.NONE,
        coverage=Coverage(live=3, expected=4, silent=("R02",)),
        thin=True,
    )
    rows: list[Record] = [*story(), other, typed, first, told]
    rows.append(msgspec.structs.replace(blind, rule="silence", hazard="evidence"))
    rows += [readings(T0 + n * 60 * S, T0 + n * 60 * S + S, 10 * n) for n in range(1, 12)]
    return rows


def filled(state: Path, rows: list[Record] | None = None) -> tuple[Setup, list[Record]]:
    """A run of that folder whose log holds them, and whose ledger has entered them."""
    setup = at(state)(DISTRICT, RUN)
    from fengsui.run.run_log import open_run_log

    found = records() if rows is None else rows
    log = open_run_log(setup)
    try:
        run = next(r for r in found if isinstance(r, Run))
        begun = [
            Out(t, "run", encode(run)) for t in ("observations", "cases", "alerts", "deliveries")
        ]
        part = partition_of(GROUP, DISTRICT.partitions)
        begun[0] = begun[0]._replace(partition=part)
        rows = sorted(found, key=lambda r: known_at(r, 0))  # as they come
        log.append([*begun, *(_out(r, part) for r in rows if r is not run)])
        entered(setup, log)
    finally:
        log.close()
    return setup, found


def _out(record: Record, part: int) -> Out:
    topic = topic_of(record)
    return Out(topic, "k", encode(record), part if topic == "observations" else None)


def entered(setup: Setup, log: Log) -> None:
    """The ledger of all that is there."""
    private = ledger_keys(setup.folder, setup.live).private
    for chain in CHAINS:
        writer = Writer(log, chain, "t", private, lambda: T0)
        while writer.turn(0.0):
            pass
        writer.close()
