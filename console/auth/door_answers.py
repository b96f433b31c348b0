"""What the door answers: who somebody is, what a login still needs, accounts and the record of them."""

from typing import Literal, NotRequired, TypedDict

from config.language import Said


class Me(TypedDict):
    """acts: what may stand in `act` of /api/acts. ends_at: of the session, however it is used (ms)."""

    name: str
    role: Literal["viewer", "duty", "approver", "administrator", "security", "auditor"]
    officer: str
    csrf: str
    ends_at: int
    acts: list[str]
    factor: Literal["", "app", "card"]
    codes: int
    may: list[str]


class LoginStep(TypedDict):
    """What is asked for next; later: how often it may still be put off."""

    step: str
    name: str
    later: int


class OfferedFactor(TypedDict):
    """A new second factor. picture: a QR code as a data URI."""

    kind: str
    codes: tuple[str, ...]
    secret: NotRequired[str]
    uri: NotRequired[str]
    picture: NotRequired[str]


class AccountRow(TypedDict):
    """codes: how many are left; held: how long nobody may try (ms); change: the password must be."""

    name: str
    role: str
    officer: str
    factor: str
    codes: int
    held: int
    change: bool


class Accounts(TypedDict):
    users: list[AccountRow]
    roles: list[str]


class RecordLine(TypedDict):
    n: int
    at: int
    who: str
    what: Said
    detail: Said


class AccountsRecord(TypedDict):
    """wrong: why the record is not whole, "" where it is."""

    wrong: Said
    count: int
    entries: list[RecordLine]
