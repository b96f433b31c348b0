"""Whom a drill or an event reached and what was blind: people who had to answer, loudspeakers that had
to sound, stations that were silent. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from config.records.district import District
from detectors.detection import Detection
from dispatch.records import Receipt, state_words
from fengsui.review.step_times import Records, excused, first


def people(found: Records) -> dict[str, Any]:
    """Who had to answer, by opaque id: how often asked, how often answered, how fast."""
    rows: dict[str, dict[str, Any]] = {}
    for key, d in found.deliveries.items():
        if not d.must_answer:
            continue
        at = first(found, key, ("answered",))
        if at is None and excused(found, key):
            continue
        row = rows.setdefault(
            d.recipient, {"asked": 0, "answered": 0, "seconds": [], "areas": set()}
        )
        row["asked"] += 1
        row["areas"].add(d.area)
        if at is not None:
            row["answered"] += 1
            row["seconds"].append((at - d.queued_at) / 1000)
    people = [
        {"id": who, "asked": r["asked"], "answered": r["answered"], "areas": sorted(r["areas"]),
         "fastest_s": min(r["seconds"], default=None), "slowest_s": max(r["seconds"], default=None)}
        for who, r in sorted(rows.items(), key=lambda x: (x[1]["answered"], x[0]))
    ]  # fmt: skip
    return {
        "asked": len(people),
        "always": sum(p["answered"] == p["asked"] for p in people),
        "never": [p["id"] for p in people if not p["answered"]],
        "rows": people,
    }


def loudspeakers(district: District, found: Records) -> dict[str, Any]:
    """By node: how often told to sound, how often it did, and the last thing known of it."""
    rows: dict[str, dict[str, Any]] = {}
    for key, d in found.deliveries.items():
        if d.recipient not in district.nodes or d.msg_type == "cancel":
            continue
        at = first(found, key, ("playing", "played"))
        if at is None and excused(found, key):
            continue
        row = rows.setdefault(d.recipient, {"told": 0, "sounded": 0, "first_at": None, "why": ""})
        row["told"] += 1
        if at is not None:
            row["sounded"] += 1
            row["first_at"] = min(at, row["first_at"] or at)
        else:
            last: list[Receipt] = found.receipts.get(key, [])
            state, detail = (last[-1].state, last[-1].detail) if last else ("queued", "")
            row["why"] = f"{state_words(state)} {detail}".strip()
    out = [
        {"id": n, "name": district.nodes[n].name, "area": district.nodes[n].area, **r}
        for n, r in sorted(rows.items(), key=lambda x: (x[1]["sounded"], x[0]))
    ]
    return {
        "told": len(out),
        "sounded": sum(bool(r["sounded"]) for r in out),
        "silent": [r["id"] for r in out if not r["sounded"]],
        "rows": out,
    }


def blind(
    district: District, records: Sequence[object], begin: int, end: int
) -> list[dict[str, Any]]:
    """Stations and loudspeakers that the rule `silence` held silent meanwhile: from when to when."""
    named: Mapping[str, Any] = {**district.stations, **district.nodes}
    spans: dict[str, list[int]] = {}
    areas: dict[str, set[str]] = defaultdict(set)
    last: dict[str, set[str]] = {}
    said = [r for r in records if isinstance(r, Detection) and r.rule == "silence" and r.coverage]
    for d in sorted(said, key=lambda d: d.detected_at):
        silent = set(d.coverage.silent) if d.coverage else set()
        for s in silent | last.get(d.area, set()):
            if s in silent:
                areas[s].add(d.area)
            span = spans.setdefault(s, [d.detected_at, d.detected_at])
            span[1] = max(span[1], d.detected_at)
        last[d.area] = silent
    still = set().union(*last.values()) if last else set()
    return [
        {"id": s, "name": named[s].name if s in named else s, "from_at": a,
         "until_at": None if s in still else b, "areas": sorted(areas[s])}
        for s, (a, b) in sorted(spans.items(), key=lambda x: (x[1][0], x[0]))
        if a <= end and (s in still or b >= begin)
    ]  # fmt: skip
