"""What pages look up as they are asked for. System: how far each stage is behind, room on the disk,
the servers. Config check: what `fengsui check` says of the folder as it is now. Skill: the ledger of
`fengsui skill`. Drills: fengsui/review/drills.py."""

import shutil
from pathlib import Path
from typing import TypedDict

from config.language import Said, Text, text_of
from console.api.routes import Asked
from dispatch.address.coverage import coverage_summary
from fengsui.review import drills
from fengsui.run import threshold_gate
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, shown
from fengsui.status.at_work import at_work, nobodys
from fengsui.status.checked_district import judged
from fengsui.status.scores import kept_score
from fengsui.status.waiting import NOBODY
from skill.report.ledger_json import LedgerJson, as_json
from skill.report.outcomes import scores
from skill.verify.score import Interval, bootstrap

LEAD_MS = 10 * 60_000  # the least lead of a hit, as `fengsui skill` has it by itself


def asked(setup: Setup, folder: Path) -> Asked:
    """For `console.serve.serving`."""
    return {
        "system": lambda: system(setup),
        "check": lambda: check(setup, folder),
        "skill": lambda: skill(setup),
        "drills": lambda: drills.drills(setup, folder),
    }


class StageRow(TypedDict):
    """lag: records that it has not read. owned, partitions: so many of them have an owner. standby: members
    that have none. alone: what nobody has, in words."""

    stage: str
    topic: str
    lag: int
    begun: bool
    owned: int
    partitions: int
    standby: int
    alone: list[Text]


class Disk(TypedDict):
    """Bytes; ours: of the run's own files."""

    folder: str
    free: int
    total: int
    ours: int


class Servers(TypedDict):
    broker: Said
    log: str
    history: str


class System(TypedDict):
    stages: list[StageRow]
    disk: Disk
    servers: Servers


class Check(TypedDict):
    """running, now: versions of the configuration, "" where it cannot be read; proof: who answers for
    the thresholds."""

    folder: str
    running: str
    now: str
    problems: list[Text]
    rules_version: str
    rules: list[str]
    counts: dict[str, int]
    proved: bool
    proof: Said
    warnings: list[Said]


def system(setup: Setup) -> System:
    """Raises Unavailable: the log cannot be reached."""
    log = open_run_log(setup)
    try:
        stages: list[StageRow] = []
        for row in at_work(log):
            stages.append(
                {
                    "stage": row.stage,
                    "topic": row.topic,
                    "lag": sum(row.unread),
                    "begun": any(log.positions(row.topic, row.stage)),
                    "owned": row.partitions - len(row.nobodys),
                    "partitions": row.partitions,
                    "standby": len(row.owners.standby),
                    "alone": list(nobodys(row, setup.district.timezone)),
                }
            )
    finally:
        log.close()
    disk = shutil.disk_usage(setup.folder)
    return {
        "stages": stages,
        "disk": {
            "folder": str(setup.folder),
            "free": disk.free,
            "total": disk.total,
            "ours": sum(_size(f) for f in setup.folder.glob("*.db*")),
        },
        "servers": {
            "broker": shown(setup.broker) or Text("内置", "embedded"),
            "log": shown(setup.log),
            "history": shown(setup.history),
        },
    }


def _size(file: Path) -> int:
    """Of a database's side files one may be gone as soon as it is seen."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def check(setup: Setup, folder: Path) -> Check:
    """What would be refused or warned of if the run started now, and what it did start with."""
    district, problems, proof = judged(folder)
    ours = setup.district
    found: Check = {
        "folder": str(folder),
        "running": ours.version,
        "now": district.version if district else "",
        "problems": [text_of(p) for p in problems],
        "rules_version": ours.rules_version,
        "rules": [*ours.rules.run, *(f"{r.id} ({r.kind})" for r in ours.rules.rule)],
        "counts": {
            "stations": len(ours.stations),
            "areas": len(ours.areas),
            "nodes": len(ours.nodes),
            "contacts": len(ours.contacts),
            "officers": len(ours.officers),
            "rain": len(ours.rain),
            "stage": len(ours.stage),
        },
        "proved": proof is not None,
        "proof": threshold_gate.told(proof) if proof else "",
        "warnings": [],
    }
    if district is not None:
        warnings = [] if district.officers else [NOBODY]
        if proof is None and not problems:
            warnings.append(threshold_gate.unproved(district))
        found["warnings"] = [*warnings, *coverage_summary(district)]
    return found


class Skill(LedgerJson):
    """intervals: of pod, far and csi, 95 %; lead_min: the least lead of a hit; notes: what could not be
    asked."""

    intervals: dict[str, Interval | None]
    lead_min: float
    notes: list[Said]


def skill(setup: Setup) -> Skill:
    """As `fengsui skill --json`, with 95 % intervals of pod, far and csi over the areas."""
    found, notes = kept_score(setup, LEAD_MS)
    by_area = [s.counts for name, s in scores(found).items() if name != "*"]
    return {
        **as_json(found),
        "intervals": bootstrap(by_area),
        "lead_min": LEAD_MS / 60_000,
        "notes": notes,
    }
