"""What is remembered of the open incident for its reports: its warnings, what was in force, what they
rested on, and what people said. Pure."""

import msgspec

from config.language import Said, Text
from config.records.quantity import OF_PEOPLE, QUANTITIES
from detectors.detection import Evidence
from dispatch.grade import Grade
from dispatch.proving.transfers import Transfers
from dispatch.records import Alert
from ingest.observation import PersonSays


class Finding(msgspec.Struct, frozen=True):
    """What a person found to be so (核报): the report's number, when, who, and their words."""

    number: int
    at: int
    by: str
    words: Text


class Seen(msgspec.Struct):
    """What an incident's warnings rested on, and what people said of it. Whichever of two warnings of a
    moment is taken first, it is the same.

    first: of the earliest warning when it was sent, its area and hazard.
    worst: quantity -> the evidence that went farthest beyond its limit. sources: authority, people,
    camera, gauge. moved: area -> how many one person says have moved, the most; None: everybody.
    cries: person -> the area for which they ask for help. damage: area -> what somebody saw there ->
    when that was said first. found: what was verified, in order."""

    first: tuple[int, str, str] | None = None
    cause: Evidence | None = None
    reason: Said = ""  # of the first warning, where it rests on no evidence: a person's order
    worst: dict[str, Evidence] = {}
    sources: dict[str, bool] = {}
    moved: dict[str, int | None] = {}
    cries: dict[str, str] = {}
    damage: dict[str, dict[str, int]] = {}
    found: list[Finding] = []
    transfers: Transfers = msgspec.field(default_factory=Transfers)

    def take(self, alert: Alert) -> None:
        """A version of a warning."""
        mine = (alert.sent_at, alert.area, alert.hazard)
        if self.first is None or mine < self.first:
            self.first = mine
            self.cause = next(iter(alert.evidence), None)
            self.reason = "" if self.cause else alert.reason
        for e in alert.evidence:
            self.sources[_source(e)] = True
            if not e.kind and e.quantity in QUANTITIES and _source(e) == "gauge":
                held = self.worst.get(e.quantity)
                if held is None or _beyond(e) > _beyond(held):
                    self.worst[e.quantity] = e

    def hear(self, said: PersonSays) -> None:
        """Somebody's word. Whoever is safe, or moved, asks for help no more."""
        area = said.area
        self.transfers.take(said)
        if said.what == "moved" and area:
            known = self.moved.get(area, 0)
            if said.people is not None and known is not None:
                self.moved[area] = max(known, said.people)
            elif said.people is None and said.role == "responsible":
                self.moved[area] = None
        if said.what == "help":
            self.cries[said.person] = area
        elif said.what in ("moved", "safe"):
            self.cries.pop(said.person, None)
        elif said.what in OF_PEOPLE:
            self.damage.setdefault(area, {}).setdefault(said.what, said.said_at)


def _source(e: Evidence) -> str:
    if e.quantity == "cap":
        return "authority"
    if e.quantity in OF_PEOPLE:
        return "people"
    return "camera" if e.frames or e.quantity in ("frame", "moving_share") else "gauge"


def _beyond(e: Evidence) -> tuple[float, float, str, int]:
    """How far beyond its limit; of one without a limit its value counts. Then what tells two apart."""
    far = e.value / e.threshold if e.threshold else e.value
    return far, e.value, e.station, -(e.observed_at or 0)


class Incident(msgspec.Struct):
    """The open incident. `alerts`: the newest version of each of its warnings."""

    id: str
    opened_at: int
    alerts: dict[str, Alert] = {}
    number: int = 0
    reported_at: int = 0
    grave_at: int = 0  # since when an order, or a colour of 橙 or more, is asked for or in force
    said: Grade = Grade()  # the highest that was asked for or in force up to the last report
    quiet_at: int | None = None  # since when no warning is open
    out: Grade = Grade()  # the highest in force that was reported
    peaks: dict[str, Grade] = {}  # warnings that were in force -> the highest of each
    seen: Seen = msgspec.field(
        default_factory=Seen
    )  # what its warnings rested on, what people said
    told: dict[str, Grade] = {}  # area -> what was in force there at the last report
    stated: dict[str, Text] = {}  # what each part of a report said last

    def take(self, alert: Alert) -> None:
        """A new version of one of its warnings."""
        if force := Grade(alert.level, alert.action):
            self.peaks[alert.id] = self.peaks.get(alert.id, Grade()) | force
        self.seen.take(alert)
        # the evidence stands in the topic; here only the state counts
        self.alerts[alert.id] = msgspec.structs.replace(
            alert, evidence=(), coverage=None, detections=(), reason=""
        )

    def hear(self, said: PersonSays) -> None:
        """Somebody's word on an area."""
        self.seen.hear(said)

    @property
    def open(self) -> list[Alert]:
        return [a for a in self.alerts.values() if a.msg_type != "cancel"]

    @property
    def top(self) -> Grade:
        """The highest level and action of the open warnings, released or not."""
        top = Grade()
        for a in self.open:
            top |= Grade(a.level, a.action) | Grade(a.proposed_level, a.proposed_action)
        return top

    @property
    def force(self) -> Grade:
        """The highest that any of its warnings has or had in force."""
        top = Grade()
        for peak in self.peaks.values():
            top |= peak
        return top

    @property
    def standing(self) -> dict[str, Grade]:
        """What is in force now, an area each, whatever the hazard."""
        out: dict[str, Grade] = {}
        for a in self.open:
            if grade := Grade(a.level, a.action):
                out[a.area] = out.get(a.area, Grade()) | grade
        return out

    def words(self, grade: Grade) -> Text:
        """A grade in words; an order as it is called where all is of one hazard."""
        hazards = {a.hazard for a in self.alerts.values()}
        return grade.words(min(hazards) if len(hazards) == 1 else "")
