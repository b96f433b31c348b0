"""How long pictures are kept, and who can be recognised in them: the rows of pictures.csv."""

from typing import Literal

from config.records.row import Row

PEOPLE = "people"  # in place of a camera: the photographs that people send


class PictureRule(Row, frozen=True, kw_only=True):
    """What a district decides for the pictures of one purpose.

    cameras: stations that measure `frame`, `*` for those that no row names, `people`. days: from when the
    picture was taken. evidence_days: of pictures that the evidence of a warning or a rule names; none: for
    ever. basis: the rule or decision that this rests on. persons: in what is shown and leaves the house
    they are shown, hidden where a detector finds them, or the whole picture is coarse. undetected: what is
    done with `hide` where no detector is installed. The picture as it was taken stays in the store.
    """

    purpose: str
    cameras: tuple[str, ...]
    days: int
    basis: str
    evidence_days: int | None = None
    persons: Literal["show", "hide", "coarse"] = "show"
    undetected: Literal["coarse", "show"] = "coarse"
