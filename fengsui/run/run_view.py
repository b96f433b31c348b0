"""What the log of a run says, folded."""

from console.model.follow import Follower
from console.model.view import View
from fengsui.run.setup import Setup
from stream.log.port import Log
from stream.records import Run
from stream.wall_clock import now_ms

_TOPICS = ("observations", "cases", "alerts", "deliveries")


def view_of(log: Log, ours: Run | None = None) -> View:
    """Everything in the log, folded. ours: the run that is asked about."""
    view = View(ours=ours)
    for _, record in Follower(log, _TOPICS).take():
        view.take(record)
    return view


def alerts_view(log: Log) -> View:
    """Warnings, decisions' places and the clock; nothing else is read."""
    view = View()
    for _, record in Follower(log, ("alerts",)).take():
        view.take(record)
    return view


def run_clock(setup: Setup, view: View) -> int:
    """Now, by the run's own clock (ms)."""
    return now_ms() if setup.live else view.clock_at
