"""The ids by which carriers name a message, in every spelling that one number has: two programs of one
centre write the response and the receipt, with or without leading zeros, in either case, in
hexadecimal or in decimal. Pure.

A ref is "CARRIER|ID", as the response had it. What an exact ref could be is never the question; other
spellings are believed only where they lead to one message.
"""

import re
from collections.abc import Container, Iterable, Mapping

_HEX = re.compile(r"[0-9a-f]{1,32}")


def plain(ref: str) -> str:
    """Of all spellings of one number in one base the same."""
    carrier, bar, ident = ref.rpartition("|")
    ident = ident.strip().casefold().removeprefix("0x")
    if _HEX.fullmatch(ident):
        ident = ident.lstrip("0") or "0"
    return f"{carrier}{bar}{ident}"


def readings(ref: str) -> list[str]:
    """Its `plain` form, then that of the same number in the other base."""
    found = [plain(ref)]
    carrier, bar, ident = found[0].rpartition("|")
    if _HEX.fullmatch(ident):
        found.append(f"{carrier}{bar}{int(ident, 16)}")
        if ident.isdecimal():
            found.append(f"{carrier}{bar}{int(ident):x}")
    return found


def index(refs: Iterable[str]) -> dict[str, list[str]]:
    """By `plain` those that are not plain already."""
    found: dict[str, list[str]] = {}
    for ref in refs:
        note(found, ref)
    return found


def note(spelled: dict[str, list[str]], ref: str) -> None:
    """One more for an `index`."""
    if (p := plain(ref)) != ref and ref not in spelled.setdefault(p, []):
        spelled[p].append(ref)


def named(
    given: Iterable[str], known: Container[str], spelled: Mapping[str, Iterable[str]]
) -> list[str]:
    """The known refs that `given` may mean, the likeliest first."""
    found: dict[str, None] = {}
    for ref in given:
        if ref in known:
            found.setdefault(ref)
        for other in readings(ref):
            if other in known:
                found.setdefault(other)
            found.update(dict.fromkeys(spelled.get(other, ())))
    return list(found)
