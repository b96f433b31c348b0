"""The first screen at the peak of a storm, and two officers who let out all that waits: how much stands on it,
how many presses and seconds it takes. 51 questions of 32 villages, one district, one run; a second and a third
time while more of them come. What an older build shows stands beside it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.load.duty_room_of import OFFICERS, PASSWORD
from config.language import Text
from fengsui.run.terminal import echo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TREE = Path(__file__).parents[3]
PROGRAM = TREE / "bench" / "load" / "duty_room_of.py"
_VILLAGES, _BOTH = 32, 19  # so 51 questions
_MOST_PRESSES, _MOST_S = 4, 10.0
_PATIENCE_MS = 120_000
_SCREEN = {"width": 1440, "height": 900}
# what of each kind is seen without scrolling; names are no marks
_COUNT = """() => {
  const seen = (e) => { const r = e.getBoundingClientRect();
    return e.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true, opacityProperty: true })
      && r.width && r.height && r.top < innerHeight && r.bottom > 0 && r.left < innerWidth && r.right > 0; };
  return ["button", ".badge", ".leaflet-marker-icon:not(.town,.village-name,.river-name)"]
    .map((s) => [...document.querySelectorAll(s)].filter(seen).length);
}"""


class Room:
    """A duty room of a tree, as a process that is told what to do by lines."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.told = self._answer()
        self.address = str(self.told["address"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the duty room of that tree ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()


@contextmanager
def room(tree: Path, *words: str) -> Iterator[Room]:
    """words: of bench/load/duty_room_of.py."""
    env = {**os.environ, "PYTHONPATH": str(tree), "FENGSUI_LANG": "zh"}
    with subprocess.Popen(
        [sys.executable, "-P", str(PROGRAM), *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=env,
    ) as process:  # fmt: skip
        try:
            yield Room(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


class Screen(NamedTuple):
    """How many of each stand on the first screen."""

    buttons: int
    badges: int
    markers: int


def first_screen(tree: Path, browser: "Browser") -> Screen:
    """At the peak: all 51 questions wait."""
    with room(tree, "peak") as desk:
        desk.ask(f"ask {_VILLAGES} {_BOTH} 0")
        page = _enter(browser, desk.address, OFFICERS[0][0], "/")
        _wait(page, "document.querySelectorAll('.leaflet-marker-icon').length > 10")
        _wait(page, "document.body.innerText.includes('51')")
        page.wait_for_timeout(1000)  # what is loaded after the first picture is there
        found = page.evaluate(_COUNT)
        page.context.close()
    return Screen(*found)


class Flow(NamedTuple):
    presses: int
    seconds: float
    released: int


def two_officers(browser: "Browser", *, meanwhile: bool) -> Flow:
    """Both press the highlighted button as soon as it can be pressed, and nothing else. meanwhile: a new
    question comes after each press."""
    with room(TREE, "peak") as desk:
        desk.ask(f"ask {_VILLAGES} {_BOTH} 0")
        one, other = (_enter(browser, desk.address, name, "/#/warnings") for name, _ in OFFICERS)
        for page in (one, other):
            _wait(page, "document.querySelectorAll('[data-state=proposed]').length === 51")
        begun, presses, news = time.monotonic(), 0, iter(range(_VILLAGES, _VILLAGES + 8))
        for page, act in ((one, "approve"), (other, "release")):
            for press in (f".many .main-act[data-many={act}]", "dialog.confirm .main-act:enabled"):
                page.locator(press).click()
                presses += 1
                if meanwhile:
                    desk.ask(f"ask 1 0 {next(news)}")
        _wait(other, "document.querySelectorAll('[data-state=released]').length >= 51 || "
              "!document.querySelector('dialog.confirm')")  # fmt: skip
        seconds = time.monotonic() - begun
        released = int(other.locator("[data-state=released]").count())
        for page in (one, other):
            page.context.close()
    return Flow(presses, seconds, released)


def _enter(browser: "Browser", address: str, name: str, path: str) -> "Page":
    page = browser.new_context(locale="zh-CN", viewport=_SCREEN).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(_PATIENCE_MS)
    page.goto(address + path)
    page.get_by_label("用户名").fill(name)
    page.get_by_label("口令").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.locator("body[data-ready='1']").wait_for()
    return page


def _wait(page: "Page", what: str) -> None:
    """The pages allow no evaluation of strings by themselves, so it is asked again and again."""
    until = time.monotonic() + _PATIENCE_MS / 1000
    while not page.evaluate(f"() => Boolean({what})"):
        if time.monotonic() > until:
            raise RuntimeError(f"{what}: not so within {_PATIENCE_MS // 1000} s")
        page.wait_for_timeout(50)


def tell_peak(browser: "Browser", older: Path | None, revision: str) -> None:
    """Lines of what is on the screen and of the two officers."""
    here = first_screen(TREE, browser)
    there = first_screen(older, browser) if older else None
    names = (
        Screen._fields,
        (Text("按钮", "buttons"), Text("标签", "badges"), Text("地图标记", "markers")),
    )
    for field, words in zip(*names, strict=True):
        n = getattr(here, field)
        if there is None:
            echo("  " + Text("高峰首屏 ", "first screen at the peak, ") + words + f": {n}")
            continue
        was = getattr(there, field)
        mark = "✓" if 2 * n <= was else "✗"
        aim = Text(f"（目标：不过 {revision} 的一半）", f" (aim: at most half of {revision})")
        ratio = f"{n} / {was} = {n / was:.2f}"
        echo(
            f"{mark} "
            + Text("高峰首屏 ", "first screen at the peak, ")
            + words
            + f": {ratio}"
            + aim
        )
    for meanwhile in (False, True):
        flow = two_officers(browser, meanwhile=meanwhile)
        mark = "✓" if flow.presses <= _MOST_PRESSES and flow.seconds <= _MOST_S else "✗"
        how = Text("，其间不断有新的", ", while more come") if meanwhile else Text("", "")
        echo(
            f"{mark} "
            + Text("两人办完 32 村 51 份", "two officers, 51 questions of 32 villages")
            + how
            + Text(
                f"：按 {flow.presses} 次，{flow.seconds:.1f} 秒（目标：{_MOST_PRESSES} 次、{_MOST_S:g} 秒）",
                f": {flow.presses} presses, {flow.seconds:.1f} s (aim: {_MOST_PRESSES}, {_MOST_S:g} s)",
            )
        )
