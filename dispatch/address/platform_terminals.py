"""The terminals of broadcast platforms as what sounds in an area. Pure.

Only what is known counts: a terminal that is on, whose place was told, and how far it is heard, which the
platform never tells (`range_m` of its row). All of one platform hang on that platform, as nodes do on a
tower.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from config.language import Text
from config.records.district import Area, District, Node
from dispatch.records import Terminal

# GD/J 2018: on, recovered, broadcasting
ON = frozenset({"1", "4", "5"})
STATE: dict[str, Text] = {
    "1": Text("正常", "on"),
    "2": Text("关闭", "off"),
    "3": Text("故障", "fault"),
    "4": Text("已恢复", "recovered"),
    "5": Text("播发中", "broadcasting"),
}
UNTOLD = Text("状态未报", "state not told")
_SOUNDS = frozenset({"DT", "BS"})
Told = Mapping[str, Mapping[str, Terminal]]  # platform -> code -> terminal


class Counted(NamedTuple):
    """Of one platform. states: state -> how many. placed: those that count in an area."""

    platform: str
    all: int
    states: dict[str, int]
    placed: int


def sounding(district: District, told: Told) -> list[Node]:
    """Those that count, as nodes of no area."""
    ranges = {row.name: row.platform.range_m for row in district.channels.carriers()}
    found = []
    for platform, there in told.items():
        for t in there.values():
            if not (_counts(t) and ranges.get(platform)) or t.lon is None or t.lat is None:
                continue
            name = t.name or t.code
            found.append(
                Node(
                    id=f"{platform}/{t.code}", name=name, name_en=name, area="", lon=t.lon, lat=t.lat,
                    range_m=ranges[platform], interval_s=0, silent_after_s=0, tower=platform,
                )
            )  # fmt: skip
    return found


def _counts(t: Terminal) -> bool:
    return t.kind in _SOUNDS and t.state in ON


_NEAR = 0.15  # degrees: no loudspeaker is heard over ten kilometres


def near(area: Area, nodes: list[Node]) -> list[Node]:
    """Those that may be heard in the area."""
    ring = area.polygon or ((area.lon, area.lat),)
    west, east = min(x for x, _ in ring) - _NEAR, max(x for x, _ in ring) + _NEAR
    south, north = min(y for _, y in ring) - _NEAR, max(y for _, y in ring) + _NEAR
    return [n for n in nodes if west <= n.lon <= east and south <= n.lat <= north]


def counted(district: District, told: Told) -> Iterator[Counted]:
    """Each platform's terminals by state."""
    placed = Counter(n.tower for n in sounding(district, told))
    for platform, there in sorted(told.items()):
        terminals = [t for t in there.values() if t.kind in _SOUNDS]
        states = Counter(t.state for t in terminals)
        yield Counted(platform, len(terminals), dict(sorted(states.items())), placed[platform])


def line_of(c: Counted) -> Text:
    """One platform's terminals as a line."""
    words = [STATE.get(s, UNTOLD) + f" {n}" for s, n in c.states.items()]
    line = Text(
        f"应急广播平台 {c.platform}：终端 {c.all}",
        f"broadcast platform {c.platform}: {c.all} terminals",
    )
    for n, part in enumerate(words):
        line = line + (Text("，", ", ") if n else Text("：", ": ")) + part
    without = c.all - c.placed
    if without:
        line = line + Text(
            f"；{without} 个不计入覆盖（未开、无坐标或响距未知）",
            f"; {without} do not count for coverage (off, no place, or range not known)",
        )
    return line
