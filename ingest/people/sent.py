"""A person's message as it came: the forms in which one arrives. Pure."""

from typing import Any, Literal, NamedTuple

import msgspec

from ingest.decode.phrases import Meaning

Way = Literal["form", "sms", "app"]


class Sent(NamedTuple):
    """A message as it came, with nothing believed yet. ident: its own id, "" none; at: as `moment`
    reads it, None none; area: an id, "" not named."""

    person: str
    way: Way
    said: tuple[Meaning, ...]
    area: str = ""
    ident: str = ""
    at: Any = None
    photo: str = ""
    fact: str = ""  # as `PersonSays` has them
    happened_at: int = 0
    hours: int = 0  # of a closure; 0: as usual
    code: str = ""  # figures that may be the code of an answer


class SmsIn(msgspec.Struct):
    """A short message, as an adapter that knows whose number it is hands it on."""

    text: str
    id: str = ""
    at: Any = None


class ReportIn(msgspec.Struct):
    """What an app sends."""

    what: str
    id: str = ""
    area: str = ""
    people: int | None = None
    time: Any = None
    fact: str = ""
    happened: str = ""
    thing: str = ""  # of service
    minutes: int = 0
    code: str = ""
    how: str = ""  # of moved
