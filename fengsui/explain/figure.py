"""The picture of `fengsui explain`: what the nearest rule saw against its thresholds, and below it
what each station of the area told, so that silence shows. PNG; needs matplotlib (extra `figures`).

Where no font with Chinese characters is installed the labels are English.
"""

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from config.language import Text
from config.records.district import District
from config.records.level import ACTION_EN, HAZARD_EN, HAZARD_ZH, LEVEL_EN, Action, Level
from config.records.quantity import QUANTITIES
from config.records.rule_kinds import RULE_KINDS
from detectors.engine.window_rule import Floats
from detectors.stage import Detect
from fengsui.explain.margins import Near
from fengsui.explain.verdict import Facts, Verdict
from fengsui.explain.words import Series, headline
from skill.series.figure import FigureFault, ready
from skill.series.track import track, values_of
from skill.verify.hindcast import Readings
from stream.log.port import partition_of

_HOUR_MS = 3_600_000
_BEFORE_MS = 12 * _HOUR_MS
_BIN_MS = 600_000
_COLOUR = {
    "blue": "#1e6fd9", "yellow": "#c9a200", "orange": "#f57c00", "red": "#d50000",
    "prepare": "#7b1fa2", "move": "#4a148c",
}  # fmt: skip
_LEVEL = (None, "blue", "yellow", "orange", "red")
_CJK = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "SimHei",
    "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "AR PL UMing CN",
)  # fmt: skip
_CASE_EN = {
    "warned": "WARNED",
    "waiting": "internal notice, not public",
    "refused": "held or rejected by a person",
    "stopped": "the line stood still",
    "none": "no rule watches this hazard here",
    "blind": "nothing was heard, nobody could tell",
    "late": "not warned: readings came late",
    "reached": "threshold reached, not judged yet",
    "near": "not warned: nearly",
    "far": "not warned: far from it",
}


def prepare(path: Path) -> Any:
    """matplotlib; FigureFault, before any work is done, where there can be no picture."""
    if path.suffix.lower() != ".png":
        raise FigureFault(
            Text(f"{path.name}：图应为 .png", f"{path.name}: the figure must be a .png")
        )
    return ready(path)


def draw(
    plt: Any, path: Path, district: District, detect: Detect, f: Facts, readings: Readings,
    series: Series,
) -> None:  # fmt: skip
    """readings: all that came, also later than the moment asked about."""
    cjk = _cjk_font()
    zone = ZoneInfo(district.timezone)
    with plt.rc_context({"font.family": [cjk, "DejaVu Sans"]} if cjk else {}):
        figure, (top, below) = plt.subplots(
            2, 1, figsize=(10, 6.4), layout="constrained", sharex=True, height_ratios=(3, 1.4)
        )
        v = next((v for v in f.verdicts if v.nearest and v.nearest.station), None)
        if v is None or v.nearest is None:
            top.text(0.5, 0.5, "nothing was heard", ha="center", transform=top.transAxes)
        else:
            _value(top, district, detect, f, v, v.nearest, readings, zone)
        _stations(below, district, f, series, zone)
        for ax in (top, below):
            ax.axvline(_x(f.at, zone), color="black", linewidth=3)
            ax.set_xlim(_x(f.at - _BEFORE_MS, zone), _x(f.at, zone))
        below.xaxis.set_major_formatter(import_module("matplotlib.dates").DateFormatter("%H:%M"))
        figure.suptitle(_title(district, f, bool(cjk)), fontsize=10, x=0.01, ha="left")
        figure.savefig(path, format="png", dpi=110, metadata={"Software": None})
        plt.close(figure)


def _cjk_font() -> str:
    fonts = {f.name for f in import_module("matplotlib.font_manager").fontManager.ttflist}
    return next((name for name in _CJK if name in fonts), "")


def _x(ms: int, zone: ZoneInfo) -> datetime:
    """Local time, as a person reads the axis."""
    return datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)


def _title(district: District, f: Facts, cjk: bool) -> str:
    place = district.areas[f.area]
    when = _x(f.at, ZoneInfo(district.timezone)).strftime("%Y-%m-%d %H:%M")
    if cjk:
        lines = [f"{place.township}{place.name} {place.name_en} {f.area}  {when}"]
        lines += [f"{HAZARD_ZH[v.hazard]}: {headline(district, v, f).zh}" for v in f.verdicts]
    else:
        lines = [f"{place.name_en} ({f.area})  {when} {district.timezone}"]
        lines += [f"{HAZARD_EN[v.hazard]}: {_verdict_en(v)}" for v in f.verdicts]
    return "\n".join(line if len(line) <= 110 else f"{line[:109]}…" for line in lines)


def _verdict_en(v: Verdict) -> str:
    said = _CASE_EN[v.case]
    if v.alert is not None and v.case in ("warned", "waiting"):
        level, action = v.alert.level, v.alert.action
        if v.case == "waiting":
            level, action = v.alert.proposed_level, v.alert.proposed_action
        return f"{said} {_grade_en(level, action)}"
    n = v.nearest
    if n is not None and n.known and n.next and v.case in ("near", "far"):
        step, limit = n.next
        window = f" in {n.window_min} min" if n.window_min and not n.per_h else ""
        return f"{said}: {n.station} {n.value:.4g} {n.unit}{window}, {step} needs {limit:g}"
    return said


def _grade_en(level: Level, action: Action) -> str:
    return ", ".join([LEVEL_EN[level]] * bool(level) + [ACTION_EN[action]] * bool(action))


# --- what the rule saw


