"""The ways out, for `fengsui status` and the page System: which work, since when, which are proven.
Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from config.language import Said
from config.records.district import District
from console.model.view import View
from dispatch.channels.status_words import PROOFS, proof
from dispatch.records import RouteHealth


class Way(NamedTuple):
    """health: its last word, None before the first. by: who proved it; "" for nobody."""

    channel: str
    name: str
    kind: str
    health: RouteHealth | None
    by: Said


def ways(district: District, view: View, live: bool) -> Iterator[Way]:
    """Of a live run those of channels.toml, else what an exercise uses."""
    rows: list[tuple[str, str, str]] = []
    if live:
        for c in district.channels.carriers():
            rows.append((c.channel, c.name, c.kind))
            if c.kind == "ebd" and c.platform.listen and c.platform.silent_s:
                rows.append((c.channel, f"{c.name}-back", c.kind))  # whether it posts to us
    # what every run has, and no row declares
    rows += [("broadcast", "mqtt", "mqtt"), ("cap", "file", "file"), ("console", "file", "file")]
    for channel, name, kind in rows:
        health = view.health.get(f"{channel}/{name}")
        yield Way(channel, name, kind, health, proof(channel, kind) or "")


def not_set_up(found: list[Way]) -> list[str]:
    """Channels that a live run could have and has not."""
    return sorted({p.channel for p in PROOFS} - {w.channel for w in found})
