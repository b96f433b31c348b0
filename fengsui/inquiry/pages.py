"""The two pages of a pack: one that a commission reads, by the minute and by the village, and one that a lawyer
checks, each statement with the records it rests on. Complete in themselves, to print (A4), and made of the
pack's own records.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from config.language import LANGUAGES, Language, Text
from config.load import ConfigError, load
from config.records.district import District
from console.model.shift_log import ACT, OUTCOME, asked
from detectors.detection import Detection
from dispatch.words.local_time import local
from fengsui.inquiry.account import (
    KIND_WORDS,
    KINDS,
    Statement,
    account,
    by_minute,
    by_village,
    ranges,
)
from fengsui.inquiry.chain import Chained
from fengsui.inquiry.known import Known, record_of
from fengsui.inquiry.left_out import NAMED, PERSONAL
from fengsui.inquiry.moment import place
from fengsui.inquiry.seal import PackManifest, PackWish, groups
from fengsui.inquiry.software import bill, source_digest
from fengsui.inquiry.span import Incident
from fengsui.review.after_action import assess, reported_truth
from fengsui.review.page import seconds
from fengsui.review.paper import render
from fengsui.review.targets import read_plan
from stream.records import Run

_DAY = "%Y-%m-%d %H:%M"


def told(
    district: District,
    incident: Incident,
    shown: Sequence[Known],
    lines: Sequence[Chained],
    wish: PackWish,
    key: str,
    now: int,
) -> tuple[list[Statement], dict[str, bytes]]:
    """What a pack tells, of its own records and tables alone: the statements, and the files that hold them."""
    statements = account(district, shown)
    pages = Pages(district, incident, shown, statements, lines, wish, key, now)
    found = {"account.json": msgspec.json.encode(statements)}
    for language in (x for x in LANGUAGES if x != "both"):
        end = ".html" if language == "zh" else f".{language}.html"
        found[f"commission{end}"] = pages.commission(language).encode()
        found[f"lawyer{end}"] = pages.lawyer(language).encode()
    return statements, found


class Pages:
    """key: the public key that signs, in hex. now: when they are made (ms)."""

    def __init__(
        self,
        district: District,
        incident: Incident,
        shown: Sequence[Known],
        statements: Sequence[Statement],
        lines: Sequence[Chained],
        wish: PackWish,
        key: str,
        now: int,
    ) -> None:
        self._district, self._incident, self._lines = district, incident, lines
        self._statements = statements
        records = [seen.record for seen in shown if seen.record is not None]
        runs = [r for r in records if isinstance(r, Run)]
        self._given = {
            "district": district,
            "incident": incident,
            "exercise": any(r.kind != "live" for r in runs),
            "run": runs[0].name if runs else "",
            "configs": sorted({r.config for r in records if isinstance(r, Run | Detection)} - {""}),
            "rules": sorted({r.rules for r in records if isinstance(r, Detection)} - {""}),
            "wish": wish,
            "named": [NAMED[x] for x in PERSONAL if x in wish.named],
            "away": [NAMED[x] for x in PERSONAL if x not in wish.named],
            "key": groups(key),
            "made": local(now, district.timezone, _DAY),
            "whole": lambda ms: local(ms, district.timezone, _DAY),
            "at": self._at,
            "seconds": seconds,
            "place": lambda area: place(district, area) if area else Text("全区", "the district"),
            "kinds": KIND_WORDS,
            "lines": len(lines),
        }
        self._records = records

    def _at(self, ms: int | None) -> str:
        days = {
            local(x, self._district.timezone, "%m-%d")
            for x in (self._incident.begin_at, self._incident.end_at)
        }
        form = "%H:%M" if len(days) == 1 else "%d %H:%M"
        return "–" if ms is None else local(ms, self._district.timezone, form)

    def commission(self, language: Language) -> str:
        """By the minute and by the village."""
        found = assess(
            self._district,
            self._records,
            read_plan(None, self._district.folder),
            reported_truth(self._records),
            incident=self._incident.id,
        )
        return render(
            "commission.html.j2",
            language,
            a=found,
            minutes=by_minute(self._statements),
            villages=by_village(self._statements),
            order=KINDS,
            acts=ACT,
            outcome=OUTCOME,
            asked=asked,
            other="中文" if language == "en" else "English",
            **self._given,
        )

    def lawyer(self, language: Language) -> str:
        """A statement a row, with topic, offsets, digest and entry of the ledger."""
        rows = [(s, self._rests(s)) for s in self._statements]
        return render("lawyer.html.j2", language, rows=rows, **self._given)

    def _rests(self, statement: Statement) -> list[dict[str, object]]:
        """What a statement rests on: a row each topic and partition."""
        of: dict[tuple[str, int], list[Chained]] = {}
        for n in statement.rests:
            line = self._lines[n - 1]
            of.setdefault((line.topic, line.partition), []).append(line)
        return [
            {
                "topic": topic,
                "partition": part,
                "offsets": ranges(x.offset for x in lines),
                "lines": ranges(x.n for x in lines),
                "ledger": ranges(x.ledger[1] for x in lines if x.ledger is not None),
                "chain": topic,
                "digest": lines[0].digest if len(lines) == 1 else "",
                "left_out": sorted({f for x in lines for f in x.left_out}),
            }
            for (topic, part), lines in of.items()
        ]


_UNREADABLE: tuple[type[Exception], ...] = (
    *(ConfigError, msgspec.MsgspecError, ArithmeticError, LookupError, TypeError),
)


def retold(
    manifest: PackManifest,
    lines: Sequence[Chained],
    body: Callable[[str], bytes],
    broken: tuple[type[Exception], ...],
) -> dict[str, bytes] | None:
    """What a pack would tell, made again of its records and tables; None where another program made it, which
    may have other words, or the tables cannot be read without people. body: of a file, raises `broken`."""
    faults = (*broken, *_UNREADABLE)
    try:
        version = msgspec.json.decode(body("software/version.json"), type=dict[str, Any])
        mine = version.get("source_sha256") == source_digest()
        if not mine or body("software/sbom.cdx.json") != bill():
            return None
        with tempfile.TemporaryDirectory(prefix="fengsui-audit-") as scratch:
            for name in manifest.files:
                if name.startswith("config/") and ".." not in name.split("/"):
                    file = Path(scratch) / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(body(name))
            begin, end = manifest.begin_at, manifest.end_at
            # the version counts the list of people too, which is not here
            tables = msgspec.structs.replace(
                load(Path(scratch) / "config"), version=manifest.config
            )
            _, made = told(
                tables,
                Incident(manifest.incident, begin, end, frozenset(manifest.alerts)),
                [_known(line) for line in lines],
                lines,
                PackWish(manifest.by, manifest.reason, manifest.named),
                manifest.key,
                manifest.made_at,
            )
    except faults:
        return None
    return made


def _known(line: Chained) -> Known:
    value = bytes(line.value)
    record = record_of(line.topic, value)
    return Known(line.topic, line.partition, line.offset, line.key, value, record, line.at)