def _value(
    ax: Any, district: District, detect: Detect, f: Facts, v: Verdict, n: Near,
    readings: Readings, zone: ZoneInfo,
) -> None:  # fmt: skip
    at, value = _curve(district, detect, f.area, n, readings)
    use = (at > f.at - _BEFORE_MS) & (at <= f.at)
    x = [_x(int(t), zone) for t in at[use]]
    window = f" in {n.window_min} min" if n.window_min and not n.per_h else ""
    ax.plot(x, value[use], color="#37474f", linewidth=1.6, marker=".", markersize=3)
    if n.known and not use.any():  # a rule of several stations: its value at that moment
        ax.plot([_x(n.at, zone)], [n.value], "o", color="#37474f")
    top = max([*value[use][np.isfinite(value[use])], n.value if n.known else 0.0], default=0.0)
    shown = [t for t in n.limits.values() if t <= 1.6 * top] or sorted(n.limits.values())[:2]
    for step, limit in n.limits.items():
        if limit in shown:
            ax.axhline(limit, color=_COLOUR[step], linestyle="--", linewidth=1)
            ax.annotate(
                f"{step} {limit:g}", (0.003, limit), xycoords=("axes fraction", "data"),
                fontsize=7, color=_COLOUR[step], va="bottom",
            )  # fmt: skip
    for later in f.late:
        if later.station in n.station.split("+") and later.observed_at > f.at - _BEFORE_MS:
            ax.axvline(_x(later.observed_at, zone), ymax=0.04, color="#d50000", linewidth=1.5)
    _in_force(ax, f, v.hazard, zone)
    ax.set_ylabel(f"{n.station} {n.unit}{window}", fontsize=8)
    ax.set_title(
        f"{n.rule}, {HAZARD_EN[v.hazard]}; shaded: what was in force; red ticks: came late",
        fontsize=8, loc="left",
    )  # fmt: skip
    ax.margins(y=0.15)
    if n.limits and min(n.limits.values()) >= 0 and value[use].min(initial=0.0) >= 0:
        ax.set_ylim(bottom=0)
    ax.grid(alpha=0.2)


def _curve(
    district: District, detect: Detect, area: str, n: Near, readings: Readings
) -> tuple[Any, Floats]:
    """(ms, value) of the rule over time; empty for one that looks at several stations."""
    none = np.zeros(0, np.int64), np.zeros(0)
    quantity = district.stations[n.station].quantity if n.station in district.stations else ""
    if (n.station, quantity) not in readings.pairs:
        return none
    if n.rule in ("rain_threshold", "stage_trend"):
        rain = n.rule == "rain_threshold"
        t = track(readings, n.station, quantity, 60, "sum" if rain else "max")
        if not rain:
            return t.at, t.values[t.heard] * QUANTITIES[quantity].per_unit / 1000
        total = np.concatenate(([0.0], np.nancumsum(t.values)))
        end = t.heard + 1
        return t.at, total[end] - total[np.maximum(end - n.window_min, 0)]
    part = detect.part(partition_of(district.group_of_area[area], district.partitions))
    rule = next((fed.rule for fed in part.series if fed.rule.name == n.rule), None)
    if rule is None:
        return none
    t = track(readings, n.station, quantity, rule.slot_ms // 1000, rule.kind.gather)
    kind = RULE_KINDS[rule.kind.told_as(rule.parameters)]
    return t.at, np.asarray(kind.told(values_of(rule.kind, rule.parameters, t)))


def _in_force(ax: Any, f: Facts, hazard: str, zone: ZoneInfo) -> None:
    mine = [a for a in f.alerts if a.hazard == hazard and a.sent_at <= f.said_to]
    for n, a in enumerate(mine):
        until = mine[n + 1].sent_at if n + 1 < len(mine) else min(f.at, a.expires_at)
        colour = _LEVEL[a.level] or ("prepare" if a.action else None)
        if colour and a.msg_type != "cancel" and until > f.at - _BEFORE_MS:
            ax.axvspan(
                _x(max(a.sent_at, f.at - _BEFORE_MS), zone), _x(until, zone),
                color=_COLOUR[colour], alpha=0.10 if a.public else 0.04, linewidth=0,
            )  # fmt: skip


# --- who was heard


def _stations(ax: Any, district: District, f: Facts, series: Series, zone: ZoneInfo) -> None:
    """A row each station, ten minutes a cell: the darker the more of its highest; hatched where
    nothing was heard."""
    names = [
        s for s in district.stations_of_area[f.area] if district.stations[s].quantity != "frame"
    ]
    bins = int(_BEFORE_MS // _BIN_MS)
    grid = np.full((len(names), bins), np.nan)
    for row, name in enumerate(names):
        _fill(grid[row], series.get(name, ()), district.stations[name].quantity, f.at)
        high = np.nanmax(grid[row]) if np.isfinite(grid[row]).any() else 0.0
        grid[row] = grid[row] / high if high > 0 else grid[row]
    ax.patch.set(hatch="xxx", edgecolor="#e57373", linewidth=0)  # shows where nothing is painted
    edge = [_x(f.at - _BEFORE_MS + k * _BIN_MS, zone) for k in range(bins + 1)]
    ax.pcolormesh(edge, np.arange(len(names) + 1), grid, cmap="Blues", vmin=-0.15, vmax=1)
    ax.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7)
    ax.invert_yaxis()
    ax.set_title("stations: darker is more; hatched: nothing heard", fontsize=8, loc="left")


def _fill(cells: Floats, points: Sequence[tuple[int, int]], quantity: str, at: int) -> None:
    q = QUANTITIES[quantity]
    sums = q.kind in ("interval", "counter")
    for observed_at, count in points:
        k = cells.size - 1 - (at - observed_at) // _BIN_MS
        if 0 <= k < cells.size:
            value = q.amount(count)
            cells[k] = np.nansum([cells[k], value]) if sums else np.nanmax([cells[k], value])
