"""What the whole line looks like now: a fold of every topic's records, for the screen, `status`
and the summary. Pure: records in, a View out."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from config.language import Said, zh
from config.records.devices.lorawan import OF_LINKS, OF_RADIO
from config.records.level import Action, Level
from config.records.quantity import AHEAD, OF_NODES
from console.model.flags import Flags
from detectors.detection import Detection, Mark, foretold
from dispatch.decide.plan.stock import HeldSupply, take_stock
from dispatch.decide.plan.tasks import Course, take
from dispatch.grade import Grade
from dispatch.notices import REPORT
from dispatch.people.residents.wishes import Wishes
from dispatch.records import (
    Alert,
    Decision,
    Delivery,
    Receipt,
    Report,
    RouteHealth,
    Terminal,
    Terminals,
)
from ingest.observation import Observations, Service
from ingest.people.subscriber import Subscriber
from stream.records import DeadLetter, Run, Tick
from stream.stages.run_identity import another

# a delivery's final states; which of them is enough depends on the recipient (dispatch.send.outbox.apply)
REACHED = ("answered", "played", "delivered", "accepted")
ENDED = (*REACHED, "failed", "expired", "superseded")
_RANK = {
    s: n
    for n, s in enumerate(
        ("queued", "sent", "accepted", "delivered", "playing", "played", "answered")
    )
}
_RAIN_KEPT_MS = 3_600_000
_OF_NOWCASTS = frozenset(AHEAD.values())


_NOTHING = (Level.NONE, Action.NONE)


def _asks(alert: Alert) -> tuple[Level, Action]:
    """What is proposed beyond what is in force, and waits for a person."""
    if alert.msg_type == "cancel" or alert.state != "proposed":
        return _NOTHING
    asks = alert.proposed_level, alert.proposed_action
    return asks if asks != (alert.level, alert.action) else _NOTHING


@dataclass
class Change:
    """One line of the screen's list of what happened. asks_level, asks_action: what waits for a person."""

    at: int
    area: str
    hazard: str
    level: Level
    action: Action
    was_level: Level
    was_action: Action
    public: bool
    msg_type: str
    asks_level: Level = Level.NONE
    asks_action: Action = Action.NONE


@dataclass
class Sent:
    """A delivery and how far it came."""

    delivery: Delivery
    state: str = "queued"
    route: int = 0
    at: int = 0
    detail: Said = ""  # the carrier's last word

    @property
    def channel(self) -> str:
        routes = self.delivery.routes
        return routes[min(self.route, len(routes) - 1)].channel if routes else "-"


def joined(known: Terminal | None, told: Terminal) -> Terminal:
    """What a word tells, and of the rest what was known before."""
    if known is None:
        return told
    listed = told if not told.state else known
    return msgspec.structs.replace(
        listed, state=told.state or known.state, told_at=max(told.told_at, known.told_at)
    )


def _asked(a: Alert) -> Grade:
    return Grade(a.level, a.action) | Grade(a.proposed_level, a.proposed_action)


