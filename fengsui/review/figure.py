"""The picture of a drill or an event: one SVG, a lane a step, time to the right. Pure.

Never colour alone: each lane has its name and its largest value in words."""

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from config.language import Language, Text, choose
from fengsui.review.assessment import Assessment

_WIDTH, _LEFT, _RIGHT = 720, 132, 12
_LANE, _GAP, _TOP = 34, 8, 6
_LEVELS = (("blue", "#1e6fd9"), ("yellow", "#e0b400"), ("orange", "#f57c00"), ("red", "#c40000"))
_HOUR_MS = 3_600_000


class Lane(NamedTuple):
    """A row of the picture: one value a bin. least: so much fills its height at least, or noise would."""

    name: Text
    unit: str
    stacks: tuple[tuple[str, Sequence[float]], ...]  # (colour, value of each bin), from the bottom
    least: float = 0.0


def figure(a: Assessment, clock: Callable[[int], str], language: Language) -> str:
    """clock: a moment -> its local hour as text."""
    lanes = a.lanes
    raised = tuple((colour, lanes.raised[name]) for name, colour in _LEVELS)
    shown = [
        Lane(Text("雨量 10 分钟", "rain in 10 minutes"), "mm", (("#4a90c2", lanes.rain_mm),)),
        Lane(Text("水位上涨", "stage above start"), "m", (("#2c6e63", lanes.stage_m),)),
        Lane(Text("预警升至蓝黄橙红", "raised to a colour"), "", raised),
        Lane(Text("立即转移", "orders to move"), "", (("#7a0019", lanes.move),)),
        Lane(Text("人工决定", "persons' decisions"), "", (("#555555", lanes.decided),)),
        Lane(Text("大喇叭播出", "loudspeakers"), "", (("#8e5bb5", lanes.played),)),
        Lane(Text("叫应", "answers"), "", (("#3c8d2f", lanes.answered),)),
        Lane(Text("成灾", "disasters"), "", (("#000000", lanes.happened),)),
    ]
    return drawn(shown, a.begin_at, lanes.bin_s * 1000, clock, language)


def drawn(
    lanes: Sequence[Lane], begin: int, bin_ms: int, clock: Callable[[int], str], language: Language
) -> str:
    """Lanes of the same bins, the first of which begins at `begin`."""
    height = _TOP + len(lanes) * (_LANE + _GAP) + 22
    count = len(lanes[0].stacks[0][1])
    step = (_WIDTH - _LEFT - _RIGHT) / count
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{choose(Text("过程图", "timeline"), language)}" font-family="sans-serif">'
    )
    parts = [head]
    parts += _hours(begin, bin_ms, count, step, height, clock)
    for n, lane in enumerate(lanes):
        parts += _draw(lane, _TOP + n * (_LANE + _GAP), step, language)
    parts.append("</svg>")
    return "\n".join(parts)


def _hours(
    begin: int, bin_ms: int, count: int, step: float, height: int, clock: Callable[[int], str]
) -> list[str]:
    """A line and a label at full hours, at most twelve."""
    end = begin + count * bin_ms
    apart = _HOUR_MS * max(1, -(-(end - begin) // (_HOUR_MS * 12)))
    parts = []
    for at in range(-(-begin // apart) * apart, end, apart):
        x = _LEFT + (at - begin) / bin_ms * step
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{height - 18}" stroke="#ddd"/>'
            f'<text x="{x:.1f}" y="{height - 6}" font-size="9" text-anchor="middle">'
            f"{escape(clock(at))}</text>"
        )
    return parts


def _draw(lane: Lane, top: int, step: float, language: Language) -> list[str]:
    base = top + _LANE
    totals = [sum(values) for values in zip(*(v for _, v in lane.stacks), strict=True)]
    peak = max(totals, default=0.0)
    said = (
        Text(f"最多 {peak:.3g} {lane.unit}".rstrip(), f"max {peak:.3g} {lane.unit}".rstrip())
        if peak
        else Text("无", "none")
    )
    named = (
        f'<text x="{_LEFT - 6}" y="{top + 12}" font-size="10" text-anchor="end">'
        f"{escape(choose(lane.name, language))}</text>"
        f'<text x="{_LEFT - 6}" y="{top + 26}" font-size="8" fill="#444" text-anchor="end">'
        f"{escape(choose(said, language))}</text>"
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{base}" y2="{base}" stroke="#999"/>'
    )
    parts = [named]
    if not peak:
        return parts
    for n in range(len(totals)):
        y = float(base)
        for colour, values in lane.stacks:
            tall = values[n] / max(peak, lane.least) * (_LANE - 2)
            if tall <= 0:
                continue
            y -= tall
            parts.append(
                f'<rect x="{_LEFT + n * step + 0.4:.1f}" y="{y:.1f}" '
                f'width="{max(1.2, step - 0.8):.1f}" height="{tall:.1f}" fill="{colour}"/>'
            )
    return parts
