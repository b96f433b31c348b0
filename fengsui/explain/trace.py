"""The way of one thing through the line, both ways: from a reading to who was told because of it,
or from a delivery back to the readings that it rests on.

The ids that follow a reading are those of the records themselves: a detection's evidence names
station and time, a warning its detections, a delivery its warning and version. Pure.
"""

from collections.abc import Iterable, Iterator

from config.language import Said, Text, en, zh
from config.records.level import LEVEL_ZH
from detectors.detection import Detection
from dispatch.records import Alert, Delivery, Receipt
from dispatch.words.local_time import local
from ingest.observation import Observations


class Ways:
    """Everything that can be on a way, by what it is called by."""

    def __init__(self, records: Iterable[tuple[str, object]]) -> None:
        self.heard: dict[tuple[str, str, int], list[tuple[int, int]]] = {}
        self.detections: dict[str, Detection] = {}
        self.alerts: dict[tuple[str, int], Alert] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.receipts: dict[str, list[Receipt]] = {}
        for _, record in records:
            self._take(record)

    def _take(self, record: object) -> None:
        match record:
            case Observations():
                columns = (record.station, record.quantity, record.observed_at, record.value)
                for station, quantity, at, value in zip(*columns, strict=True):
                    seen = self.heard.setdefault((station, quantity, at), [])
                    seen.append((value, record.received_at))
            case Detection():
                self.detections[record.id] = record
            case Alert():
                self.alerts[record.id, record.version] = record
            case Delivery():
                self.deliveries[record.id] = record
            case Receipt():
                self.receipts.setdefault(record.delivery, []).append(record)
            case _:
                pass

    def of_station(self, station: str, at: int | None) -> list[Detection]:
        """Detections that rest on a station's values, alone or with others (at a moment, if one is given)."""
        return [
            d
            for d in self.detections.values()
            if any(
                station in e.station.split("+")
                and (at is None or _covers(e.observed_at, e.window_min, at))
                for e in d.evidence
            )
        ]

    def find(self, what: str) -> list[Detection]:
        """Detections of a way that `what` names: an id of a delivery, a warning (with /VERSION or
        without) or a detection."""
        if delivery := self.deliveries.get(what):
            what = f"{delivery.alert}/{delivery.version}"
        if what in self.detections:
            return [self.detections[what]]
        name, _, version = what.partition("/")
        named = [a for (i, v), a in self.alerts.items() if i == name and version in ("", str(v))]
        ids = {d for a in named for d in a.detections}
        return [d for d in self.detections.values() if d.id in ids]


def _covers(observed_at: int | None, window_min: int | None, at: int) -> bool:
    """Does a value of that moment lie in the window that ends at `observed_at`?"""
    if observed_at is None:
        return False
    return observed_at - (window_min or 0) * 60_000 <= at <= observed_at


def lines(ways: Ways, found: list[Detection], zone: str) -> Iterator[Said]:
    """Reading, detection, warning, delivery, receipt: a step each further in."""
    for d in sorted(found, key=lambda d: (d.detected_at, d.id)):
        for e in d.evidence:
            seen = ways.heard.get((e.station, e.quantity, e.observed_at or 0), [])
            heard = (
                Text(f"，收到 {local(seen[0][1], zone)}", f", received {local(seen[0][1], zone)}")
                if seen
                else ""
            )
            window = f" / {e.window_min} min" if e.window_min else ""
            when = local(e.observed_at, zone) if e.observed_at else "-"
            yield Text(
                f"读数 {e.station} {e.quantity} {e.value:g}{window} {when}{zh(heard)}",
                f"reading {e.station} {e.quantity} {e.value:g}{window} {when}{en(heard)}",
            )
        level = LEVEL_ZH[d.level]
        yield Text(
            f"  检测 {d.id} {d.area} {d.rule} {level} {local(d.detected_at, zone)}",
            f"  detection {d.id} {d.area} {d.rule} {level} {local(d.detected_at, zone)}",
        )
        for a in ways.alerts.values():
            if d.id in a.detections:
                yield from _alert(ways, a, zone)


def _alert(ways: Ways, a: Alert, zone: str) -> Iterator[Said]:
    what = f"{a.id}/{a.version} {a.area} {a.hazard} {LEVEL_ZH[a.level]}"
    yield Text(
        f"    预警 {what} {a.msg_type} {local(a.sent_at, zone)}",
        f"    warning {what} {a.msg_type} {local(a.sent_at, zone)}",
    )
    for delivery in ways.deliveries.values():
        if (delivery.alert, delivery.version) != (a.id, a.version):
            continue
        steps = " → ".join(
            f"{r.state}({delivery.routes[r.route].channel}) {local(r.receipt_at, zone)}"
            for r in ways.receipts.get(delivery.id, ())
            if r.route < len(delivery.routes)
        )
        told = Text(
            f"{delivery.recipient} {local(delivery.queued_at, zone)} 入列",
            f"{delivery.recipient} queued {local(delivery.queued_at, zone)}",
        )
        yield Text(
            f"      发送 {delivery.id} {told.zh}{(' → ' + steps if steps else '')}",
            f"      delivery {delivery.id} {told.en}{(' → ' + steps if steps else '')}",
        )
