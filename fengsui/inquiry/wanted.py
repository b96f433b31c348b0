"""Which records of a log belong to the account of an incident. Pure.

All that was decided, sent and answered because of its warnings; and of what was heard, detected and refused
what lies about it in place and time: the stations of its villages, from some hours before its first
evidence until some hours after its last word.
"""

from collections.abc import Iterable
from typing import NamedTuple

from config.records.district import District
from detectors.detection import Detection
from dispatch.notices import REPORT, called_again_about
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import (
    Alert,
    Custody,
    Decision,
    Delivery,
    Outcome,
    Receipt,
    Report,
    RouteHealth,
)
from fengsui.inquiry.known import Known
from fengsui.inquiry.span import Incident
from ingest.observation import Away, CapIn, Observations, PersonSays, Service
from stream.records import DeadLetter, Run

ABOUT_MS = 6 * 3_600_000


class Place(NamedTuple):
    """areas: of the incident's warnings; things: stations and loudspeakers that look after them; groups:
    whose batches hold their readings; from_at, until_at: ms."""

    areas: frozenset[str]
    things: frozenset[str]
    groups: frozenset[str]
    from_at: int
    until_at: int


def place_of(district: District, incident: Incident, alerts: Iterable[Alert]) -> Place:
    """Where and when an incident was. alerts: of the log, any."""
    areas = frozenset(a.area for a in alerts if a.id in incident.alerts)
    things = {s for a in areas for s in district.stations_of_area.get(a, ())}
    things |= {n.id for n in district.nodes.values() if n.area in areas}
    groups = frozenset(district.group_of_area[a] for a in areas if a in district.group_of_area)
    begin, end = incident.begin_at - ABOUT_MS, incident.end_at + ABOUT_MS
    return Place(areas, frozenset(things), groups, begin, end)


def tells_of(incident: str, alert: str) -> bool:
    """Is a delivery of that `alert` one of the incident's reports, to a superior?"""
    return alert.startswith(f"{REPORT}{incident}:")


class Wanted:
    """Asked of each record in the order of the line: topics as `known` gives them."""

    def __init__(self, incident: Incident, place: Place) -> None:
        self._incident, self._place = incident, place
        self._deliveries: set[str] = set()
        self._rests: set[str] = set()  # detections that its warnings name

    def rests_on(self, alerts: Iterable[Alert]) -> None:
        """The detections of its warnings, whenever they were."""
        self._rests |= {d for a in alerts if a.id in self._incident.alerts for d in a.detections}

    def wants(self, seen: Known) -> bool:
        """Does it belong to the account?"""
        r, mine = seen.record, self._incident
        match r:
            case Run():
                return True
            case Alert():
                return r.id in mine.alerts
            case Decision():
                return r.alert in mine.alerts or r.incident == mine.id
            case Report() | Custody():
                return r.incident == mine.id
            case Delivery():
                about = called_again_about(r.alert) or r.alert
                if about in mine.alerts or tells_of(mine.id, r.alert):
                    self._deliveries.add(r.id)
                return r.id in self._deliveries
            case JudgedAnswer():
                return (called_again_about(r.alert) or r.alert) in mine.alerts
            case Receipt():
                return r.delivery in self._deliveries
            case _:
                return self._about(seen)

    def _about(self, seen: Known) -> bool:
        """In its place and time?"""
        r, place = seen.record, self._place
        if isinstance(r, Detection) and r.id in self._rests:
            return True
        if not place.from_at <= seen.at <= place.until_at:
            return False
        match r:
            case Observations():
                return r.group in place.groups
            case Detection():
                about = r.area in place.areas
                return about or (not r.area and r.hazard == "evidence")
            case Outcome() | PersonSays():
                return r.area in place.areas
            case Service():
                return r.thing in place.things
            case Away():
                return bool(place.things & set(r.stations))
            case CapIn():
                return any(s.area in place.areas for s in r.says)
            case RouteHealth() | DeadLetter():
                return True
            case _:
                return False
