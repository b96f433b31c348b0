"""The log of a run, which stages there are and what each of them reads, and where its pictures lie: what
everybody needs who looks at a run, without the stages themselves."""

from pathlib import Path
from urllib.parse import urlsplit

from fengsui.run.setup import Setup
from stream.log.memory import Disk, MemoryLog
from stream.log.open import open_log
from stream.log.port import Log, topics
from stream.log.sqlite import folder_of

STAGES = ("ingest", "detect", "decide", "address", "send", "archive")
READS = {
    "detect": "observations",
    "decide": "cases",
    "address": "alerts",
    "send": "deliveries",
    "archive": "observations",
    # two members beside archive, of its process
    "ledger-alerts": "alerts",
    "ledger-deliveries": "deliveries",
}


def open_run_log(setup: Setup) -> Log:
    """The log of this run. Raises Usage where one that must have begun has not."""
    d = setup.district
    make = setup.live or not setup.begun
    return open_log(setup.log, setup.run.name, d.id, d.partitions, d.retention_days, make=make)


def log_to_look_at(setup: Setup) -> Log:
    """The same for whoever only looks: where nothing has run yet an empty one, and nothing is made on the
    disk."""
    if urlsplit(setup.log).scheme == "sqlite":
        d, name = setup.district, setup.run.name
        if not (folder_of(setup.log) / f"{d.id}.{name}.log.db").exists():
            return MemoryLog(Disk(), topics(d.partitions, d.retention_days))
    return open_run_log(setup)


def frames_folder(setup: Setup) -> Path:
    """Where the pictures of this run lie."""
    return setup.folder / "frames"
