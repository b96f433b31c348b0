"""axe-core on every page of the duty room, by day and by night: nothing above minor."""

import re

import pytest

from config.records.level import Action, Level
from stream.log.port import Log
from tests.support.console_pages import AXE, COUNTED, Desk, Seat, cases, comes_true, red, sync_api
from tests.support.decide_district import seen
from tests.support.rooms import ROOT

pytestmark = pytest.mark.usefixtures("here")
LOADED = re.findall(
    r'name: "([a-z]+)"', (ROOT / "console" / "static" / "main.js").read_text("utf-8")
)
PAGES = ["situation", "warnings", *LOADED]


@pytest.mark.parametrize("theme", ["night", "day"])
def test_axe_finds_nothing_above_minor_on_any_page(
    browser: "sync_api.Browser", desk: Desk, log: Log, theme: str
) -> None:
    if not AXE.exists():
        pytest.fail("axe-core is not here: bash deploy/console.sh dev")
    cases(
        log,
        red("A01"),
        seen(40, Level.ORANGE, Action.MOVE, area="A02"),
        seen(40, Level.BLUE, area="A03"),
    )
    seat = Seat(browser, desk, bypass_csp=True)
    seat.context.add_init_script(f"localStorage.setItem('theme', '{theme}');{COUNTED}")
    page = seat.enter("wang")
    page.locator("[data-area=A01]").wait_for()
    page.add_script_tag(path=AXE)
    bad = []
    for name in PAGES:
        page.evaluate(f"location.hash = '#/{name}'")
        page.locator(f"body[data-page={name}]").wait_for()
        page.locator("#main > *").first.wait_for()
        comes_true(page, "window.waits === 0")  # what it asked for when it was opened has come
        bad += faults(page, name)
        if name == "situation":
            page.locator("[data-area=A01]").click()
            page.locator("[data-ahead=A01]").wait_for()
            bad += faults(page, "a village")
    seat.page.goto(f"{desk.address}/wall")
    page.locator(".late-clock").wait_for()
    page.add_script_tag(path=AXE)
    bad += faults(page, "wall")
    seat.context.close()
    assert bad == []


def faults(page: sync_api.Page, where: str) -> list[tuple[str, str, list[str]]]:
    """Of all that stands there now."""
    return [
        (where, v["id"], [n["html"][:120] for n in v["nodes"]])
        for v in page.evaluate("axe.run(document)")["violations"]
        if v["impact"] != "minor"
    ]
