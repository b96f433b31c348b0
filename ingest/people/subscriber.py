"""The record of what somebody chose who subscribes by themselves (docs/residents.md). It stands in `cases`,
decide passes it on, address counts them from then on, and the ledger has it. Pure."""

from typing import Literal

from config.records.district import Contact
from config.records.level import Level
from stream.records import Record, Whole


class Subscriber(Record, frozen=True, kw_only=True, tag="subscriber"):
    """One recipient's choices as they are now, or that they left. No name and no number stands in it: those
    are in the contact store alone. The newest of an id counts."""

    id: str  # opaque, of the contact store
    said_at: Whole
    way: Literal["page", "sms", "command", "time"]  # time: it was over by itself
    areas: tuple[str, ...]  # (): they left
    lang: Literal["zh", "en"] = "zh"
    channels: tuple[str, ...] = ("sms",)
    min_level: Whole = Level.BLUE
    category: str = ""
    hazards: tuple[str, ...] = ()
    quiet: str = ""
    people: Whole = 1
    plan: str = ""
    until: str = ""

    def contact(self) -> Contact:
        """As the contact store has it without name and numbers."""
        return Contact(
            id=self.id,
            name="",
            role="residents",
            areas=self.areas,
            lang=self.lang,
            channels=self.channels,
            min_level=Level(self.min_level),
            category=self.category,  # type: ignore[arg-type]  # of a row that was checked
            hazards=self.hazards,
            quiet=self.quiet,
            people=self.people,
            plan=self.plan,
            until=self.until,
        )


def chosen(
    c: Contact, said_at: int, way: Literal["page", "sms", "command", "time"], *, left: bool = False
) -> Subscriber:
    """The record of this contact's choices; left: of their end."""
    return Subscriber(
        id=c.id,
        said_at=said_at,
        way=way,
        areas=() if left else c.areas,
        lang=c.lang,
        channels=c.channels,
        min_level=int(c.min_level),
        category=c.category,
        hazards=c.hazards,
        quiet=c.quiet,
        people=c.people,
        plan=c.plan,
        until=c.until,
    )
