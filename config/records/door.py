"""Who must show what at the door of a live run's duty room: `[console]` of district.toml."""

from typing import Literal

from config.records.row import Row

Role = Literal["viewer", "duty", "approver", "administrator", "security", "auditor"]


class Door(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """second_factor: roles that show a second factor beside their password; a small county may leave
    it empty. password_days: how long a password counts; 0: no end. session_h: a session's end however
    it is used. separate_administrators: accounts, rights and the record are three persons'. sensorthings:
    who reads the stations as SensorThings, users and their programs or everybody."""

    second_factor: tuple[Role, ...] = ("approver", "administrator", "security", "auditor")
    password_days: int = 0
    session_h: int = 24
    separate_administrators: bool = False
    sensorthings: Literal["users", "public"] = "users"


# of an exercise, which everybody may try
OPEN = Door(second_factor=())
