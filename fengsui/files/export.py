"""Topics as lines of JSON in an order that does not depend on how the work was divided.

Fields that end in `_at` become RFC 3339 text. The times at which this program handled a record are
left out unless asked for, so that two runs of one storm can be compared byte for byte.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from console.model.follow import Follower
from detectors.detection import Detection
from dispatch.records import Alert, Decision, Delivery, Outcome, Receipt, Report
from ingest.observation import Observations
from stream.log.port import Log
from stream.records import DeadLetter

# what depends on this machine's clock or on how work was divided, not on the storm
PROCESSING = {"received_at", "receipt_at", "previous", "hash"}

_SOURCE = {
    "observations": "observations",
    "detections": "cases",
    "alerts": "alerts",
    "decisions": "alerts",
    "reports": "alerts",
    "outcomes": "cases",
    "deliveries": "deliveries",
    "dead-letters": "dead-letters",
}
EXPORTS = tuple(_SOURCE)


def moment(ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339 UTC."""
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace(".000", "").replace("+00:00", "Z")


def _plain(value: Any, times: bool) -> Any:
    if isinstance(value, dict):
        return {
            k: moment(v) if k.endswith("_at") and isinstance(v, int) else _plain(v, times)
            for k, v in value.items()
            if times or k not in PROCESSING
        }
    if isinstance(value, list | tuple):
        return [_plain(v, times) for v in value]
    return value


def line(record: Any, times: bool = False) -> bytes:
    """One record as a line of JSON, keys in the order of their declaration."""
    return msgspec.json.encode(_plain(msgspec.to_builtins(record), times)) + b"\n"


def _rows(name: str, records: Iterable[Any]) -> list[Any]:
    """The records of one export, in its order."""
    if name == "observations":
        seen = {}
        for r in records:
            if isinstance(r, Observations):
                for o in r.items:
                    seen[o.station, o.quantity, o.observed_at, o.seq or 0, o.value] = o
        return [seen[k] for k in sorted(seen)]
    if name == "deliveries":
        return _deliveries(records)
    kind, key = _ORDER[name]
    return sorted((r for r in records if isinstance(r, kind)), key=key)


_ORDER: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "detections": (Detection, lambda r: (r.area, r.hazard, r.rule, r.detected_at, r.id)),
    "alerts": (Alert, lambda r: (r.area, r.hazard, r.id, r.version)),
    "decisions": (Decision, lambda r: (r.area, r.hazard, r.decided_at, r.version, r.act)),
    "reports": (Report, lambda r: (r.incident, r.number)),
    "outcomes": (Outcome, lambda r: (r.area, r.hazard, r.start_at, r.told_at)),
    "dead-letters": (DeadLetter, lambda r: (r.source, r.received_at, r.reason, r.payload)),
}


def _deliveries(records: Iterable[Any]) -> list[Any]:
    """Each delivery with what became of it."""
    whole: dict[str, dict[str, Any]] = {}
    for r in records:
        if isinstance(r, Delivery):
            whole.setdefault(r.id, {**msgspec.to_builtins(r), "receipts": []})
        elif isinstance(r, Receipt) and r.delivery in whole:
            whole[r.delivery]["receipts"].append(msgspec.to_builtins(r))
    return sorted(
        whole.values(), key=lambda d: (d["area"], d["hazard"], d["alert"], d["version"], d["id"])
    )


def export(log: Log, name: str, times: bool = False) -> Iterable[bytes]:
    """Lines of one export (see EXPORTS)."""
    records = [r for _, r in Follower(log, (_SOURCE[name],)).take()]
    for row in _rows(name, records):
        yield line(row, times)


def export_folder(log: Log, folder: Path) -> list[Path]:
    """Every export as FOLDER/NAME.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in EXPORTS:
        path = folder / f"{name}.jsonl"
        with path.open("wb") as f:
            f.writelines(export(log, name))
        paths.append(path)
    return paths
