"""The evacuation roll as a page shows it: areas of which something came are made anew, and all of them
once a minute, for a cry for help ends by age. Pure."""

from dataclasses import dataclass, field

from config.records.district import District
from console.model.view import View
from dispatch.people.evacuation_roll import Roll, RollRow
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import Alert, Delivery, Receipt
from ingest.observation import PersonSays
from stream.records import Record


@dataclass
class Rolled:
    """roll: the fold. stale: areas to be made anew. rows: area -> its row, opaque ids only."""

    roll: Roll = field(default_factory=Roll)
    stale: set[str] = field(default_factory=set)
    rows: dict[str, RollRow] = field(default_factory=dict)
    minute: int = 0

    def take(self, record: Record, view: View) -> None:
        """Fold one record in, after the view has."""
        self.roll.take(record)
        if isinstance(record, PersonSays) and (gone := self.roll.outings.get(record.person)):
            self.stale.update((gone.area, *self.rows))  # they may have gone on to another place
        if isinstance(record, Alert | Delivery | PersonSays | JudgedAnswer):
            self.stale.add(record.area)
        elif isinstance(record, Receipt) and record.delivery in view.sent:
            self.stale.add(view.sent[record.delivery].delivery.area)

    def rows_at(self, district: District, now: int) -> dict[str, RollRow]:
        """As `Roll.rows` has them, by area."""
        if now // 60_000 != self.minute:
            self.minute = now // 60_000
            self.stale.update(self.rows)
        for area in self.stale & district.areas.keys():
            if (row := self.roll.row(district, area, now)) is not None:
                self.rows[area] = row
            else:
                self.rows.pop(area, None)
        self.stale.clear()
        return dict(self.rows)
