"""A list of people as CSV: the import and export form of the contact store.

Each line stands for itself: a broken one spoils no other, goes unchanged into the file of rejects,
and is named by row and column in words that hold nothing of what stood there. Good rows are taken in
one transaction.
"""

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.checks.tables import Check
from config.language import Said, Text, joined, text_of
from config.load import ID
from config.read.problem import Problem
from config.read.tables import check_columns, read_row
from config.records.district import Contact, District
from config.records.level import Level
from dispatch.people.contact_store import ContactStore
from stream.environment import Usage

COLUMNS = tuple(f.name for f in msgspec.structs.fields(Contact))


class Reject(NamedTuple):
    """A line that was not taken, as it stood, and why."""

    row: int
    line: str
    problems: tuple[Problem, ...]


class Listed(NamedTuple):
    """What a file holds."""

    header: str
    contacts: list[Contact]
    rejects: list[Reject]


def read_list(file: Path, district: District, erased: Iterable[str] = ()) -> Listed:
    """UTF-8, or GB 18030 as Chinese spreadsheets save it. Raises Usage when the file as a whole
    cannot be read."""
    name = file.name
    try:
        body = file.read_bytes()
    except OSError as e:
        raise Usage(
            Text(f"{file}: 读不到：{e.strerror}", f"{file}: cannot be read: {e.strerror}")
        ) from e
    lines = _text(file, body).splitlines()
    header = [c.strip() for c in _cells(lines[0])] if lines else []
    problems: list[Problem] = []
    if not check_columns(name, header, Contact, problems):
        raise Usage(
            joined([Text(f"{file}: 表头不对", f"{file}: the header is wrong"), *problems], "\n  ")
        )
    gone, seen = set(erased), set[str]()
    found = Listed(lines[0], [], [])
    check = Check([], district.basins, district.areas, district.stations)
    for number, line in enumerate(lines[1:], 2):
        if not line.strip(" ,\t"):
            continue
        wrong: list[Problem] = []
        contact = _contact(name, number, line, header, wrong)
        if contact is not None:
            check.problems = wrong
            check.contacts([(number, contact)])
            if text := _unfit(contact.id, gone, seen):
                wrong.append(Problem(name, number, "id", *text))
        if wrong or contact is None:
            masked = tuple(_masked(p, line) for p in wrong)
            found.rejects.append(Reject(number, line, masked))
        else:
            seen.add(contact.id)
            found.contacts.append(contact)
    return found


def _text(file: Path, body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Usage(
        Text(
            f"{file}: 不是 UTF-8 或 GB 18030 文本：另存为“CSV UTF-8”",
            f"{file}: neither UTF-8 nor GB 18030 text: save it as CSV UTF-8",
        )
    )


def _cells(line: str) -> list[str]:
    """Raises csv.Error at a lone quotation mark."""
    return next(csv.reader([line], strict=True), [])


def _contact(
    file: str, number: int, line: str, header: list[str], problems: list[Problem]
) -> Contact | None:
    try:
        cells = _cells(line)
    except csv.Error:
        words = Text("引号不成对", "there is a lone quotation mark")
        problems.append(Problem(file, number, "", words, Text("补上或删去", "close or remove it")))
        return None
    if len(cells) != len(header):
        words = Text(
            f"有 {len(cells)} 格，应为 {len(header)} 格",
            f"{len(cells)} cells, expected {len(header)}",
        )
        problems.append(
            Problem(file, number, "", words, Text("补齐或加引号", "add or quote cells"))
        )
        return None
    return read_row(file, number, dict(zip(header, cells, strict=True)), Contact, problems)


def _unfit(name: str, gone: set[str], seen: set[str]) -> tuple[Said, Said] | None:
    """Why an id cannot be taken, and what to do."""
    if not ID.fullmatch(name):
        return Text("不能作 id", "is not an id"), Text(
            "字母、数字、- (1–32)", "letters, digits, hyphens"
        )
    if name in gone:
        return Text("此人已删除", "this person was erased"), Text(
            "新人用新 id", "a new id for a new person"
        )
    if name in seen:
        return Text("id 重复", "id stands twice"), Text(
            "改 id 或删去", "another id, or remove the row"
        )
    return None


def _masked(p: Problem, line: str) -> Problem:
    """The same words without what stood in the cells: a number may stand in the wrong column."""
    try:
        cells = _cells(line)
    except csv.Error:
        return p
    parts = {x.strip() for cell in cells for x in (cell, *cell.split(";"))}
    told = text_of(p.message)
    message_zh, message_en = told.zh, told.en
    for part in sorted(parts, key=len, reverse=True):
        if len(part) > 1:
            message_zh = message_zh.replace(repr(part), "…").replace(part, "…")
            message_en = message_en.replace(repr(part), "…").replace(part, "…")
    return p._replace(message=Text(message_zh, message_en))


def write_rejects(listed: Listed, file: Path) -> None:
    """The lines that were not taken, to be mended and imported again; for the owner's eyes."""
    lines = [listed.header, *(r.line for r in listed.rejects)]
    _write_private(file, "\n".join(lines) + "\n")


def write_list(contacts: Sequence[Contact], file: Path) -> None:
    """As `read_list` reads it; for the owner's eyes. Raises FileExistsError."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for c in contacts:
        writer.writerow([_cell(getattr(c, column)) for column in COLUMNS])
    _write_private(file, "﻿" + out.getvalue(), new=True)


def _cell(value: object) -> str:
    if isinstance(value, Level):
        return value.name.lower()
    return ";".join(value) if isinstance(value, tuple) else str(value)


def _write_private(file: Path, text: str, *, new: bool = False) -> None:
    kind = os.O_EXCL if new else os.O_TRUNC
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | kind, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as f:
        f.write(text)


def take(store: ContactStore, contacts: Sequence[Contact], file: Path | None) -> None:
    """Into the store, all or none. file: whose content is noted, so that it is not taken twice."""
    with store.change():
        store.put(contacts)
        if file is not None:
            store.fact("list", digest(file))


def digest(file: Path) -> str:
    """Whether a list is another one than before. No content can be guessed from it without it."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
