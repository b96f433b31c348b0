"""A small incident in a log of its own: a warning asked for and released, what was sent and answered, what
was blind, readings of two gauges, and the ledger of it."""

import hashlib
import zipfile
from pathlib import Path

import msgspec

from config.language import en, zh
from config.records.level import Level
from detectors.detection import Coverage
from dispatch.ledger.chain import CHAINS
from dispatch.ledger.writer import Writer, ledger_keys
from dispatch.records import Alert, Decision, Delivery, Receipt, Report
from fengsui.inquiry.chain import Chained, written
from fengsui.inquiry.known import known_at
from fengsui.inquiry.pack import Made, make, parts
from fengsui.inquiry.seal import SEAL_BYTES, File, PackManifest, PackWish, seal, signed
from fengsui.inquiry.verify import PackFindings
from fengsui.run.setup import Setup
from ingest.observation import Observation, Observations
from stream.log.port import Log, Out, partition_of
from stream.records import Record, Run, Tick, encode
from tests.support.after_action import T0, S, alert, detection, story
from tests.support.backups import CONFIG, DISTRICT, at, opened

RUN = "exercise-inquiry"
INCIDENT = "I1"
NAME, NUMBER = "王小明", "13800001234"
NOW = T0 + 86_400 * S
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


def packed(setup: Setup, file: Path, *named: str) -> Made:
    wish = PackWish("K-01", "审计", named) if named else PackWish("", "")
    with opened(setup) as log:
        return make(setup, CONFIG, log, INCIDENT, file, wish, NOW)


def files_of(pack: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(pack) as z:
        return {i.filename: z.read(i) for i in z.infolist()}


def again(place: Path, files: dict[str, bytes], private: bytes = b"") -> Path:
    """These files as an archive: with the seal of whoever has a key, or with none that fits."""
    file = place / "again.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
        for name, body in files.items():
            z.writestr(name, body)
        z.comment = b" " * SEAL_BYTES
    if private:
        before = file.stat().st_size - SEAL_BYTES
        end = seal(parts(file, before), private)
        with file.open("r+b") as f:
            f.seek(before)
            f.write(end)
    return file


def told(found: PackFindings) -> str:
    return "\n".join(f"{zh(x)} | {en(x)}" for x in found.faults)


def lines_of(files: dict[str, bytes]) -> list[Chained]:
    return [msgspec.json.decode(r, type=Chained) for r in files["records.jsonl"].splitlines()]


def by_insider(
    files: dict[str, bytes], lines: list[Chained], private: bytes, **more: object
) -> dict[str, bytes]:
    """The pack as whoever holds the key could make it: the chain anew, the manifest signed."""
    rows, end = [], ""
    for n, line in enumerate(lines, 1):
        row, end = written(msgspec.structs.replace(line, n=n), end)
        rows.append(row + b"\n")
    changed = {**files, "records.jsonl": b"".join(rows)}
    old = msgspec.json.decode(files["manifest.json"], type=PackManifest)
    known = {
        n: File(hashlib.sha256(b).hexdigest(), len(b))
        for n, b in changed.items()
        if n != "manifest.json"
    }
    new = msgspec.structs.replace(old, files=known, records=len(rows), chain_end=end, **more)
    return {**changed, "manifest.json": signed(new, private)}
