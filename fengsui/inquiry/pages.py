"""The two pages of a pack: one that a commission reads, by the minute and by the village, and one that a lawyer
checks, each statement with the records it rests on. Complete in themselves, to print (A4), and made of the
pack's own records.
"""

from collections.abc import Sequence

from config.language import Language, Text
from config.records.district import District
from console.model.shift_log import ACT, OUTCOME, asked
from detectors.detection import Detection
from dispatch.words.local_time import local
from fengsui.inquiry.account import KIND_WORDS, KINDS, Statement, by_minute, by_village, ranges
from fengsui.inquiry.chain import Chained
from fengsui.inquiry.known import Known
from fengsui.inquiry.left_out import NAMED, PERSONAL
from fengsui.inquiry.moment import place
from fengsui.inquiry.seal import PackWish, groups
from fengsui.inquiry.span import Incident
from fengsui.review.after_action import assess, reported_truth
from fengsui.review.page import seconds
from fengsui.review.paper import render
from fengsui.review.targets import read_plan
from stream.records import Run

_DAY = "%Y-%m-%d %H:%M"


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
