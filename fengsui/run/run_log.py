"""The log of a run, which stages there are and what each of them reads, and where its pictures lie: what
everybody needs who looks at a run, without the stages themselves."""

from pathlib import Path

from fengsui.run.setup import Setup
from stream.log.open import open_log
from stream.log.port import Log

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
    """The log of this run."""
    d = setup.district
    return open_log(setup.log, setup.run.name, d.id, d.partitions, d.retention_days)


def frames_folder(setup: Setup) -> Path:
    """Where the pictures of this run lie."""
    return setup.folder / "frames"
