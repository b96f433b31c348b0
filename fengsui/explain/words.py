"""What `fengsui explain` prints: the verdict first, for somebody who was just woken. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH
from config.records.quantity import QUANTITIES
from detectors.setup.declared import words
from dispatch.grade import Grade
from dispatch.words.local_time import local
from fengsui.explain.margins import Near
from fengsui.explain.verdict import STOOD_STILL_MS, Facts, Verdict, in_words, stale

_HOUR_MS = 3_600_000
_COLUMNS = 72
_BLOCKS = " ▁▂▃▄▅▆▇█"
_ROWS = 12
STEP_ZH = {
    "blue": "蓝", "yellow": "黄", "orange": "橙", "red": "红", "prepare": "准备转移", "move": "立即转移",
}  # fmt: skip
RULE_ZH = {
    "rain_threshold": "雨量",
    "stage_trend": "水位",
    "camera_motion": "视频",
    "silence": "断报",
    "quality": "质控",
    "observer": "现场人员报告",
}
ACT_ZH = {
    "release": "发布", "hold": "暂缓", "reject": "否决", "raise": "升级", "lower": "降级", "cancel": "解除",
    "escalate": "上报",
}  # fmt: skip
Series = Mapping[str, Sequence[tuple[int, int]]]


def lines(district: District, f: Facts, series: Series) -> Iterator[str]:
    """The answer."""
    zone, place = district.timezone, district.areas[f.area]
    yield (
        f"{place.township}{place.name} {place.name_en}（{f.area}） "
        f"{local(f.at, zone, '%Y-%m-%d %H:%M')} {zone}"
    )
    for v in f.verdicts:
        yield f"■ {HAZARD_ZH[v.hazard]} {HAZARD_EN[v.hazard]}: {headline(district, v, f)}"
        yield from (f"    {text}" for text in _details(v, f, zone))
    yield from _heard(district, f)
    if f.found:
        yield "各规则 how near each rule was:"
    for n in f.found[:_ROWS]:
        yield f"    {_row(district, n, f, zone)}"
    if len(f.found) > _ROWS:
        yield f"    … 另有 and {len(f.found) - _ROWS} 行更远 rows farther away"
    yield from _said(district, f, zone)
    shown = next((v.nearest for v in f.verdicts if v.nearest and v.nearest.station), None)
    if shown is not None:
        yield from sparkline(district, shown, series, f.at)


def headline(district: District, v: Verdict, f: Facts) -> str:
    """One line that answers."""
    zone = district.timezone
    a = v.alert
    if v.case == "warned" and a is not None:
        lapsed = "，已过有效期 past its validity" if a.expires_at < f.at else ""
        return (
            f"已预警 WARNED — {in_words(a.level, a.action)}，自 since {local(v.since_at, zone)}"
            f"（{_share(v)}）{lapsed}"
        )
    if v.case == "waiting" and a is not None:
        until = f" 期限 until {local(a.deadline_at, zone)}" if a.deadline_at else ""
        return (
            f"未对公众预警 NOT PUBLIC — 内部预警 internal notice："
            f"{in_words(a.proposed_level, a.proposed_action)}，待 waits for {a.authority or '?'}{until}"
        )
    if v.case == "refused" and v.act is not None:
        d = v.act
        return (
            f"未预警 NOT WARNED — {d.by} 于 at {local(d.decided_at, zone)} {ACT_ZH[d.act]} {d.act}："
            f"{d.reason}"
        )
    return f"未预警 NOT WARNED — {_why_not(district, v, f)}"


def _why_not(district: District, v: Verdict, f: Facts) -> str:
    zone = district.timezone
    if v.case == "stopped":
        since = local(f.worked_at or 0, zone)
        return f"系统没有运行，最后一次研判在 {since} the line stood still, it last judged then"
    if v.case == "none":
        return "本区此灾种没有任何规则或阈值 no rule and no threshold watches this hazard here"
    if v.case == "blind":
        return (
            "听不到任何监测站，无法判断，不等于平安 nothing was heard: nobody could tell, which is not "
            "an all-clear"
        )
    n = v.nearest
    if n is None:
        return "无法判断 nobody could tell"
    if v.case == "late":
        came = [x for x in f.late if x.station in n.station.split("+")] or f.late
        return (
            f"{_measured(n)} 已达 reaches {_steps(n)}，但读数迟到 but readings came late："
            f"{came[0].station} {local(came[0].observed_at, zone)} 的读数 {local(came[-1].heard_at, zone)} "
            f"才到 arrived then（{len(came)} 条 readings）"
        )
    if v.case == "reached":
        return (
            f"{_measured(n)} 已达 reaches {_steps(n)}，当时尚未研判，或阈值其后改过 it was not judged yet, "
            "or thresholds were changed since"
        )
    how = "差一点 nearly" if v.case == "near" else "差得远 far from it"
    if n.next is None:
        return f"{how}: {_measured(n)}"
    step, limit = n.next
    lacking = f"，还差 short of it by {abs(limit - n.value):.3g} {n.unit}".rstrip()
    return f"{how}: {_measured(n)}，{STEP_ZH[step]} {step} 须 needs {limit:g}（{n.share:.0%}）{lacking}"


def _share(v: Verdict) -> str:
    assert v.alert is not None
    return f"公众 public，第 {v.alert.version} 版 version"


def _measured(n: Near) -> str:
    """R01 60 min 27.2 mm."""
    if not n.known:
        return f"{n.station or n.rule} 无法判断 cannot say"
    window = f" {n.window_min} min" if n.window_min and not n.per_h else ""
    rise = f"，涨 rising {n.per_h:+.2g} {n.unit}/h" if n.per_h else ""
    return f"{n.station or n.rule}{window} {n.value:.4g} {n.unit}{rise}".replace(" ，", "，")


def _steps(n: Near) -> str:
    return "、".join(f"{STEP_ZH[s]} {s}" for s in n.reached[-2:])


def _details(v: Verdict, f: Facts, zone: str) -> Iterator[str]:
    a = v.alert
    if a is not None and not v.ended:
        yield f"原因 because: {a.reason}"
        for e in a.evidence[:4]:
            limit = f" ≥ {e.threshold:g}" if e.threshold is not None else ""
            window = f" {e.window_min} min" if e.window_min else ""
            when = f" {local(e.observed_at, zone, '%H:%M')}" if e.observed_at else ""
            yield f"依据 evidence: {e.station} {e.quantity}{window} {e.value:g}{limit}{when} {e.note}".rstrip()
        if (a.proposed_level, a.proposed_action) != (a.level, a.action):
            yield f"证据要求 evidence calls for: {in_words(a.proposed_level, a.proposed_action)}（{a.state}）"
        if a.suspect:
            yield "部分依据存疑 rests in part on suspect values"
    if v.act is not None and v.case == "warned":
        d = v.act
        yield f"{d.by} 于 at {local(d.decided_at, zone)} {ACT_ZH[d.act]} {d.act}：{d.reason}"
    if a is not None and v.ended:
        yield f"此前的预警已结束 an earlier warning ended {local(a.sent_at, zone)}: {a.reason}"
    if a is not None and not v.ended and f.worked_at and f.at - f.worked_at > STOOD_STILL_MS:
        yield f"系统其后没有运行 the line stood still since {local(f.worked_at, zone)}"
    b, now = v.after, v.alert if v.alert is not None and not v.ended else None
    if b is not None:
        came = Grade(b.proposed_level, b.proposed_action)
        if came.exceeds(Grade(now.proposed_level, now.proposed_action) if now else Grade()):
            yield f"其后 afterwards: {local(b.sent_at, zone)} {came.words()}"


def _heard(district: District, f: Facts) -> Iterator[str]:
    """Who could speak: silence hides more than a low value."""
    zone = district.timezone
    heard, silent = [], []
    for name in district.stations_of_area[f.area]:
        station = district.stations[name]
        if station.quantity == "frame":
            continue
        last = f.newest.get(name)
        if last is None:
            silent.append(f"{name}（从未 never）")
        elif f.at - last > station.silent_after_s * 1000:
            silent.append(f"{name}（{local(last, zone)} 起 since）")
        else:
            heard.append(name)
    yield (
        f"监测站 stations: {len(heard)}/{len(heard) + len(silent)} 有数据 heard "
        f"{' '.join(heard)}".rstrip()
    )
    if silent:
        yield f"    断报 silent: {', '.join(silent)}：那里怎样，这里不知道 what they would see is not known"
    if any(d.rule == "silence" and d.thin for d in f.rules):
        yield "    证据不足，不能算平静 the evidence was too thin to call the area quiet"
    if f.late:
        names = sorted({x.station for x in f.late})
        yield f"    此刻之后才到 came after this moment: {len(f.late)} 条 readings, {' '.join(names)}"


def _row(district: District, n: Near, f: Facts, zone: str) -> str:
    limits = " ".join(f"{STEP_ZH[k]}{t:g}" for k, t in n.limits.items())
    value = _measured(n) if n.at else f"{n.station or n.rule} 未收到读数 nothing heard"
    doubt = "（断报前 before it fell silent）" if n.at and stale(district, n, f.at) else ""
    heard = "" if n.speaks else "（只供组合规则 for compound rules）"
    reached = f" → {STEP_ZH[n.reached[-1]]}" if n.reached else f" {n.share:.0%}" if n.known else ""
    when = f" {local(n.at, zone, '%H:%M')}" if n.at else ""
    note = f" {n.note}" if n.note else ""
    return (
        f"{n.rule} {HAZARD_ZH[n.hazard]} {value}{when}{reached}{doubt}{heard} "
        f"[{limits or '无阈值 no thresholds'}]{note}"
    )


def _said(district: District, f: Facts, zone: str) -> Iterator[str]:
    said = [d for d in f.rules if d.hazard in HAZARD_ZH]
    if said:
        yield "规则最后所说 what each rule last said:"
    for d in said:
        name = RULE_ZH.get(d.rule) or words(district, d.rule)[0]
        doubt = "，存疑 suspect" if d.suspect else ""
        yield (
            f"    {local(d.detected_at, zone)} {d.rule}（{name}）{HAZARD_ZH[d.hazard]}: "
            f"{in_words(d.level, d.action)}{doubt}"
        )
    people = [d for d in f.decisions if d.by != "policy" or d.act == "reject"]
    if people:
        yield "人的决定 people's decisions:"
    for one in people[-6:]:
        yield (
            f"    {local(one.decided_at, zone)} {one.by} {ACT_ZH[one.act]} {one.act} "
            f"{HAZARD_ZH[one.hazard]}: {one.reason}"
        )


def sparkline(district: District, n: Near, series: Series, at: int) -> Iterator[str]:
    """The twelve hours before, of the station that was nearest: rain as sums of 10 min, anything
    else at its highest."""
    station, zone = n.station.split("+")[0], district.timezone
    q = QUANTITIES[district.stations[station].quantity]
    sums = q.kind in ("interval", "counter")
    bins = np.full(_COLUMNS, np.nan)
    for observed_at, count in series.get(station, ()):
        k = _COLUMNS - 1 - (at - observed_at) // (12 * _HOUR_MS // _COLUMNS)
        if 0 <= k < _COLUMNS:
            value = q.amount(count)
            bins[k] = np.nansum([bins[k], value]) if sums else np.nanmax([bins[k], value])
    if np.isnan(bins).all():
        return
    low = 0.0 if sums else float(np.nanmin(bins))
    high = max(float(np.nanmax(bins)), low + 1e-9)
    bars = "".join(
        "·" if np.isnan(b) else _BLOCKS[round((b - low) / (high - low) * (len(_BLOCKS) - 1))]
        for b in bins
    )
    what = "10 分钟雨量 rain in 10 min" if sums else f"{q.zh} {q.name}"
    yield f"{station} {what}, {low:g} … {high:.4g} {q.unit}（· 无数据 nothing heard）"
    yield f"    {bars}"
    begin, end = local(at - 12 * _HOUR_MS, zone), local(at, zone)
    yield f"    {begin}{' ' * (_COLUMNS - len(begin) - len(end))}{end}"
