"""The one screen at the end: what was warned and when, how long before the flood, who was reached,
who was not."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Line

from config.language import Text
from config.records.district import District
from config.records.level import ACTION_EN, ACTION_ZH, Action, Level, hazard_words
from console.model.view import REACHED, View
from dispatch.records import Alert, state_words
from dispatch.words.channel_names import CHANNEL_WORDS
from dispatch.words.local_time import local
from fengsui.play.screen import badge
from skill.verify.storms import StormScore
from stream.environment import spoken

_ROWS = 24


def _peak(versions: list[Alert]) -> tuple[Level, Action]:
    return max(v.level for v in versions), max(v.action for v in versions)


def _first_at(versions: list[Alert], action: Action, level: Level) -> int | None:
    for v in versions:
        if (action and v.action >= action) or (level and v.level >= level):
            return v.sent_at
    return None


def _warned(view: View, district: District, score: StormScore | None) -> RenderableType:
    table = Table(box=None, padding=(0, 1))
    for title in (
        spoken(Text("预警区", "area")),
        spoken(Text("灾种", "hazard")),
        spoken(Text("最高", "peak")),
        spoken(Text("首次", "first")),
        spoken(Text("转移", "move")),
        spoken(Text("成灾", "flood")),
        spoken(Text("提前", "lead")),
        spoken(Text("解除", "end")),
    ):
        table.add_column(title, no_wrap=True)
    leads = {(r.area, r.hazard): r for r in score.rows} if score else {}
    rows = sorted(view.first.items(), key=lambda kv: (-_peak(kv[1])[1], -_peak(kv[1])[0], kv[0]))
    zone = district.timezone
    for _, versions in rows[:_ROWS]:
        last = versions[-1]
        area = district.areas[last.area]
        move = _first_at(versions, Action.MOVE, Level.NONE)
        truth = leads.get((last.area, last.hazard))
        flooded = truth.flooded_at if truth else None
        lead = truth.lead_s if truth else None
        table.add_row(
            spoken(Text(f"{area.township} {area.name}", area.name_en)),
            spoken(hazard_words(last.hazard)),
            badge(*_peak(versions)),
            local(versions[0].sent_at, zone, "%H:%M"),
            local(move, zone, "%H:%M") if move else "",
            local(flooded, zone, "%H:%M") if flooded else "",
            f"{lead // 60} min" if lead is not None else "",
            local(last.sent_at, zone, "%H:%M")
            if last.msg_type == "cancel"
            else spoken(Text("未", "open")),
        )
    if len(rows) > _ROWS:
        table.caption = spoken(
            Text(f"… 另有 {len(rows) - _ROWS} 个", f"… and {len(rows) - _ROWS} more")
        )
    return table


def _reach(view: View) -> RenderableType:
    """A recipient counts once a channel, with the best that happened to it."""
    table = Table(box=None, padding=(0, 1))
    for title in (
        spoken(Text("渠道", "channel")),
        spoken(Text("对象", "recipients")),
        spoken(Text("到达", "reached")),
        spoken(Text("其中叫应", "answered")),
        spoken(Text("其中播出", "played")),
        spoken(Text("未到达", "not reached")),
    ):
        table.add_column(title, justify="left" if not table.columns else "right")
    best: dict[tuple[str, str], str] = {}
    for sent in view.sent.values():
        if sent.state == "superseded":
            continue
        key = (sent.channel, sent.delivery.recipient)
        order = ("failed", "expired", "queued", "sent", "playing", *reversed(REACHED))
        if order.index(sent.state) >= order.index(best.get(key, "failed")):
            best[key] = sent.state
    by_channel: dict[str, Counter[str]] = {}
    for (channel, _), state in best.items():
        by_channel.setdefault(channel, Counter())[state] += 1
    for channel, states in sorted(by_channel.items()):
        reached = sum(states[s] for s in REACHED)
        table.add_row(
            spoken(CHANNEL_WORDS.get(channel, channel)),
            str(states.total()),
            str(reached),
            str(states["answered"] or ""),
            str(states["played"] or ""),
            str(states.total() - reached or ""),
        )
    return table


def _missed(view: View, district: District) -> RenderableType:
    lines: list[Line] = []
    seen = set()
    for sent in view.undelivered():
        key = (sent.delivery.recipient, sent.channel)
        if key in seen:
            continue
        seen.add(key)
        area = district.areas.get(sent.delivery.area)
        place = Text(f"{area.township}{area.name}", area.name_en) if area else sent.delivery.area
        state = spoken(state_words(sent.state))
        lines.append(Line(f"{sent.delivery.recipient} ({spoken(place)}) {sent.channel}: {state}"))
    if not lines:
        return Line(spoken(Text("无", "nobody")), "green")
    more = (
        [Line(spoken(Text(f"… 另有 {len(lines) - 12} 个", f"… and {len(lines) - 12} more")))]
        if len(lines) > 12
        else []
    )
    return Group(*lines[:12], *more)


def _score_line(score: StormScore | None) -> Line:
    if score is None:
        return Line(spoken(Text("没有模拟真值", "no simulated truth to score against")))
    text = Line(
        spoken(Text(f"漏报 {score.misses}", f"misses {score.misses}")),
        "bold red" if score.misses else "bold green",
    )
    text.append(
        spoken(
            Text(
                f"  空报 {score.false_alarms}  命中 {score.hits}",
                f"  false alarms {score.false_alarms}  hits {score.hits}",
            )
        ),
        "default",
    )
    leads = sorted(r.lead_s for r in score.rows if r.lead_s is not None)
    if leads:
        text.append(
            spoken(
                Text(
                    f"  提前量：中位 {leads[len(leads) // 2] // 60} min，最短 {leads[0] // 60} min",
                    f"  lead time: median {leads[len(leads) // 2] // 60} min, shortest "
                    f"{leads[0] // 60} min",
                )
            ),
            "default",
        )
    return text


def summary(view: View, district: District, score: StormScore | None = None) -> RenderableType:
    """The end of a storm on one screen."""
    run = view.run
    scenario = f"{run.scenario} seed {run.seed}" if run and run.scenario else ""
    counts = Counter(_peak(v)[0] for v in view.first.values())
    head = Line(
        spoken(
            Text(
                f"{scenario}  预警 {len(view.first)}：", f"{scenario}  warnings {len(view.first)}: "
            )
        )
        + "  ".join(
            f"{badge(lv).plain.strip()} {counts[lv]}" for lv in reversed(Level) if counts[lv]
        )
    )
    moves = sum(_peak(v)[1] == Action.MOVE for v in view.first.values())
    head.append(
        spoken(
            Text(
                f"  {ACTION_ZH[Action.MOVE]} {moves}  报告 {len(view.reports)}",
                f"  {ACTION_EN[Action.MOVE]} {moves}  reports {len(view.reports)}",
            )
        )
    )
    return Group(
        Panel(
            Group(head, _score_line(score)),
            title=spoken(Text("烽燧 总结 演练", "Fengsui summary EXERCISE")),
        ),
        Panel(_warned(view, district, score), title=spoken(Text("预警", "what was warned"))),
        Panel(_reach(view), title=spoken(Text("到达", "who was reached"))),
        Panel(_missed(view, district), title=spoken(Text("未到达", "who was not"))),
    )
