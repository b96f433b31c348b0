"""What a stage tells its operators: counters for Prometheus, whether it is alive, whether it works.

Every metric stands in this one table. Names and labels never carry a person, a text or a place.
`serve` answers on one port of the process: /metrics (Prometheus), /healthz (503: a stage hangs,
start it again), /readyz (503: it waits for a server or has not begun).
"""

import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from config.language import Said, Text
from stream.environment import spoken

# of a pulse: the member stands by for the others of its group
NONE_HELD = Text("没有分区，待命", "no partition: stands by")
HANGS_S = 60.0  # a pass takes milliseconds, a server that is away at most 30 s
_WAIT_S = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)

RECORDS_IN = Counter("fengsui_records_in", "records read", ["stage", "topic"])
RECORDS_OUT = Counter("fengsui_records_out", "records committed", ["stage", "topic"])
DEAD_LETTERS = Counter("fengsui_dead_letters", "bad input kept aside", ["stage", "reason"])
CUT = Counter("fengsui_http_cut", "connections that were cut", ["door", "why"])
CAP_DEVIATIONS = Counter("fengsui_cap_deviations", "CAP not as it should be", ["source"])
READINGS = Counter("fengsui_readings", "values taken in", ["stage", "quantity"])
FLAGS = Counter("fengsui_quality_flags", "values by QARTOD flag, as ingest sets it", ["flag"])
REPEATED = Counter("fengsui_readings_repeated", "readings without a time, said again")
RESIDENTS = Counter("fengsui_residents", "residents' subscriptions, step by step", ["way", "what"])
DELIVERIES = Counter("fengsui_deliveries", "steps of deliveries", ["channel", "state"])
ROUTE_UP = Gauge("fengsui_route_up", "1: the way out works", ["channel", "carrier"])
PROBED_AT = Gauge("fengsui_probe_timestamp_seconds", "when the ways out were last asked")
COMMIT_FAILURES = Counter("fengsui_commit_failures", "commits to be done again", ["stage"])
REFUSED = Counter("fengsui_history_refused", "values that history refuses", ["kind"])
LAG_RECORDS = Gauge("fengsui_lag_records", "records not yet read", ["stage", "topic", "partition"])
LAG_SECONDS = Gauge("fengsui_lag_seconds", "age of the newest record stepped", ["stage"])
OWNED = Gauge("fengsui_partitions_owned", "partitions of this member", ["stage"])
UP = Gauge("fengsui_up", "1: the stage's loop turns", ["stage"])
RUN = Gauge("fengsui_run", "1: of this kind is the run this process works for", ["kind"])
HOP = Histogram("fengsui_hop_seconds", "from receipt to step", ["stage"], buckets=_WAIT_S)
COMMIT = Histogram("fengsui_commit_seconds", "time of a commit", ["stage"], buckets=_WAIT_S)
PICTURES_DELETED = Counter("fengsui_pictures_deleted", "pictures past their time", ["purpose"])
PICTURES_HELD = Gauge("fengsui_pictures_held", "past their time, kept for a reason")
OPEN_WARNINGS = Gauge("fengsui_open_warnings", "warnings in force or waiting", ["level"])
SILENT = Gauge("fengsui_silent_stations", "stations and nodes that do not report")
CLOCK_STEP = Gauge("fengsui_clock_step_seconds", "the wall clock against the line's clock")
CLOCK_KEPT = Gauge(
    "fengsui_clock_kept", "1: a time service keeps the clock, 0: none, -1: not known"
)
UNEXPLAINED = Gauge("fengsui_audit_unexplained", "what the auditor cannot explain", ["check"])
SLO_DUE = Gauge("fengsui_slo_due", "of an interval, what was due in 30 days", ["interval"])
SLO_IN_TIME = Gauge("fengsui_slo_in_time", "of that, what came in time", ["interval"])
SLO_TARGET = Gauge("fengsui_slo_target_ratio", "the share that must come in time", ["interval"])
SLO_LEFT = Gauge("fengsui_slo_budget_left", "misses that are left; below 0: spent", ["interval"])
SLO_LONGEST = Gauge("fengsui_slo_longest_seconds", "the longest in 30 days", ["interval"])
AUDITED_AT = Gauge("fengsui_audit_timestamp_seconds", "when the auditor last went through")


class Pulse:
    """A stage's sign of life; `beat` on each pass of its loop."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self._beat_at = time.monotonic()
        self.waits_for: Said = Text("启动中", "starting")  # "": it works
        UP.labels(stage).set(1)

    def beat(self, waits_for: Said = "") -> None:
        """Still here; `waits_for` says why it does not work."""
        self._beat_at = time.monotonic()
        self.waits_for = waits_for

    def age_s(self) -> float:
        """Seconds since the last sign."""
        return time.monotonic() - self._beat_at


class Pulses:
    """Every stage of this process."""

    def __init__(self) -> None:
        self._all: dict[str, Pulse] = {}
        self._run = ""
        self._lock = threading.Lock()

    def of(self, stage: str) -> Pulse:
        """A new one, in place of the stage's last."""
        with self._lock:
            found = self._all[stage] = Pulse(stage)
        return found

    def works_for(self, name: str, kind: str) -> None:
        """What run this process was started for: live, or an exercise."""
        self._run = f"{name} ({kind})"
        RUN.clear()
        RUN.labels(kind).set(1)

    def end(self, stage: str) -> None:
        """The stage ended as it should."""
        with self._lock:
            self._all.pop(stage, None)
        UP.labels(stage).set(0)

    def state(self) -> dict[str, dict[str, Any]]:
        """Stage -> its last sign, and what it waits for."""
        with self._lock:
            return {
                p.stage: {
                    "run": self._run,
                    "alive": p.age_s() < HANGS_S,
                    "ready": not p.waits_for,
                    "beat_s": round(p.age_s(), 1),
                    "waits_for": spoken(p.waits_for),
                }
                for p in self._all.values()
            }


PULSES = Pulses()


@contextmanager
def pulse(stage: str) -> Iterator[Pulse]:
    """A stage's pulse while it runs. After an error it stays, and goes cold."""
    yield PULSES.of(stage)
    PULSES.end(stage)


def count_out(stage: str, topics: Iterable[str]) -> None:
    """These were committed."""
    for topic in topics:
        RECORDS_OUT.labels(stage, topic).inc()


def notify(words: str) -> None:
    """Tell systemd, if it started us (sd_notify(3))."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, suppress(OSError):
        s.sendto(words.encode(), "\0" + path[1:] if path.startswith("@") else path)


def watchdog(stop: threading.Event, every_s: float = 5.0) -> None:
    """Until `stop`: READY once a stage has begun (it may wait for its server), WATCHDOG while none
    hangs; so systemd starts a process again that hangs."""
    ready = False
    while not stop.wait(every_s if ready else 0.5):
        state = PULSES.state().values()
        if state and not ready:
            ready = True
            notify("READY=1")
        if all(s["alive"] for s in state):
            waits = "; ".join(s["waits_for"] for s in state if s["waits_for"])
            notify(f"WATCHDOG=1\nSTATUS={waits or spoken(Text('工作中', 'at work'))}")
    notify("STOPPING=1")


def lags(stage: str, topic: str, unread: Sequence[int]) -> None:
    """How far a stage is behind, by partition."""
    for partition, many in enumerate(unread):
        LAG_RECORDS.labels(stage, topic, str(partition)).set(many)
