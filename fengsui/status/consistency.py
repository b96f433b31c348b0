"""The auditor: does everything that the line said go on moving?

The questions stand in console/model/consistency.py. What it cannot explain is a finding: said, counted in
`fengsui_audit_unexplained`, and told to the outside heartbeat, which also notices when all of this
is dead. It writes nothing into the line.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from config.language import Text, en, text_of, zh
from config.records.level import Level
from console.model.consistency import CHECKS, Audit, Finding
from console.model.follow import Follower
from console.model.view import View
from fengsui.review.slo import Slo, SloRow
from fengsui.run.terminal import echo
from stream import metrics
from stream.http.client import ask
from stream.log.port import Log, Unavailable
from stream.oplog import say
from stream.records import Run

_EVERY_S = 5.0
_BEAT_S = 60.0
_SLO_S = 60.0
_ANSWER_BYTES = 4096


def run_audit(
    log: Log,
    now: Callable[[], int],
    run: Run,
    heartbeat: str,
    stop: threading.Event,
    slo: Slo | None = None,
) -> None:
    """Audit until `stop`. heartbeat: a URL that is fetched every minute, with /fail behind it while
    there are findings; whoever watches it calls somebody when it stays away. slo: counts the promises
    besides."""
    if heartbeat and not heartbeat.startswith(("http://", "https://")):
        raise ValueError(
            Text(
                "FENGSUI_HEARTBEAT: 应写 http://… 或 https://…",
                "FENGSUI_HEARTBEAT: write http://… or https://…",
            )
        )
    audit, follower, live = Audit(ours=run), Follower(log), run.kind == "live"
    said: set[tuple[str, str]] = set()
    beat_at, slo_at = 0.0, 0.0
    with metrics.pulse("audit") as pulse:
        while not stop.is_set():
            try:
                for _, record in follower.take():
                    audit.take(record)
                    if slo is not None:
                        slo.take(record)
                pulse.beat()
            except Unavailable as e:
                say("audit", text_of(e) + Text("；再试", "; trying again"))
                pulse.beat(text_of(e))
            found = list(audit.findings(now() if live else audit.view.clock_at))
            for finding in found:
                if finding[:2] not in said:
                    say("audit", finding.text, check=finding.check, subject=finding.subject)
            said = {f[:2] for f in found}
            _publish(audit.view, found)
            if slo is not None and slo.dirty and time.monotonic() - slo_at >= _SLO_S:
                slo_at = time.monotonic()
                promises(slo.rows(now() if live else audit.view.clock_at))
            if heartbeat and time.monotonic() - beat_at >= _BEAT_S:
                beat_at = time.monotonic()
                _beat(heartbeat, well=not found and not pulse.waits_for)
            stop.wait(_EVERY_S)


def _publish(view: View, found: list[Finding]) -> None:
    counts = Counter(f.check for f in found)
    for check in CHECKS:
        metrics.UNEXPLAINED.labels(check).set(counts[check])
    levels = Counter(a.level for a in view.open_alerts())
    for level in Level:
        metrics.OPEN_WARNINGS.labels(level.name.lower()).set(levels[level])
    metrics.SILENT.set(len(view.silent()))
    metrics.AUDITED_AT.set_to_current_time()


def promises(rows: list[SloRow]) -> None:
    """The intervals as metrics, each with its target; what was never due has no longest."""
    for row in rows:
        metrics.SLO_DUE.labels(row.hop).set(row.due)
        metrics.SLO_IN_TIME.labels(row.hop).set(row.in_time)
        metrics.SLO_TARGET.labels(row.hop).set(row.share)
        metrics.SLO_LEFT.labels(row.hop).set(row.left)
        if row.longest is not None:
            metrics.SLO_LONGEST.labels(row.hop).set(row.longest)


def _beat(url: str, *, well: bool) -> None:
    # nobody hears it: that is just what the other end notices
    with suppress(OSError):
        ask(
            "GET", url if well else f"{url}/fail", {}, limit=_ANSWER_BYTES, timeout_s=10.0, whole_s=10.0,
            proxies=True, redirects=10,
        )  # fmt: skip


def audit_once(log: Log, now: int, run: Run) -> int:
    """Print what cannot be explained; 1 if there is anything."""
    audit, live = Audit(ours=run), run.kind == "live"
    for _, record in Follower(log).take():
        audit.take(record)
    found = list(audit.findings(now if live else audit.view.clock_at))
    for finding in found:
        echo(finding)
    if not found:
        words = Text(
            f"{len(audit.view.alerts)} 预警，{len(audit.view.sent)} 发送",
            f"{len(audit.view.alerts)} warnings, {len(audit.view.sent)} deliveries",
        )
        echo(Text(f"皆有交代：{zh(words)}", f"all explained: {en(words)}"), err=True)
    return 1 if found else 0
