"""The record of what somebody chose who subscribes by themselves (docs/residents.md). It stands in `cases`,
decide passes it on, address counts them from then on, and the ledger has it. Pure."""

from datetime import date
from typing import Literal, get_args, get_type_hints

from config.checks.tables import QUIET
from config.language import Text
from config.records.channels import ADDRESS_COLUMN
from config.records.district import Contact
from config.records.level import Level
from stream.records import Record, Whole

OWN = (
    "",
    "resident",
    "tourist",
)  # of a resident's categories: who may choose and leave by themselves
_ID = 80


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
    signature: str = ""  # hex, of the contact store's key (dispatch/people/signed_choices.py)

    def __post_init__(self) -> None:
        """What no contact could have is no choice: such a record is not read, and stops nobody's warning.
        Raises ValueError."""
        levels, kinds = [int(x) for x in Level], get_args(get_type_hints(Contact)["category"])
        wrong = [
            name
            for name, right in (
                ("id", 0 < len(self.id) <= _ID),
                ("min_level", self.min_level in levels),
                ("channels", set(self.channels) <= ADDRESS_COLUMN.keys()),
                ("category", self.category in kinds),
                ("quiet", not self.quiet or QUIET.fullmatch(self.quiet) is not None),
                ("until", not self.until or _is_day(self.until)),
                ("people", self.people >= 0),
            )
            if not right
        ]
        if wrong:
            raise ValueError(
                Text(f"{wrong[0]}: 不成其为选择", f"{wrong[0]}: is no choice of anybody")
            )

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
    """The record of this contact's choices; left: of their end, without them."""
    if left:
        return Subscriber(id=c.id, said_at=said_at, way=way, areas=())
    return Subscriber(
        id=c.id,
        said_at=said_at,
        way=way,
        areas=c.areas,
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


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
