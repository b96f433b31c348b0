"""What people have reported and still counts: the memory behind rule `observer`."""

import msgspec


class Sign(msgspec.Struct, frozen=True, array_like=True):
    """A report that still counts: when it was said, its picture, and whether it came by a way on which
    nobody can speak for another: not by SMS."""

    at: int
    photo: str = ""
    own: bool = True
    happened_at: int = 0  # of a fact (`PersonSays.fact`)


class SignsSaid(msgspec.Struct):
    """What was said last of an area and hazard, and since when."""

    what: str = ""
    since_at: int = 0


class PeopleState(msgspec.Struct):
    """seen: id of a message -> when it is forgotten. signs: area|hazard -> person|quantity -> the
    newest report. unclear: person -> when an answer was last asked for."""

    seen: dict[str, int] = {}
    signs: dict[str, dict[str, Sign]] = {}
    said: dict[str, SignsSaid] = {}
    unclear: dict[str, int] = {}