@dataclass
class View:
    """Counts and last states; `clock_at` is the run's clock. ours: what whoever looks was started
    for; `run` is what the log says of it, `strays` are runs that have no business in this log."""

    ours: Run | None = None
    run: Run | None = None
    strays: dict[str, Run] = field(default_factory=dict)
    clock_at: int = 0
    readings: int = 0
    last_seen: dict[str, int] = field(default_factory=dict)
    rain: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # of the last hour
    stage: dict[str, int] = field(default_factory=dict)
    # node -> quantity -> when and what it last said of itself
    nodes: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    links: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)  # of LoRaWAN devices
    coverage: dict[str, Detection] = field(default_factory=dict)  # area -> silence's last word
    # station of a nowcast -> its newest issue, what it expects, and in which time
    ahead: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    # area, hazard, rule -> its newest word, where that is a forecast
    forecasts: dict[tuple[str, str, str], Detection] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)  # id -> newest version
    first: dict[str, list[Alert]] = field(default_factory=dict)  # id -> all versions
    changes: list[Change] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    courses: dict[str, Course] = field(default_factory=dict)  # the plan's tasks follow from these
    # supply -> incident -> what is reserved and out
    stock: dict[str, dict[str, HeldSupply]] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    # an incident's report -> superior -> the delivery that it is
    handed: dict[str, dict[str, str]] = field(default_factory=dict)
    health: dict[str, RouteHealth] = field(default_factory=dict)  # "channel/carrier" -> last word
    # broadcast platform -> code -> what is known of a terminal of its
    terminals: dict[str, dict[str, Terminal]] = field(default_factory=dict)
    wishes: Wishes = field(default_factory=Wishes)
    dead: dict[str, int] = field(default_factory=dict)  # reason -> how many
    service: dict[str, Service] = field(default_factory=dict)  # station or node -> the last word
    flags: Flags = field(default_factory=Flags)  # what is wrong with stations
    # "R01 rain", or a camera -> the quality test that holds now, and since when
    tests: dict[str, tuple[str, int]] = field(default_factory=dict)

    def take(self, record: Any) -> None:
        """Fold one record in."""
        match record:
            case Observations():
                self._observations(record)
            case Tick() | Mark():
                self.clock_at = max(self.clock_at, record.clock_at)
            case Run():
                self._run(record)
            case Detection():
                self._detection(record)
            case Alert():
                self._alert(record)
                take(self.courses, record)
            case Decision():
                take(self.courses, record)
                take_stock(self.stock, record)
            case Report():
                self.reports.append(record)
            case Delivery() | Receipt() | RouteHealth() | Terminals():
                self._sending(record)
            case Service():
                self._service(record)
            case Subscriber():
                self.wishes.take(record)
            case DeadLetter():
                self.dead[record.reason] = self.dead.get(record.reason, 0) + 1
                self.flags.letter(record)
            case _:
                pass

    @property
    def live(self) -> bool:
        """By what whoever looks was started for, else by the log."""
        run = self.ours or self.run
        return run is not None and run.kind == "live"

    def _sending(self, record: Delivery | Receipt | RouteHealth | Terminals) -> None:
        match record:
            case Delivery():
                self._delivery(record)
            case Receipt():
                self._receipt(record)
            case RouteHealth():
                self.health[f"{record.channel}/{record.carrier}"] = record
            case Terminals():
                self._terminals(record)

    def _terminals(self, record: Terminals) -> None:
        there = self.terminals.setdefault(record.platform, {})
        for told in record.items:
            if told.gone:
                there.pop(told.code, None)
            else:
                there[told.code] = joined(there.get(told.code), told)

    def _run(self, record: Run) -> None:
        first = self.ours or self.run
        if first is not None and another(first, record):
            self.strays[f"{record.name} ({record.kind}, {record.district})"] = record
        elif self.run is None:
            self.run = record
            self.clock_at = max(self.clock_at, record.start_at)

    def _detection(self, record: Detection) -> None:
        if record.rule == "silence":
            self.coverage[record.area] = record
        elif record.rule in ("quality", "camera_sight"):
            self.flags.said(record)
            self._test(record)
        elif foretold(record).chance is not None:
            self.forecasts[record.area, record.hazard, record.rule] = record
        else:
            self.forecasts.pop((record.area, record.hazard, record.rule), None)

    def _test(self, record: Detection) -> None:
        """ "S01 stage: spike", "V01: fogged", and "good" when it is over."""
        what, _, test = zh(record.note).partition(": ")
        if test == "good":
            self.tests.pop(what, None)
        elif not self.flags.knows(test):
            since = self.tests.get(what, ("", 0))
            self.tests[what] = (test, since[1] if since[0] == test else record.detected_at)

    def _observations(self, batch: Observations) -> None:
        self.flags.taken(batch)
        self.readings += len(batch.station)
        columns = (batch.station, batch.quantity, batch.observed_at, batch.value)
        for station, quantity, at, value in zip(*columns, strict=True):
            # a radio that is heard says nothing of what its station measures
            if at > self.last_seen.get(station, -1) and quantity not in OF_RADIO:
                self.last_seen[station] = at
            if quantity in OF_LINKS:
                told = self.links.setdefault(station, {})
                if at >= told.get(quantity, (0, 0))[0]:
                    told[quantity] = (at, value)
            if quantity == "rain":
                if value > 0:
                    self._rain(station, at, value)
            elif quantity == "stage":
                self.stage[station] = value
            elif quantity in _OF_NOWCASTS:
                if at >= self.ahead.get(station, (0, 0, ""))[0]:
                    self.ahead[station] = (at, value, quantity)
            elif quantity in OF_NODES:
                said = self.nodes.setdefault(station, {})
                if at >= said.get(quantity, (0, 0))[0]:
                    said[quantity] = (at, value)

    def _rain(self, station: str, at: int, value: int) -> None:
        recent = self.rain.setdefault(station, [])
        recent.append((at, value))
        old = 0
        while old < len(recent) and recent[old][0] <= at - _RAIN_KEPT_MS:
            old += 1
        del recent[:old]

    def _service(self, said: Service) -> None:
        before = self.service.get(said.thing)
        if before is None or said.said_at >= before.said_at:
            self.service[said.thing] = said

    def _alert(self, alert: Alert) -> None:
        before = self.alerts.get(alert.id)
        was = (before.level, before.action) if before else (Level.NONE, Action.NONE)
        self.alerts[alert.id] = alert
        if alert.again and alert.id in self.first:  # the same version, put to somebody anew
            return
        self.first.setdefault(alert.id, []).append(alert)
        if (alert.status == "actual") != self.live and (self.ours or self.run):
            return  # taken for another kind of run's: its end is no all-clear
        asks, asked = _asks(alert), _asks(before) if before else _NOTHING
        is_new = any(asks) and asks != asked
        if (alert.level, alert.action) != was or alert.msg_type == "cancel" or is_new:
            self.changes.append(
                Change(
                    alert.sent_at,
                    alert.area,
                    alert.hazard,
                    alert.level,
                    alert.action,
                    *was,
                    alert.public,
                    alert.msg_type,
                    *asks,
                )
            )

    def _delivery(self, d: Delivery) -> None:
        self.sent.setdefault(d.id, Sent(d, at=d.queued_at))
        if d.alert.startswith(REPORT):
            self.handed.setdefault(d.alert, {})[d.recipient] = d.id

    def _receipt(self, receipt: Receipt) -> None:
        sent = self.sent.get(receipt.delivery)
        if sent is None or (sent.delivery.must_answer and sent.state == "answered"):
            return  # who has answered has, whatever another way that was begun before says of it later
        forward = _RANK.get(receipt.state, -1) > _RANK.get(sent.state, -1)
        if receipt.state not in _RANK:  # an end
            if receipt.state != "failed" or receipt.permanent:
                sent.state = receipt.state
        elif forward or receipt.route != sent.route:
            sent.state = receipt.state
        sent.route, sent.at = receipt.route, receipt.receipt_at
        if receipt.detail or (forward and receipt.state in REACHED):
            sent.detail = receipt.detail  # an earlier failure explains nothing any more

    def closed(self) -> bool:
        """Every warning is over, and its incident has had its last report."""
        told = {r.incident for r in self.reports if r.kind == "终报"}
        return not self.open_alerts() and told >= {a.incident for a in self.alerts.values()}

    def open_alerts(self) -> list[Alert]:
        """Warnings in force or waiting, worst first."""
        alive = [a for a in self.alerts.values() if a.msg_type != "cancel" and a.state != "expired"]
        return sorted(alive, key=lambda a: ([-n for n in _asked(a).rank], a.area, a.hazard))

    def area_levels(self) -> dict[str, tuple[Level, Action]]:
        """The worst level and action now, an area each (areas without an alert are absent)."""
        worst: dict[str, tuple[Level, Action]] = {}
        for a in self.open_alerts():
            level, action = worst.get(a.area, (Level.NONE, Action.NONE))
            worst[a.area] = (max(level, a.level), max(action, a.action))
        return worst

    def rain_mm(self, station: str, minutes: int) -> float:
        """Rain of the last `minutes` before the clock (at most 60)."""
        since = self.clock_at - minutes * 60_000
        return sum(v for at, v in self.rain.get(station, ()) if at > since) / 10

    def silent(self) -> set[str]:
        """Stations and nodes that rule `silence` holds silent now."""
        out: set[str] = set()
        for d in self.coverage.values():
            if d.coverage is not None:
                out.update(d.coverage.silent)
        return out

    def in_service(self, now: int) -> dict[str, Service]:
        """Stations and nodes out of judgement at `now`, by whom and until when."""
        return {t: s for t, s in self.service.items() if s.until_at > now}

    def by_channel(self) -> dict[str, Counter[str]]:
        """channel -> state -> deliveries."""
        table: dict[str, Counter[str]] = {}
        for s in self.sent.values():
            table.setdefault(s.channel, Counter())[s.state] += 1
        return table

    def undelivered(self) -> list[Sent]:
        """Deliveries that have not ended, or failed."""
        return [s for s in self.sent.values() if s.state not in (*REACHED, "superseded")]
