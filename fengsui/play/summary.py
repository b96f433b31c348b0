"""The one screen at the end: what was warned and when, how long before the flood, who was reached,
who was not."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from config.records.district import District
from config.records.level import ACTION_ZH, HAZARD_ZH, Action, Level
from console.model.view import REACHED, View
from dispatch.records import Alert, state_words
from dispatch.words.channel_names import CHANNEL_ZH
from dispatch.words.local_time import local
from fengsui.play.screen import badge
from skill.verify.storms import StormScore

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
    for title in ("预警区 area", "灾种", "最高 peak", "首次", "转移", "成灾", "提前", "解除"):
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
            f"{area.township} {area.name}",
            HAZARD_ZH.get(last.hazard, last.hazard),
            badge(*_peak(versions)),
            local(versions[0].sent_at, zone, "%H:%M"),
            local(move, zone, "%H:%M") if move else "",
            local(flooded, zone, "%H:%M") if flooded else "",
            f"{lead // 60} min" if lead is not None else "",
            local(last.sent_at, zone, "%H:%M") if last.msg_type == "cancel" else "未 open",
        )
    if len(rows) > _ROWS:
        table.caption = f"… 另有 and {len(rows) - _ROWS} more"
    return table


def _reach(view: View) -> RenderableType:
    """A recipient counts once a channel, with the best that happened to it."""
    table = Table(box=None, padding=(0, 1))
    for title in (
        "渠道 channel",
        "对象 recipients",
        "到达 reached",
        "其中叫应 answered",
        "其中播出 played",
        "未到达 not reached",
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
            CHANNEL_ZH.get(channel, channel),
            str(states.total()),
            str(reached),
            str(states["answered"] or ""),
            str(states["played"] or ""),
            str(states.total() - reached or ""),
        )
    return table


def _missed(view: View, district: District) -> RenderableType:
    lines: list[Text] = []
    seen = set()
    for sent in view.undelivered():
        key = (sent.delivery.recipient, sent.channel)
        if key in seen:
            continue
        seen.add(key)
        area = district.areas.get(sent.delivery.area)
        place = f"{area.township}{area.name}" if area else sent.delivery.area
        state = state_words(sent.state)
        lines.append(Text(f"{sent.delivery.recipient} ({place}) {sent.channel}: {state}"))
    if not lines:
        return Text("无 nobody", "green")
    more = [Text(f"… 另有 and {len(lines) - 12} more")] if len(lines) > 12 else []
    return Group(*lines[:12], *more)


def _score_line(score: StormScore | None) -> Text:
    if score is None:
        return Text("没有模拟真值 no simulated truth to score against")
    text = Text(f"漏报 misses {score.misses}", "bold red" if score.misses else "bold green")
    text.append(f"  空报 false alarms {score.false_alarms}  命中 hits {score.hits}", "default")
    leads = sorted(r.lead_s for r in score.rows if r.lead_s is not None)
    if leads:
        text.append(
            f"  提前量 lead time: 中位 median {leads[len(leads) // 2] // 60} min, "
            f"最短 shortest {leads[0] // 60} min",
            "default",
        )
    return text


def summary(view: View, district: District, score: StormScore | None = None) -> RenderableType:
    """The end of a storm on one screen."""
    run = view.run
    scenario = f"{run.scenario} seed {run.seed}" if run and run.scenario else ""
    counts = Counter(_peak(v)[0] for v in view.first.values())
    head = Text(
        f"{scenario}  预警 warnings {len(view.first)}: "
        + "  ".join(
            f"{badge(lv).plain.strip()} {counts[lv]}" for lv in reversed(Level) if counts[lv]
        )
    )
    moves = sum(_peak(v)[1] == Action.MOVE for v in view.first.values())
    head.append(f"  {ACTION_ZH[Action.MOVE]} {moves}  报告 reports {len(view.reports)}")
    return Group(
        Panel(Group(head, _score_line(score)), title="烽燧 Fengsui 总结 summary 演练 EXERCISE"),
        Panel(_warned(view, district, score), title="预警 what was warned"),
        Panel(_reach(view), title="到达 who was reached"),
        Panel(_missed(view, district), title="未到达 who was not"),
    )
