"""What an incident's log says, as it was known at one of its reports: warnings, receipts, acts. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from console.model.view import Sent, View
from dispatch.address.to_superiors import name_of
from dispatch.people.evacuation_roll import Roll
from dispatch.records import Alert, Decision, Delivery, Receipt, Report
from ingest.observation import PersonSays


class ReportBasis(NamedTuple):
    """versions: of each of its warnings. view, roll, decisions: of all that was told until then."""

    made: list[Report]  # its reports, up to the one that is told of
    until: int
    versions: dict[str, list[Alert]]
    view: View
    roll: Roll
    decisions: list[Decision]
    handed: list[Sent]  # to whom the report went, and how far it came up to now

    @property
    def report(self) -> Report:
        return self.made[-1]

    @property
    def before(self) -> Report | None:
        """The report before it."""
        return self.made[-2] if self.made[1:] else None

    def known(self, report: Report | None) -> dict[str, Alert]:
        """Its warnings as a report knew them."""
        return (
            {}
            if report is None
            else {key: mine[-1] for key, mine in _known(self.versions, report).items()}
        )


def facts(records: Sequence[object], incident: str, number: int, *, now: bool) -> ReportBasis:
    """Of one report. now: with all that came since. Raises IndexError: it has no such number."""
    made = [r for r in records if isinstance(r, Report) and r.incident == incident]
    made = [r for r in made if r.number <= number]
    if not made or made[-1].number != number:
        raise IndexError(number)
    whole: dict[str, list[Alert]] = {}
    for r in records:
        if isinstance(r, Alert) and r.incident == incident and not r.again:
            whole.setdefault(r.id, []).append(r)
    versions = whole if now else _known(whole, made[-1])
    sent = [a.sent_at for mine in versions.values() for a in mine]
    until = max(made[-1].reported_at, *sent, 0)
    view, roll, decisions = View(), Roll(), []
    for r in records:
        if not now and _told_at(r) > until:
            continue
        view.take(r)
        roll.take(r)
        # a person's act stands in `cases` without what came of it
        if isinstance(r, Decision) and r.hash:
            decisions.append(r)
    until = view.clock_at if now else until
    return ReportBasis(made, until, versions, view, roll, decisions, _handed(records, made[-1]))


def _handed(records: Sequence[object], report: Report) -> list[Sent]:
    name, view = name_of(report), View()
    for r in records:
        if isinstance(r, Delivery) and r.alert == name:
            view.take(r)
    for r in records:
        if isinstance(r, Receipt) and r.delivery in view.sent:
            view.take(r)
    return list(view.sent.values())


def reports_of(records: Iterable[object]) -> dict[str, list[Report]]:
    """By incident, in the order of their first report."""
    out: dict[str, list[Report]] = {}
    for r in records:
        if isinstance(r, Report):
            out.setdefault(r.incident, []).append(r)
    return out


def _known(versions: dict[str, list[Alert]], report: Report) -> dict[str, list[Alert]]:
    newest = {name: int(n) for name, _, n in (x.rpartition("/") for x in report.alerts)}
    known = {
        k: [a for a in found if a.version <= newest.get(k, 0)] for k, found in versions.items()
    }
    return {key: found for key, found in known.items() if found}


def _told_at(record: object) -> int:
    match record:
        case Alert():
            return record.sent_at
        case Delivery():
            return record.queued_at
        case Receipt():
            return record.receipt_at
        case Decision():
            return record.decided_at
        case PersonSays():
            return record.received_at
        case Report():
            return record.reported_at
        case _:
            return 0
