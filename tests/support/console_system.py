"""What several tests use, by the one it was written for: console_system."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from console.serve import Listen, serving
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.status.pages import asked
from stream.wall_clock import now_ms
from tests.support.console_pages import AXE, ROOT, Desk, Seat

if TYPE_CHECKING:
    from playwright import sync_api


@pytest.fixture
def room(setup: Setup, desk: Desk) -> Iterator[Desk]:
    """The desk with all that `fengsui console` gives its pages."""
    desk.stop()
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        desk.users,
        Listen(port=desk.port),
        now=now_ms,
        asked=asked(setup, ROOT / "config" / "yanqing"),
    ):
        yield desk


@pytest.fixture
def seat(browser: "sync_api.Browser", room: Desk) -> Iterator[Seat]:
    seat = Seat(browser, room, bypass_csp=True)
    yield seat
    seat.context.close()
    assert seat.faults == []
    assert seat.foreign == []


def no_serious_fault(seat: Seat) -> None:
    seat.page.add_script_tag(path=AXE)
    found = seat.page.evaluate("axe.run(document)")["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
