"""Who was called again (抽查), and how that went: folded from deliveries and answers in any order. Pure."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from dispatch.proving.judged import JudgedAnswer


class Recheck(msgspec.Struct, frozen=True):
    """One call again. failed: nobody gave the code by any way, and the duty room was told."""

    person: str
    at: int
    state: Literal["open", "passed", "failed"]


def result(
    person: str, asked_at: int, answers: Iterable[JudgedAnswer], failed_at: int
) -> Recheck:
    """failed_at: when it was given up; 0: it was not. The right code counts, however late it came."""
    if any(a.verdict == "right" for a in answers):
        return Recheck(person, asked_at, "passed")
    return Recheck(person, asked_at, "failed" if failed_at else "open")


def distrusted(rechecks: Iterable[Recheck]) -> set[str]:
    """Whose newest call again failed."""
    newest: dict[str, Recheck] = {}
    for r in rechecks:
        if r.state != "open" and (r.person not in newest or r.at > newest[r.person].at):
            newest[r.person] = r
    return {r.person for r in newest.values() if r.state == "failed"}
