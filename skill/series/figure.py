"""Pictures of a hindcast: PNG, or one HTML page that holds its pictures and a table.

Performance diagram: POD against success ratio (1 - FAR) with lines of equal CSI and bias, the result
with its bootstrap interval, held-out results, and what other thresholds would give (Roebber 2009,
Weather and Forecasting 24:601–608). Reliability: the chance told against how often it came true.
Timelines: stage or rain around each event with its alarms. Needs matplotlib (extra `figures`).
"""

import html
from base64 import b64encode
from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats
from skill.series.clock import iso
from skill.series.csv_text import SeriesFault
from skill.series.rules import Step
from skill.series.track import Track
from skill.verify.match import Event
from stream.environment import spoken

_MOST = 24  # timelines; a table lists all
_FATE = {
    "hit": Text("命中", "hit"),
    "late": Text("过迟", "late"),
    "miss": Text("漏报", "miss"),
    "unseen": Text("无资料", "unseen"),
}
_FATE_EN = {"hit": "hit", "late": "late (miss)", "miss": "miss", "unseen": "unseen"}
_OTHERS = ("other thresholds, in the tuned sample", "other thresholds, on groups left out")
_COUNTED = (Text("命中", "hits"), Text("漏报", "misses"), Text("空报", "false alarms"))
_AREA = Text("区", "area")
_OF_EVENTS = (
    *(_AREA, Text("开始", "start"), Text("结束", "end")),
    *(Text("结果", "outcome"), Text("提前（min）", "lead (min)")),
)
_OF_FALSE = (
    *(_AREA, Text("规则", "rule")),
    *(Text("空报开始", "false alarm from"), Text("至", "to")),
)
_HEADINGS = (
    *(Text("回放", "Hindcast"), Text("事件", "Events")),
    *(Text("空报", "False alarms"), Text("说明", "Notes")),
)
_COLOUR = {"hit": "#2e7d32", "late": "#ef6c00", "false": "#c62828"}


class FigureFault(SeriesFault):
    """No picture can be made; the text says what to do."""


class Story(NamedTuple):
    """What is drawn of one area. value: what a rule saw at each heard slot, where it is one rule;
    limits: thresholds on it, or without it on the track."""

    area: str
    track: Track
    value: Floats | None
    limits: Sequence[float]
    events: list[Event]


def draw(
    path: Path,
    result: dict[str, Any],
    stories: Sequence[Story],
    steps: Sequence[Step],
    window_ms: int,
) -> None:
    """path: .png or .html."""
    plt = ready(path)
    overview = _overview(plt, result, steps)
    lines = _timelines(plt, result, stories, window_ms)
    if path.suffix.lower() == ".png":
        path.write_bytes(_stacked([overview, *([lines] if lines else [])]))
    else:
        path.write_text(_page(result, [overview, *([lines] if lines else [])]), encoding="utf-8")


def ready(path: Path) -> Any:
    """matplotlib, drawing to files; FigureFault before any work is done if there can be no figure."""
    if path.suffix.lower() not in (".png", ".html", ".htm"):
        raise FigureFault(
            Text(f"{path.name}：图应为 .png 或 .html", f"{path.name}: a figure is .png or .html")
        )
    return pyplot()


def pyplot() -> Any:
    """matplotlib, drawing to files. Raises FigureFault where it is not installed."""
    try:
        import_module("matplotlib").use("Agg")
    except ImportError as e:
        raise FigureFault(
            Text(
                "作图需要 matplotlib：pip install 'fengsui[figures]'",
                "a figure needs matplotlib: pip install 'fengsui[figures]'",
            )
        ) from e
    return import_module("matplotlib.pyplot")


def _png(plt: Any, figure: Any) -> bytes:
    buffer = BytesIO()
    # no time of making in it: the same input gives the same bytes
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


# --- performance and reliability


def _overview(plt: Any, result: dict[str, Any], steps: Sequence[Step]) -> bytes:
    told, levels = result.get("reliability") or [], result.get("by_step") or {}
    two = bool(told or levels)
    figure, axes = plt.subplots(
        1, 1 + two, figsize=(11 if two else 6, 5.4), layout="constrained", squeeze=False
    )
    _performance(axes[0][0], result, steps)
    if told:
        _reliability(axes[0][1], told)
    elif levels:
        _by_level(axes[0][1], levels)
    return _png(plt, figure)


