"""What `fengsui explain` prints: the verdict first, for somebody who was just woken. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from config.language import Said, Text, en, joined, text_of, zh
from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH
from config.records.quantity import QUANTITIES
from config.records.rule_kinds import RULE_KINDS, rule_words
from detectors.detection import Evidence
from dispatch.grade import Grade
from dispatch.records import Decision
from dispatch.words.evidence import evidence, forecast
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
ACT_ZH = {
    "release": "发布", "hold": "暂缓", "reject": "否决", "raise": "升级", "lower": "降级", "cancel": "解除",
    "escalate": "上报",
}  # fmt: skip
Series = Mapping[str, Sequence[tuple[int, int]]]


def lines(district: District, f: Facts, series: Series) -> Iterator[Said]:
    """The answer."""
    zone, place = district.timezone, district.areas[f.area]
    at = f"{local(f.at, zone, '%Y-%m-%d %H:%M')} {zone}"
    yield Text(f"{place.township}{place.name}（{f.area}） {at}", f"{place.name_en} ({f.area}) {at}")
    for v in f.verdicts:
        yield _hazard("■ ", v.hazard) + ": " + headline(district, v, f)
        yield from ("    " + text for text in _details(district, v, f, zone))
    yield from _heard(district, f)
    if f.found:
        yield Text("各规则离阈值多远：", "how near each rule was:")
    for n in f.found[:_ROWS]:
        yield "    " + _row(district, n, f, zone)
    if len(f.found) > _ROWS:
        more = len(f.found) - _ROWS
        yield Text(f"    … 另有 {more} 行更远", f"    … and {more} rows farther away")
    yield from _said(district, f, zone)
    shown = next((v.nearest for v in f.verdicts if v.nearest and v.nearest.station), None)
    if shown is not None:
        yield from sparkline(district, shown, series, f.at)


def _hazard(before: str, hazard: str) -> Text:
    return Text(before + HAZARD_ZH[hazard], before + HAZARD_EN[hazard])


def _act(d: Decision, zone: str) -> Text:
    """Who decided what, when and why."""
    at = local(d.decided_at, zone)
    return Text(
        f"{d.by} 于 {at} {ACT_ZH[d.act]}：{zh(d.reason)}",
        f"{d.by} at {at}: {d.act}, {en(d.reason)}",
    )


def headline(district: District, v: Verdict, f: Facts) -> Text:
    """One line that answers."""
    zone = district.timezone
    a = v.alert
    if v.case == "warned" and a is not None:
        words, since = in_words(a.level, a.action), local(v.since_at, zone)
        line = Text(
            f"已预警 — {words.zh}，自 {since}（公众，第 {a.version} 版）",
            f"WARNED — {words.en}, since {since} (public, version {a.version})",
        )
        return line + Text("，已过有效期", ", past its validity") if a.expires_at < f.at else line
    if v.case == "waiting" and a is not None:
        words, who = in_words(a.proposed_level, a.proposed_action), a.authority or "?"
        line = Text(
            f"未对公众预警 — 内部预警：{words.zh}，待 {who}",
            f"NOT PUBLIC — internal notice: {words.en}, waits for {who}",
        )
        if not a.deadline_at:
            return line
        until = local(a.deadline_at, zone)
        return line + Text(f"，期限 {until}", f", until {until}")
    not_warned = Text("未预警 — ", "NOT WARNED — ")
    if v.case == "refused" and v.act is not None:
        return not_warned + _act(v.act, zone)
    return not_warned + _why_not(district, v, f)


def _why_not(district: District, v: Verdict, f: Facts) -> Text:
    zone = district.timezone
    if v.case == "stopped":
        since = local(f.worked_at or 0, zone)
        return Text(
            f"系统没有运行，最后一次研判在 {since}",
            f"the line stood still, it last judged at {since}",
        )
    if v.case == "none":
        return Text(
            "本区此灾种没有任何规则或阈值", "no rule and no threshold watches this hazard here"
        )
    if v.case == "blind":
        return Text(
            "听不到任何监测站，无法判断，不等于平安",
            "nothing was heard: nobody could tell, which is not an all-clear",
        )
    n = v.nearest
    if n is None:
        return Text("无法判断", "nobody could tell")
    is_it = _measured(n)
    if v.case == "late":
        came = [x for x in f.late if x.station in n.station.split("+")] or f.late
        station, at = came[0].station, local(came[0].observed_at, zone)
        heard_at, reached = local(came[-1].heard_at, zone), _steps(n)
        return Text(
            f"{is_it.zh} 已达{reached.zh}，但读数迟到：{station} {at} 的读数 {heard_at} 才到"
            f"（{len(came)} 条）",
            f"{is_it.en} reaches {reached.en}, but readings came late: {station}, of {at}, arrived at "
            f"{heard_at} ({len(came)} readings)",
        )
    if v.case == "reached":
        reached = _steps(n)
        return Text(
            f"{is_it.zh} 已达{reached.zh}，当时尚未研判，或阈值其后改过",
            f"{is_it.en} reaches {reached.en}: it was not judged yet, or thresholds were changed since",
        )
    how = Text("差一点", "nearly") if v.case == "near" else Text("差得远", "far from it")
    if n.next is None:
        return how + ": " + is_it
    step, limit = n.next
    short, limit_ = (f"{x:.3g} {n.unit}".rstrip() for x in (abs(limit - n.value), limit))
    return Text(
        f"{how.zh}: {is_it.zh}，{STEP_ZH[step]}须 {limit_}（{n.share:.0%}），还差 {short}",
        f"{how.en}: {is_it.en}, {step} needs {limit_} ({n.share:.0%}), short of it by {short}",
    )


def _measured(n: Near) -> Text:
    """R01 60 min 27.2 mm."""
    name = n.station or n.rule
    if not n.known:
        return Text(f"{name} 无法判断", f"{name} cannot say")
    window = f" {n.window_min} min" if n.window_min and not n.per_h else ""
    value = f"{name}{window} {n.value:.4g} {n.unit}".rstrip()
    if not n.per_h:
        return Text(value, value)
    rise = f"{n.per_h:+.2g} {n.unit}/h"
    return Text(f"{value}，涨 {rise}", f"{value}, rising {rise}")


def _steps(n: Near) -> Text:
    steps = n.reached[-2:]
    return Text("、".join(STEP_ZH[s] for s in steps), ", ".join(steps))


def _of_station(e: Evidence, zone: str) -> tuple[Text, str]:
    """What was measured, and " 10 min 20 mm ≥ 20 mm 22:10": every value with its unit."""
    q = QUANTITIES.get(e.quantity)
    unit = f" {q.unit}" if q and q.unit not in ("", "1") else ""
    limit = f" ≥ {e.threshold:g}{unit}" if e.threshold is not None else ""
    window = f" {e.window_min} min" if e.window_min else ""
    when = f" {local(e.observed_at, zone, '%H:%M')}" if e.observed_at else ""
    what = Text(q.zh, e.quantity.replace("_", " ")) if q else Text(e.quantity, e.quantity)
    if (
        e.quantity == "frame"
    ):  # the part of the view that moves; the unit is that of a picture's size
        share = "" if e.threshold is None else f" ≥ {e.threshold * 100:.3g} %"
        return Text(
            "画面在动", "of the view moving"
        ), f"{window} {e.value * 100:.3g} %{share}{when}"
    return what, f"{window} {e.value:g}{unit}{limit}{when}"


def _details(district: District, v: Verdict, f: Facts, zone: str) -> Iterator[Text]:
    a = v.alert
    if a is not None and not v.ended:
        yield Text("原因：", "because: ") + a.reason
        for e in a.evidence[:4]:
            if e.kind == "upstream" or e.kind in RULE_KINDS:  # no value of a station as measured
                yield Text(
                    f"依据：{evidence(district, e, 'zh')}",
                    f"evidence: {evidence(district, e, 'en')}",
                )
            else:
                what, rest = _of_station(e, zone)
                yield Text(
                    f"依据：{e.station} {what.zh}{rest} {zh(e.note)}".rstrip(),
                    f"evidence: {e.station} {what.en}{rest} {en(e.note)}".rstrip(),
                )
            if e.chance is not None:
                share = f" {e.chance:.0%}"
                yield Text("  ", "  ") + forecast(e) + Text(share, share)
        if (a.proposed_level, a.proposed_action) != (a.level, a.action):
            words = in_words(a.proposed_level, a.proposed_action)
            yield Text(
                f"证据要求：{words.zh}（{a.state}）", f"evidence calls for: {words.en} ({a.state})"
            )
        if a.suspect:
            yield Text("部分依据存疑", "rests in part on suspect values")
    if v.act is not None and v.case == "warned":
        yield _act(v.act, zone)
    if a is not None and v.ended:
        ended = f"{local(a.sent_at, zone)}: " + text_of(a.reason)
        yield Text("此前的预警已结束 ", "an earlier warning ended ") + ended
    if a is not None and not v.ended and f.worked_at and f.at - f.worked_at > STOOD_STILL_MS:
        since = local(f.worked_at, zone)
        yield Text(f"系统其后没有运行，自 {since}", f"the line stood still since {since}")
    b, now = v.after, v.alert if v.alert is not None and not v.ended else None
    if b is not None:
        came = Grade(b.proposed_level, b.proposed_action)
        if came.exceeds(Grade(now.proposed_level, now.proposed_action) if now else Grade()):
            at = local(b.sent_at, zone)
            yield Text(f"其后：{at} ", f"afterwards: {at} ") + came.words()


def _heard(district: District, f: Facts) -> Iterator[Text]:
    """Who could speak: silence hides more than a low value."""
    zone = district.timezone
    heard: list[str] = []
    silent: list[Text] = []
    for name in district.stations_of_area[f.area]:
        station = district.stations[name]
        if station.quantity == "frame":
            continue
        last = f.newest.get(name)
        if last is None:
            silent.append(Text(f"{name}（从未）", f"{name} (never)"))
        elif f.at - last > station.silent_after_s * 1000:
            at = local(last, zone)
            silent.append(Text(f"{name}（{at} 起）", f"{name} (since {at})"))
        else:
            heard.append(name)
    many = f"{len(heard)}/{len(heard) + len(silent)}"
    names = " ".join(heard)
    yield Text(
        f"监测站：{many} 有数据 {names}".rstrip(), f"stations: {many} heard {names}".rstrip()
    )
    if silent:
        who = joined(silent, ", ")
        yield Text(
            f"    断报：{who.zh}；那里怎样，这里不知道",
            f"    silent: {who.en}; what they would see is not known",
        )
    if any(d.rule == "silence" and d.thin for d in f.rules):
        yield Text(
            "    证据不足，不能算平静", "    the evidence was too thin to call the area quiet"
        )
    if f.late:
        names = " ".join(sorted({x.station for x in f.late}))
        yield Text(
            f"    此刻之后才到：{len(f.late)} 条，{names}",
            f"    came after this moment: {len(f.late)} readings, {names}",
        )


def _row(district: District, n: Near, f: Facts, zone: str) -> Text:
    name = n.station or n.rule
    value = _measured(n) if n.at else Text(f"{name} 未收到读数", f"{name}: nothing heard")
    when = f" {local(n.at, zone, '%H:%M')}" if n.at else ""
    share = f" {n.share:.0%}" if n.known else ""
    reached = n.reached[-1] if n.reached else ""
    line = value + when + (Text(f" → {STEP_ZH[reached]}", f" → {reached}") if reached else share)
    if n.at and stale(district, n, f.at):
        line += Text("（断报前）", " (before it fell silent)")
    if not n.speaks:
        line += Text("（只供组合规则）", " (for compound rules)")
    unit = f" {n.unit}" if n.unit else ""
    limits = Text("无阈值", "no thresholds")
    if n.limits:
        limits = Text(
            " ".join(f"{STEP_ZH[k]}{t:g}" for k, t in n.limits.items()) + unit,
            " ".join(f"{k} {t:g}" for k, t in n.limits.items()) + unit,
        )
    return (
        _hazard(f"{n.rule} ", n.hazard)
        + " "
        + line
        + " ["
        + limits
        + "]"
        + (" " + text_of(n.note) if n.note else "")
    )


def _said(district: District, f: Facts, zone: str) -> Iterator[Text]:
    said = [d for d in f.rules if d.hazard in HAZARD_ZH]
    if said:
        yield Text("规则最后所说：", "what each rule last said:")
    for d in said:
        name = rule_words(district, d.rule)
        at, grade = local(d.detected_at, zone), in_words(d.level, d.action)
        line = Text(
            f"    {at} {d.rule}（{name.zh}）{HAZARD_ZH[d.hazard]}: {grade.zh}",
            f"    {at} {d.rule} ({name.en}), {HAZARD_EN[d.hazard]}: {grade.en}",
        )
        yield line + Text("，存疑", ", suspect") if d.suspect else line
    people = [d for d in f.decisions if d.by != "policy" or d.act == "reject"]
    if people:
        yield Text("人的决定：", "people's decisions:")
    for one in people[-6:]:
        at = local(one.decided_at, zone)
        yield Text(
            f"    {at} {one.by} {ACT_ZH[one.act]} {HAZARD_ZH[one.hazard]}: {zh(one.reason)}",
            f"    {at} {one.by} {one.act} {HAZARD_EN[one.hazard]}: {en(one.reason)}",
        )


def sparkline(district: District, n: Near, series: Series, at: int) -> Iterator[Said]:
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
    what = Text("10 分钟雨量", "rain in 10 min") if sums else Text(q.zh, q.name)
    span = f"{low:g} … {high:.4g} {q.unit}"
    yield Text(
        f"{station} {what.zh}，{span}（· 无数据）", f"{station} {what.en}, {span} (· nothing heard)"
    )
    yield f"    {bars}"
    begin, end = local(at - 12 * _HOUR_MS, zone), local(at, zone)
    yield f"    {begin}{' ' * (_COLUMNS - len(begin) - len(end))}{end}"
