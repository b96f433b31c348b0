"""Reliability of chances on every record there is, in words or as JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.language import Said, Text
from detectors.water.level_forecast import LevelForecast
from skill.forecast.left_out import OTHERS, MeasuredChances, measured
from skill.forecast.records import FILE, PLANS, RecordPlan, candidates, read
from skill.forecast.reliability import EDGES, Bin, Reliability

_OTHERS = {
    "climatology": Text("气候频率", "climatology"),
    "persistence": Text("持续（不涨）", "persistence (it stays)"),
    "level alone": Text("只看水位", "level alone"),
    "unfitted": Text("不率定（缺省）", "unfitted (the defaults)"),
}
assert set(_OTHERS) == set(OTHERS)


def told(data: Path, *, as_json: bool = False) -> Iterator[Said]:
    """Line by line as it is found; one line of JSON at the end. A record that is not there is told."""
    whole = []
    for plan in PLANS:
        if not (data / plan.folder / FILE).is_file():
            whole.append({"record": plan.folder, "absent": True})
            if not as_json:
                path = f"{plan.folder}/{FILE}"
                yield plan.words + Text(
                    f"：没有资料 {path}，略过", f": no such data, {path}; left out"
                )
            continue
        series = read(plan, data)
        found = measured(candidates(plan, series.reach), series.level, series.rain)
        whole.append(_json(plan, series.reach, found))
        if not as_json:
            yield from _lines(plan, series.reach, found)
    if as_json:
        yield json.dumps({"records": whole}, ensure_ascii=False)
    else:
        yield Text(
            "每个时刻都只用它之前的读数，按留出它那场事件的率定预报；水位已在 reach 以上的时刻不计。"
            "BSS：Brier 技巧评分，1 最好，0 与所比者相同。",
            "Each moment is forecast from readings before it, by what was fitted without its event; moments at "
            "which the level stands above already are not counted. BSS: Brier skill score, 1 best, 0 as "
            "good as what it is held against.",
        )


def _lines(plan: RecordPlan, reach: float, found: MeasuredChances) -> Iterator[Said]:
    n = found.events
    yield plan.words + Text(
        f"：达到 {reach:g} m 的可能性，{n} 场事件", f": chance of {reach:g} m, {n} events"
    )
    for r in found.found:
        yield "  " + _scores(r)
        for b in r.bins:
            yield "    " + _bin(b)
    p = found.chosen
    yield Text(f"  用全部事件率定：{_prior(p)}", f"  fitted to all events: {_prior(p)}")


def _scores(r: Reliability) -> Text:
    skills = {name: r.skill(name) for name in OTHERS}
    own = r.unfitted_skill
    zh = "，".join(f"对{_OTHERS[k].zh} {v:+.2f}" for k, v in skills.items() if v is not None)
    en = ", ".join(f"{v:+.2f} to {_OTHERS[k].en}" for k, v in skills.items() if v is not None)
    return Text(
        f"{r.horizon_min} 分钟内：{r.many} 个时刻，{r.came} 个应验（{r.events} 场）；"
        f"Brier {r.score:.5f}；BSS {zh}；不率定的对气候频率 {own:+.2f}",
        f"within {r.horizon_min} min: {r.many} moments, it came at {r.came} ({r.events} events); "
        f"Brier {r.score:.5f}; BSS {en}; of the unfitted to climatology {own:+.2f}",
    )


def _bin(b: Bin) -> Text:
    high = min((e for e in EDGES if e > b.low), default=1.0)
    between = f"{b.low:4.0%} – {high:4.0%}"
    return Text(
        f"{between}：说 {b.forecast:.1%}，应验 {b.observed:.1%}（{b.many} 个时刻，{b.events} 场）",
        f"{between}: said {b.forecast:.1%}, came {b.observed:.1%} ({b.many} moments, {b.events} events)",
    )


def _prior(p: LevelForecast) -> str:
    return (
        f"trend_min = {p.trend_min}, damp_min = {p.damp_min}, trend_share = {p.trend_share:g}, "
        f"bias = {list(p.bias)}, spread = {list(p.spread)}, "
        f"ceiling = {p.ceiling:g}"
        + (f", runoff k_h = {p.runoff.k_h:g}, runoff_gain = {p.runoff_gain:g}" if p.runoff else "")
    )


def _json(plan: RecordPlan, reach: float, found: MeasuredChances) -> dict[str, Any]:
    p = found.chosen
    return {
        "record": plan.folder,
        "reach_m": reach,
        "events": found.events,
        "horizons": [
            {
                "horizon_min": r.horizon_min,
                "moments": r.many,
                "came": r.came,
                "brier": r.score,
                "unfitted_skill": r.unfitted_skill,
                "skill": {name.replace(" ", "_"): r.skill(name) for name in OTHERS},
                "bins": [b._asdict() for b in r.bins],
            }
            for r in found.found
        ],
        "fitted": {
            "trend_min": p.trend_min,
            "bias": p.bias,
            "spread": p.spread,
            "ceiling": p.ceiling,
        },
    }
