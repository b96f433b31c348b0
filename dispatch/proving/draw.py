"""Who is called again (抽查): a draw that nobody chose and everybody can repeat. The seed is the hash of the
decision that asked for it, which stands in the ledger and follows from all decisions before it. Pure."""

import hashlib
from collections.abc import Iterable
from math import ceil

from config.records.district import District


def candidates(district: District, area: str) -> tuple[str, ...]:
    """Who must answer for an area: its responsible persons, by id."""
    return tuple(
        sorted(
            c.id
            for c in district.contacts.values()
            if c.role == "responsible" and ("*" in c.areas or area in c.areas)
        )
    )


def drawn(among: Iterable[str], seed: str, share: float, count: int = 0) -> tuple[str, ...]:
    """So many of them, or a share, at least one; in the order of the draw.

    >>> drawn(["a", "b", "c", "d"], "seed", 0.5) == drawn(["d", "c", "b", "a"], "seed", 0.5)
    True
    >>> len(drawn(["a", "b", "c", "d"], "seed", 0.1)), drawn([], "seed", 0.5)
    (1, ())
    """
    order = sorted(set(among), key=lambda who: hashlib.sha256(f"{seed}|{who}".encode()).digest())
    return tuple(order[: count or max(1, ceil(share * len(order)))])
