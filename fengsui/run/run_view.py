"""Where a run stands by its warnings alone. The whole of it: `fengsui.status.look`."""

from console.model.follow import Follower
from console.model.view import View
from fengsui.run.setup import Setup
from stream.log.port import Log
from stream.wall_clock import now_ms


def alerts_view(log: Log) -> View:
    """Warnings, decisions' places and the clock; nothing else is read."""
    view = View()
    for _, record in Follower(log, ("alerts",)).take():
        view.take(record)
    return view


def run_clock(setup: Setup, view: View) -> int:
    """Now, by the run's own clock (ms)."""
    return now_ms() if setup.live else view.clock_at
