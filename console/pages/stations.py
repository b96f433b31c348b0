"""The page Stations and nodes (站点): who reports and how well, what was not taken in, and one place's
measurements over hours to years. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from config.records.district import District
from config.records.quantity import QUANTITIES, Quantity
from console.model.answers import Chart, Letter
from console.model.health import AGES_MS, HOUR_MS, KEPT_HOURS, MINUTE_MS, Health, Thing
from console.model.picture import HealthRow, Picture
from console.model.trail import Trail
from console.model.view import View
from dispatch.words.local_time import local
from ingest.observation import Flag
from stream.history.port import Point

BINS = 400  # of a chart, at most
_STEPS_MIN = (1, 5, 10, 30, 60, 180, 360, 720, 1440, 10_080)


def parts(district: District, _view: View, trail: Trail, now: int) -> Picture:
    """`health`: station or node -> its last day. A row is made anew when something came of it, and
    all of them every few minutes."""
    health = trail.health
    if now // AGES_MS != health.aged:
        health.aged = now // AGES_MS
        health.stale.update(health.rows)
    for name in health.stale:
        thing = district.stations.get(name) or district.nodes.get(name)
        if thing is not None:
            health.rows[name] = _row(health, name, thing.interval_s, now)
    health.stale.clear()
    return {"health": dict(health.rows)}


def _row(health: Health, name: str, interval_s: int, now: int) -> HealthRow:
    thing = health.things.get(name)
    since = now // HOUR_MS - KEPT_HOURS
    hours = [c for h, c in thing.hours.items() if h > since] if thing else []
    count, suspect, failed = (sum(c[n] for c in hours) for n in range(3))
    recent = thing is not None and thing.flagged_at // HOUR_MS > since
    return {
        "count": count,
        "share": _share(thing, interval_s, now) if thing else 0,
        "suspect": suspect,
        "failed": failed,
        "test": thing.test if thing and recent else "",
        "dead": health.dead.get(name, 0),
    }


def _share(thing: Thing, interval_s: int, now: int) -> float:
    """The part of the last day, from its first reading on, in which a reading was no older than the
    interval: many in one minute make up for no silence."""
    start = (now // HOUR_MS - KEPT_HOURS) * 60  # all in minutes since 1970
    minutes = sum(c[3] << (h * 60 - start) for h, c in thing.hours.items() if h * 60 >= start)
    begin = max(0, thing.first_at // MINUTE_MS - start, 60)
    end = now // MINUTE_MS - start + 1
    if thing.first_at > now or end <= begin:
        return 1.0
    lasts, width, covered = -(-interval_s // 60), 1, minutes
    while width < lasts:  # each minute's bit is drawn out over the interval
        step = min(width, lasts - width)
        covered |= covered << step
        width += step
    window = ((1 << end) - 1) >> begin << begin
    # cut down, not rounded: with a silence in it the day is no whole one
    return (covered & window).bit_count() * 100 // (end - begin) / 100


def letters(health: Health) -> list[Letter]:
    """The newest dead letters, without their payload: a number may stand in it."""
    return [
        {"at": x.received_at, "source": x.source, "reason": x.reason, "detail": x.detail}
        for x in reversed(health.letters)
    ]


def chart(points: Sequence[Point], quantity: str, start_at: int, end_at: int) -> Chart:
    """Points as at most BINS columns: starts (s since 1970 UTC), the sum of an interval quantity or
    the highest value, and the lowest of what is no sum. Failed readings are left out, and a column
    in which nothing came is not there. A column of a day runs from 08:00 to 08:00 in Beijing (00:00 UTC),
    as daily rain is reckoned in China (SL 21)."""
    q = QUANTITIES[quantity]
    minutes = max(1, (end_at - start_at) // 60_000)
    step_min = next((s for s in _STEPS_MIN if minutes <= s * BINS), _STEPS_MIN[-1])
    step = step_min * 60_000
    sums, low, high = dict[int, int](), dict[int, int](), dict[int, int]()
    for p in points:
        if p.flag == Flag.FAIL:
            continue
        # a reading sums over the interval that ends at its time
        start = (p.observed_at - (q.kind == "interval")) // step * step
        sums[start] = sums.get(start, 0) + p.value
        low[start] = min(low.get(start, p.value), p.value)
        high[start] = max(high.get(start, p.value), p.value)
    starts = sorted(sums)
    summed = q.kind == "interval"
    return {
        "unit": q.unit,
        "sum": summed,
        "step_min": step_min,
        "count": len(points),
        "at": [s // 1000 for s in starts],
        "value": _amounts(q, sums if summed else high, starts),
        "low": [] if summed else _amounts(q, low, starts),
    }


def _amounts(q: Quantity, counts: dict[int, int], starts: list[int]) -> list[float]:
    return [round(q.amount(counts[s]), 3) for s in starts]


class ShownPicture(NamedTuple):
    """camera: empty where no warning's evidence names the picture. of: V01 2026-07-26 20:11:03 A01/…"""

    camera: str
    of: str


def shown_of(view: View, digest: str, zone: str) -> ShownPicture:
    """Of which camera and time a picture is, where a warning's evidence names it."""
    for alert in view.alerts.values():
        for e in alert.evidence:
            if digest in e.frames:
                at = f" {local(e.observed_at, zone, '%Y-%m-%d %H:%M:%S')}" if e.observed_at else ""
                return ShownPicture(e.station, f"{e.station}{at} {alert.area}/{alert.hazard}")
    return ShownPicture("", "")
