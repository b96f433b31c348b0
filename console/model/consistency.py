"""The auditor's questions: does everything that the line said go on moving? A fold of the same records
that the screen shows. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from config.language import Said, Text, text_of
from config.records.level import Action, Level
from console.model.view import ENDED, Sent, View
from detectors.detection import Detection
from dispatch.records import Alert, Decision, Delivery
from stream.records import Run

STANDS_MS = 120_000  # time passes in a live line at least every few seconds
STEP_MS = 60_000  # from one stage to the next, with room for a rebalance
CHECKS = (
    "line_stands", "not_decided", "overdue", "not_addressed", "stuck", "wrong_status", "wrong_run",
    "unproven",
)  # fmt: skip
UNPROVEN_MS = 3_600_000  # so long it stands that somebody acted in a name without proof


class Finding(NamedTuple):
    """Something that should not be."""

    check: str  # of CHECKS
    subject: str  # ids of the line, never a person's data
    words: Said

    @property
    def text(self) -> Text:
        """The finding as one line."""
        return f"{self.check} {self.subject}: " + text_of(self.words)


class Audit:
    """Take records, then ask. view: one that somebody else folds the same records into, before; ours:
    the run that it is looked for, where no view is given."""

    def __init__(self, view: View | None = None, ours: Run | None = None) -> None:
        self.view, self._folds = view or View(ours=ours), view is None
        self._any = False
        self._spoke: dict[tuple[str, str], Detection] = {}  # area, hazard: the first to speak
        self._addressed: set[tuple[str, int]] = set()
        self._wrong: dict[str, str] = {}
        self._spoken_for: dict[str, str] = {}  # delivery -> the one whose words are its
        self._unproven: dict[str, tuple[int, Decision]] = {}  # hash -> when it was seen

    def take(self, record: object) -> None:
        """Fold one record in."""
        if self._folds:
            self.view.take(record)
        self._any = True
        match record:
            case Run():
                self._kind()
            case Detection() if record.level > Level.NONE or record.action > Action.NONE:
                self._spoke.setdefault((record.area, record.hazard), record)
            case Delivery():
                self._addressed.add((record.alert, record.version))
                self._spoken_for.update(dict.fromkeys(record.covers, record.id))
                self._status(f"{record.alert}/{record.version}", record.status)
            case Decision() if record.unproven and record.hash:
                # when it was made is what it says itself; the line's clock is not
                self._unproven[record.hash] = self.view.clock_at, record
            case Alert():
                self._status(f"{record.id}/{record.version}", record.status)
            case _:
                pass

    def _kind(self) -> None:
        for subject, status in list(self._wrong.items()):
            if (status == "actual") == self.view.live:
                del self._wrong[subject]

    def _status(self, subject: str, status: str) -> None:
        known = self.view.ours or self.view.run
        if known is None or (status == "actual") != self.view.live:
            self._wrong[subject] = status

    def findings(self, now: int) -> Iterator[Finding]:
        """What cannot be explained at `now` (ms; a live run: the wall clock, an exercise: the
        scenario's)."""
        view = self.view
        for name in view.strays:
            words = Text("写进了别的运行的日志", "speaks in the log of another run")
            yield Finding("wrong_run", name, words)
        if view.run is None:
            if self._any:
                words = Text("日志没说是哪个运行", "the log does not say what run it is")
                yield Finding("wrong_run", "-", words)
            return
        if now - view.clock_at > STANDS_MS:
            seconds = (now - view.clock_at) // 1000
            words = Text(f"全线已停 {seconds} 秒", f"no time has passed for {seconds} s")
            yield Finding("line_stands", "clock", words)
        yield from self._not_decided(now)
        for alert in view.open_alerts():
            subject = f"{alert.id}/{alert.version}"
            deadline = alert.deadline_at
            if alert.state == "proposed" and deadline and now - deadline > STEP_MS:
                words = Text(
                    "超过期限无人决定，也未升级", "past its deadline, not decided nor escalated"
                )
                yield Finding("overdue", subject, f"{alert.area} {alert.hazard}: " + words)
            if now - alert.sent_at > STEP_MS and not self._reaches(alert):
                words = Text("没有任何接收者", "was addressed to nobody")
                yield Finding("not_addressed", subject, f"{alert.area} {alert.hazard}: " + words)
        for sent in view.sent.values():
            late = now - sent.delivery.expires_at > STEP_MS
            idle = _idle(sent, now) and not self._goes_with(sent, now)
            if sent.state not in ENDED and (late or idle):
                state = f"{sent.channel} {sent.state}: "
                words = state + Text("未完也未动", "neither ended nor moving")
                yield Finding("stuck", sent.delivery.id, words)
        for subject, status in self._wrong.items():
            here = "live" if view.live else "exercise"
            yield Finding(
                "wrong_status", subject, Text(f"{status} 在 {here} 里", f"{status} in {here}")
            )
        for name, (at, d) in self._unproven.items():
            if now - at < UNPROVEN_MS:
                act = f"{d.by} {d.act} {d.area}: {d.unproven}"
                words = act + Text("，有人冒名？", ": in whose name, by whom?")
                yield Finding("unproven", name[:16], words)

    def _reaches(self, alert: Alert) -> bool:
        """Somebody was addressed by this version, or by an earlier one that says the same."""
        same = [
            a
            for a in self.view.first.get(alert.id, ())
            if (a.level, a.action, a.public) == (alert.level, alert.action, alert.public)
        ]
        return any((a.id, a.version) in self._addressed for a in same)

    def _goes_with(self, sent: Sent, now: int) -> bool:
        """Another message says it too, and that one moves, or waits for its time: it may wait long for an
        answer."""
        other = self.view.sent.get(self._spoken_for.get(sent.delivery.id, ""))
        return other is not None and not _idle(other, now)

    def _not_decided(self, now: int) -> Iterator[Finding]:
        known = {(a.area, a.hazard) for a in self.view.alerts.values()}
        for d in self._spoke.values():
            if now - d.detected_at > STEP_MS and (d.area, d.hazard) not in known:
                words = f"{d.rule}: " + Text("检测未成预警", "no warning came of it")
                yield Finding("not_decided", f"{d.area}/{d.hazard}", words)


def _idle(sent: Sent, now: int) -> bool:
    """Nobody has begun with it though it might go: what gathers at night, or is kept until a resident's quiet
    hours are over, has its time still before it."""
    return sent.state == "queued" and now - max(sent.at, sent.delivery.not_before) > 2 * STEP_MS