def _performance(ax: Any, result: dict[str, Any], steps: Sequence[Step]) -> None:
    grid = np.linspace(0.005, 1, 200)
    success, pod = np.meshgrid(grid, grid)
    csi = 1 / (1 / success + 1 / pod - 1)
    lines = ax.contour(success, pod, csi, np.arange(0.1, 1, 0.1), colors="#bbbbbb", linewidths=0.8)
    ax.clabel(lines, fmt="CSI %.1f", fontsize=7)
    for bias in (0.5, 1, 2):
        ax.plot([0, 1], [0, bias], ":", color="#dddddd", linewidth=0.8)
    known = [s for s in steps if s.hits]
    if known:
        ax.plot(
            [s.hits / (s.hits + s.false_alarms) for s in known],
            [s.hits / (s.hits + s.misses) for s in known],
            ".-",
            color="#90a4ae",
            markersize=4,
            linewidth=0.8,
            label=_OTHERS["published" in result],
        )
    for name, one in (result.get("by_step") or {}).items():
        if one["far"] is not None and one["pod"] is not None:
            ax.plot(1 - one["far"], one["pod"], ".", color="#90a4ae")
            ax.annotate(
                name,
                (1 - one["far"], one["pod"]),
                fontsize=7,
                xytext=(4, 3),
                textcoords="offset points",
            )
    for n, held in enumerate(result.get("cross_validated") or []):
        if held["far"] is not None and held["pod"] is not None:
            ax.plot(1 - held["far"], held["pod"], "sD^"[n % 3], color="#1565c0", label=held["how"])
    if result["far"] is not None and result["pod"] is not None:
        x, y = 1 - result["far"], result["pod"]
        far, pod_ = result["far_interval"], result["pod_interval"]
        if far and pod_:
            ax.errorbar(
                x,
                y,
                xerr=[[max(0, x - 1 + far[1])], [max(0, 1 - far[0] - x)]],
                yerr=[[max(0, y - pod_[0])], [max(0, pod_[1] - y)]],
                color="#c62828",
                capsize=3,
                linewidth=1,
            )
        ax.plot(x, y, "o", color="#c62828", label="this record, 95 % bootstrap")
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="success ratio (1 - FAR)", ylabel="POD")
    for held in result.get("published") or []:
        if held["far"] is not None and held["pod"] is not None:
            ax.plot(1 - held["far"], held["pod"], "x", color="#616161")
            ax.annotate(held["rule"], (1 - held["far"], held["pod"]), fontsize=6)
    counts = f"{result['hits']} hits, {result['misses']} misses, {result['false_alarms']} false"
    ahead = f", at least {m['min_lead_min']:g} min ahead" if (m := result.get("matching")) else ""
    ax.set_title(counts + ahead, fontsize=9)
    ax.legend(fontsize=7, loc="upper right")


def _reliability(ax: Any, told: Sequence[dict[str, Any]]) -> None:
    ax.plot([0, 1], [0, 1], ":", color="#bbbbbb")
    ax.plot([r["told"] for r in told], [r["came"] for r in told], "o-", color="#1565c0")
    for r in told:
        ax.annotate(
            f"{r['moments']}",
            (r["told"], r["came"]),
            fontsize=7,
            xytext=(4, -9),
            textcoords="offset points",
        )
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="chance of an event in the window, as told",
        ylabel="share that came",
    )
    ax.set_title("reliability (numbers: moments)", fontsize=9)


def _by_level(ax: Any, levels: dict[str, dict[str, Any]]) -> None:
    """A set of rules tells a level, no chance: how often each level came true, with its interval."""
    for n, one in enumerate(levels.values()):
        if one["far"] is None:
            continue
        came, between = 1 - one["far"], one["far_interval"]
        ax.bar(n, came, color="#90caf9")
        if between:
            low, high = 1 - between[1], 1 - between[0]
            ax.plot([n, n], [low, high], color="#1565c0", linewidth=1.2)
        alarms = one["hits"] + one["false_alarms"]
        ax.annotate(f"{one['hits']} of {alarms}", (n, 0.01), ha="center", fontsize=7)
    ax.set(ylim=(0, 1), ylabel="share of alarms that came true")
    ax.set_xticks(range(len(levels)), levels)
    ax.set_title("reliability by level (95 % bootstrap)", fontsize=9)


# --- timelines


