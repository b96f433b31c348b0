"""The protocols of the public page: which data, which way of leaving out, which goal. Pure.

A goal is a least value of a figure of what was left out (or, of a transfer, of the other table). Every
protocol has two more that are not written: what is delivered hits anything, and does not lose to the
best simple or published rule on the same rows.
"""

import hashlib
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from config.language import Text

Figure = Literal["csi", "auc", "pod"]


class ProtocolFault(ValueError):
    """A file of protocols that cannot be used; the text names the place."""


class TableTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of one row a storm: paths, columns of outcome and group (`fengsui tune --table`)."""

    table: str
    columns: str
    response: str
    group: str = ""


class Protocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One test. Either `table` with its columns or `observations` with `events` is given; with
    `scored_on` the rule is tuned on the first table and scored on the other."""

    id: str
    zh: str
    en: str
    fixed: str  # the day on which it was written down
    source: str
    looked: bool
    goal: dict[Figure, float] = {}
    left_out: str = ""
    table: str = ""
    columns: str = ""
    response: str = ""
    group: str = ""
    scored_on: TableTest | None = None
    observations: str = ""
    events: str = ""
    min_lead_min: int = 15

    @property
    def title(self) -> Text:
        return Text(self.zh, self.en)

    @property
    def files(self) -> list[str]:
        """Below the folder of data."""
        named = [self.table, self.observations, self.events]
        return [f for f in [*named, self.scored_on.table if self.scored_on else ""] if f]


class Protocols(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    protocol: tuple[Protocol, ...]


def read(body: bytes, name: str) -> tuple[tuple[Protocol, ...], str]:
    """The protocols of a TOML file, and the file's SHA-256, hex. Raises ProtocolFault."""
    try:
        found = msgspec.toml.decode(body, type=Protocols).protocol
    except msgspec.MsgspecError as e:
        raise ProtocolFault(Text(f"{name}：格式不对：{e}", f"{name}: {e}")) from e
    seen: set[str] = set()
    for p in found:
        if problem := _problem(p, seen):
            raise ProtocolFault(
                Text(f"{name}：{p.id}：{problem.zh}", f"{name}: {p.id}: {problem.en}")
            )
        seen.add(p.id)
    return found, hashlib.sha256(body).hexdigest()


def _problem(p: Protocol, seen: set[str]) -> Text | None:
    if p.id in seen:
        return Text("编号重复", "two protocols have this id")
    if bool(p.table) == bool(p.observations) or bool(p.observations) != bool(p.events):
        return Text(
            "table 或 observations 加 events，二者取一",
            "give either a table, or observations with events",
        )
    if p.table and not (p.columns and p.response):
        return Text("table 还需要 columns 和 response", "a table needs columns and response too")
    if bool(p.scored_on) == bool(p.left_out):
        return Text("left_out 与 scored_on 取一", "give either left_out or scored_on")
    if p.scored_on and not p.table:
        return Text("scored_on 只用于 table", "scored_on is for tables")
    if any(PurePosixPath(f).is_absolute() or ".." in PurePosixPath(f).parts for f in p.files):
        return Text("路径应在数据目录之下", "paths must lie below the folder of data")
    if not 0 <= p.min_lead_min <= 7 * 1440:
        return Text("min_lead_min 应为 0 … 10080", "min_lead_min must be 0 … 10080")
    return None
