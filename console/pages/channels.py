"""The ways out, for `fengsui status` and the page System: which work, since when, which are proven.
Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from config.records.district import District
from console.model.trail import Trail
from console.model.view import View
from dispatch.channels.status_words import PROOFS, proof
from dispatch.records import RouteHealth


class Way(NamedTuple):
    """health: its last word, None before the first. by: who proved it; "" for nobody."""

    channel: str
    name: str
    kind: str
    health: RouteHealth | None
    by: str


def ways(district: District, view: View, live: bool) -> Iterator[Way]:
    """Of a live run those of channels.toml, else what an exercise uses."""
    rows: list[tuple[str, str, str]] = []
    if live:
        rows += [(c.channel, c.name, c.kind) for c in district.channels.carriers()]
    # what every run has, and no row declares
    rows += [("broadcast", "mqtt", "mqtt"), ("cap", "file", "file"), ("console", "file", "file")]
    for channel, name, kind in rows:
        health = view.health.get(f"{channel}/{name}")
        yield Way(channel, name, kind, health, proof(channel, kind) or "")


def not_set_up(found: list[Way]) -> list[str]:
    """Channels that a live run could have and has not."""
    return sorted({p.channel for p in PROOFS} - {w.channel for w in found})


def parts(district: District, view: View, _trail: Trail, _now: int) -> dict[str, dict[str, Any]]:
    """Of the page System: the ways by channel/name, and what was not understood by its reason."""
    return {
        "ways": {f"{w.channel}/{w.name}": _row(w) for w in ways(district, view, view.live)},
        "dead": dict(view.dead),
    }


def _row(w: Way) -> dict[str, Any]:
    return {
        "kind": w.kind,
        "up": w.health.up if w.health else None,
        "detail": w.health.detail if w.health else "",
        "at": w.health.checked_at if w.health else None,
        "proven": w.by,
    }