def _timelines(
    plt: Any, result: dict[str, Any], stories: Sequence[Story], window_ms: int
) -> bytes | None:
    fates = {(e["area"], e["start"]): e for e in result.get("events") or ()}
    seen = [
        (s, e)
        for s in stories
        for e in s.events
        if fates.get((e.area, iso(e.start_at)), {"outcome": "unseen"})["outcome"] != "unseen"
    ][:_MOST]
    if not seen:
        return None
    rows = -(-len(seen) // 3)
    figure, axes = plt.subplots(
        rows, 3, figsize=(11, 2.2 * rows), layout="constrained", squeeze=False
    )
    for ax in axes.flat[len(seen) :]:
        ax.axis("off")
    for ax, (story, event) in zip(axes.flat, seen, strict=False):
        _timeline(ax, story, event, fates[event.area, iso(event.start_at)], result, window_ms)
    return _png(plt, figure)


def _timeline(
    ax: Any,
    story: Story,
    event: Event,
    fate: dict[str, Any],
    result: dict[str, Any],
    window_ms: int,
) -> None:
    hour = 3_600_000
    after = max(event.end_at - event.start_at, 2 * hour)
    at = story.track.at
    use = (at >= event.start_at - window_ms) & (at <= event.start_at + after)
    x = (at[use] - event.start_at) / hour
    values = story.track.values[story.track.heard[use]]
    if story.track.quantity != "rain":
        ax.plot(x, values, color="#1565c0", linewidth=1)
    else:
        ax.bar(x, values, width=story.track.slot_s / 3600, color="#1565c0")
    beside = ax
    if story.value is not None:
        beside = ax.twinx()
        beside.plot(x, story.value[use], color="#8d6e63", linewidth=0.8, alpha=0.8)
        beside.tick_params(labelsize=6, colors="#8d6e63")
    for limit in story.limits:
        beside.axhline(limit, color="#8d6e63", linestyle=":", linewidth=0.8)
    ax.axvspan(0, (event.end_at - event.start_at) / hour, color="#c62828", alpha=0.15)
    ax.axvline(0, color="#c62828", linewidth=0.8)
    for alarm in result["alarms"]:
        if alarm["area"] == event.area:
            begin = (
                np.datetime64(alarm["start"][:-1], "ms").astype(np.int64) - event.start_at
            ) / hour
            if -window_ms / hour <= begin <= after / hour:
                ax.axvline(begin, color=_COLOUR[alarm["outcome"]], linestyle="--", linewidth=1)
    ax.set_xlim(-window_ms / hour, after / hour)
    ax.tick_params(labelsize=6)
    lead = "" if fate["lead_minutes"] is None else f", {fate['lead_minutes']:g} min"
    ax.set_title(
        f"{iso(event.start_at)[:16]} {event.area}: {_FATE_EN[fate['outcome']]}{lead}", fontsize=7
    )


# --- together


def _stacked(pictures: Sequence[bytes]) -> bytes:
    from PIL import Image

    images = [Image.open(BytesIO(p)).convert("RGB") for p in pictures]
    width, height = max(i.width for i in images), sum(i.height for i in images)
    whole, top = Image.new("RGB", (width, height), "white"), 0
    for image in images:
        whole.paste(image, (0, top))
        top += image.height
    buffer = BytesIO()
    whole.save(buffer, format="PNG")
    return buffer.getvalue()


def _page(result: dict[str, Any], pictures: Sequence[bytes]) -> str:
    """In the language of FENGSUI_LANG, but for what stands in the pictures, whose fonts have no
    Chinese."""

    def number(x: float | None) -> str:
        return "–" if x is None else f"{x:.2f}"

    def row(cells: Sequence[object], tag: str = "td") -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(spoken(c))}</{tag}>" for c in cells) + "</tr>"

    interval = result["csi_interval"]
    summary = [
        row([*_COUNTED, "POD", "FAR", "CSI", "95 %"], "th"),
        row(
            [
                result["hits"],
                result["misses"],
                result["false_alarms"],
                *(number(result[k]) for k in ("pod", "far", "csi")),
                f"{interval[0]:.2f} … {interval[1]:.2f}" if interval else "–",
            ]
        ),
    ]
    events = [row(_OF_EVENTS, "th")]
    events += [
        row([e["area"], e["start"], e["end"], _FATE[e["outcome"]], _dash(e["lead_minutes"])])
        for e in result.get("events") or ()
    ]
    false = [row(_OF_FALSE, "th")]
    false += [
        row([a["area"], a["rule"], a["start"], a["end"]])
        for a in result.get("alarms") or ()
        if a["outcome"] == "false"
    ]
    m = result.get("matching")
    rule = (
        Text(
            f"匹配规则 {m['rule']}；提前 ≥ {m['min_lead_min']:g} min，时窗 {m['window_min']:g} min，"
            f"合并 {m['merge_gap_min']:g} min",
            f"matching rule {m['rule']}; lead ≥ {m['min_lead_min']:g} min, window "
            f"{m['window_min']:g} min, merge {m['merge_gap_min']:g} min",
        )
        if m
        else Text("一行一场雨", "one row a storm")
    )
    images = "".join(
        f'<img alt="" src="data:image/png;base64,{b64encode(p).decode()}">' for p in pictures
    )
    notes = "".join(f"<li>{html.escape(spoken(n))}</li>" for n in result["notes"])
    name, events_, false_, notes_ = map(spoken, _HEADINGS)
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        f"<title>{name}</title>"
        "<style>body{font:14px sans-serif;margin:2em;max-width:1200px}img{max-width:100%}"
        "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:3px 8px;"
        "text-align:left}</style></head><body>"
        f"<h1>{name}</h1>"
        f"<table>{''.join(summary)}</table><p>{html.escape(spoken(rule))}</p>{images}"
        f"<h2>{events_}</h2><table>{''.join(events)}</table>"
        f"<h2>{false_}</h2><table>{''.join(false)}</table>"
        f"<h2>{notes_}</h2><ul>{notes}</ul></body></html>\n"
    )


def _dash(x: object) -> object:
    return "–" if x is None else x
