"""What a page is asked about everybody's use of it, by axe."""

from tests.support.console_pages import AXE, Seat


def no_serious_fault(seat: Seat) -> None:
    seat.page.add_script_tag(path=AXE)
    found = seat.page.evaluate("axe.run(document)")["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
