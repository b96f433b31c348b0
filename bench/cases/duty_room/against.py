"""The duty room beside an older build, in the same run: both trees' own servers take turns under the load that
each writes itself, and one way of measuring looks at both."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cases.duty_room.measure import Seen, There, measure, middle, part
from bench.cases.duty_room.peak import TREE, room
from config.language import Text

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BEFORE = "ecce29f"  # the last build before the duty room's second edition


def lend(tree: Path) -> None:
    """The third-party JavaScript, which stands in no revision."""
    shutil.copytree(
        TREE / "console/static/vendor", tree / "console/static/vendor", dirs_exist_ok=True
    )


def beside(
    older: Path,
    revision: str,
    shape: tuple[int, int],
    how: tuple[int, int, int],
    browser: "Browser",
) -> Iterator[Text]:
    """A line each figure: this tree's and the revision's, medians of the rounds, and their ratio. how: seconds
    of a part, streams, rounds."""
    seconds, browsers, rounds = how
    seen: dict[Path, list[Seen]] = {TREE: [], older: []}
    for n in range(rounds):
        for tree in (TREE, older) if n % 2 else (older, TREE):
            with room(tree, "load", *map(str, shape)) as of:
                seen[tree].append(measure(There(of), browser, browsers, seconds))
    yield Text(
        f"{shape[0]} 站，{shape[1]} 区，{browsers} 个页面流；本版与 {revision} 轮流 {rounds} 次",
        f"{shape[0]} stations, {shape[1]} areas, {browsers} streams; this tree and {revision}, {rounds} turns",
    )
    figures: tuple[tuple[Text, str, Callable[[Seen], float]], ...] = (
        (Text("首次加载", "first load"), "kB", lambda s: middle(o.kb for o in s.opened)),
        (Text("页面就绪", "page ready"), "s", lambda s: middle(o.ready_s for o in s.opened)),
        (
            Text("页面自己的 CPU", "the page's own CPU"),
            "s",
            lambda s: middle(o.work_s for o in s.opened),
        ),
        (Text("更新上屏，p99", "update drawn, p99"), "ms", lambda s: part(s, 0.99)),
        (Text("服务器，一核的", "server, of a core"), "", lambda s: s.core),
    )
    for words, unit, of_ in figures:
        here, there = (middle(map(of_, seen[tree])) for tree in (TREE, older))
        mark = "✓" if here <= there * 1.05 else "✗"
        yield f"{mark} " + words + f": {here:.3g} / {there:.3g} {unit} = {here / there:.2f}"
