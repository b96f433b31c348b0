"""The terminal: the storm as it moves over the district, and the summary at its end."""

from collections import Counter
from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Line

from config.language import Text
from config.records.district import District
from config.records.level import (
    ACTION_EN,
    ACTION_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    Action,
    Level,
    hazard_words,
)
from console.model.view import Change, View
from dispatch.grade import Grade
from dispatch.records import STATE_ZH, state_words
from dispatch.words.channel_names import CHANNEL_WORDS
from dispatch.words.evidence import evidence
from dispatch.words.local_time import local
from stream.environment import spoken

_STYLE = {
    Level.NONE: "dim",
    Level.BLUE: "bold white on #1e6fd9",
    Level.YELLOW: "bold black on #f2c200",
    Level.ORANGE: "bold black on #f57c00",
    Level.RED: "bold white on #d50000",
}
# never colour alone: a shape and a word too
_SHAPE = {Level.NONE: "·", Level.BLUE: "○", Level.YELLOW: "△", Level.ORANGE: "◇", Level.RED: "⬟"}


# below the last screen of a run that nobody has stopped yet
STAYS = Text("放完了；按 Ctrl-C 结束。", "Played to the end; Ctrl-C ends the run.")


def badge(level: Level, action: Action = Action.NONE) -> Line:
    """Level and action, by colour, shape and word."""
    text = Line()
    if level or not action:  # an order without a colour is no 无
        text.append(
            f" {_SHAPE[level]} {spoken(Text(LEVEL_ZH[level], LEVEL_EN[level]))} ",
            style=_STYLE[level],
        )
    if action:
        text.append(
            " " + spoken(Text(ACTION_ZH[action], ACTION_EN[action])),
            style="bold red" if action > 1 else "bold",
        )
    return text


def _clock(view: View, district: District) -> RenderableType:
    silent = view.silent()
    live = len(view.last_seen.keys() - silent)
    exercise = (view.ours or view.run) is not None and not view.live
    head = Line()
    head.append(
        spoken(Text(" 演练 ", " EXERCISE ") if exercise else Text(" 实战 ", " LIVE ")),
        style="bold white on purple" if exercise else "bold white on dark_green",
    )
    head.append(f"  {spoken(Text(district.name, district.name_en))}  ")
    if view.clock_at:
        head.append(
            spoken(
                Text("北京时间 ", "Beijing time ")
                + local(view.clock_at, district.timezone, "%Y-%m-%d %H:%M")
            ),
            "bold",
        )
    line = Line(
        spoken(
            Text(
                f"监测站 {live}/{len(district.stations) + len(district.nodes)} 有数据 · 静默 "
                f"{len(silent)} · 读数 {view.readings:,}",
                f"stations {live}/{len(district.stations) + len(district.nodes)} reporting · "
                f"silent {len(silent)} · readings {view.readings:,}",
            )
        )
    )
    if view.dead:
        line.append(
            spoken(
                Text(
                    f" · 坏数据 {sum(view.dead.values())}",
                    f" · dead letters {sum(view.dead.values())}",
                )
            ),
            "bold yellow",
        )
    rates = [
        (mm, view.rain_mm(station.id, 10), spoken(Text(station.name, station.name_en)))
        for station in district.stations.values()
        if station.quantity == "rain" and (mm := view.rain_mm(station.id, 60)) > 0
    ]
    rain = "  ".join(f"{n} {h:.0f} mm/h ({m:.0f}/10min)" for h, m, n in sorted(rates)[:-5:-1])
    return Group(
        head, line, Line(spoken(Text(f"雨强：{rain or '无雨'}", f"rates: {rain or 'no rain'}")))
    )


def _areas(view: View, district: District, rows: int) -> RenderableType:
    table = Table(box=None, padding=(0, 1), expand=True)
    for title in (
        spoken(Text("预警区", "area")),
        spoken(Text("灾种", "hazard")),
        spoken(Text("等级", "level")),
        spoken(Text("自", "since")),
    ):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    # what a narrow terminal cuts off is the evidence, and never what must be done
    title = spoken(Text("依据", "evidence"))
    table.add_column(title, no_wrap=True, overflow="ellipsis", ratio=1)
    alerts = view.open_alerts()
    shown = alerts if len(alerts) <= rows else alerts[: rows - 1]
    for alert in shown:
        area = district.areas[alert.area]
        why = alert.evidence[0] if alert.evidence else None
        text = ""
        if why is not None:
            text = spoken(Text(evidence(district, why, "zh"), evidence(district, why, "en")))
        table.add_row(
            spoken(Text(f"{area.township} {area.name}", area.name_en)),
            spoken(hazard_words(alert.hazard)),
            badge(alert.level, alert.action),
            local(alert.onset_at, district.timezone, "%H:%M"),
            text,
        )
    if rest := len(alerts) - len(shown):
        table.add_row(
            *[""] * 4,
            spoken(Text(f"还有 {rest} 条，在值班台上看", f"{rest} more: see the duty room's page")),
            style="bold",
        )
    return table


def _counts(view: View) -> str:
    counts = Counter(level for level, _ in view.area_levels().values() if level)
    move = sum(action == Action.MOVE for _, action in view.area_levels().values())
    words = [
        f"{_SHAPE[lv]}{spoken(Text(LEVEL_ZH[lv], LEVEL_EN[lv]))} {counts[lv]}"
        for lv in reversed(Level)
        if counts[lv]
    ]
    return "  ".join(words) + (
        spoken(Text("  立即转移 ", "  move now ")) + str(move) if move else ""
    )


def _deliveries(channels: Mapping[str, Counter[str]]) -> RenderableType:
    states = [s for s in STATE_ZH if any(c[s] for c in channels.values())]
    table = Table(box=None, padding=(0, 1))
    table.add_column(spoken(Text("渠道", "channel")), no_wrap=True)
    for state in states:
        table.add_column(spoken(state_words(state)), justify="right")
    for channel, counts in sorted(channels.items()):
        table.add_row(
            spoken(CHANNEL_WORDS.get(channel, channel)),
            *(str(counts[s] or "") for s in states),
        )
    return table


def change_line(change: Change, district: District) -> Line:
    """One change of one area as a line."""
    area = district.areas[change.area]
    at = local(change.at, district.timezone, "%m-%d %H:%M")
    text = Line(at + " " + spoken(Text(f"{area.township}{area.name} ", f"{area.name_en} ")))
    text.append(spoken(hazard_words(change.hazard)) + " ")
    was = Grade(change.was_level, change.was_action)
    if change.msg_type == "cancel":
        over = Text("解除", "all clear") if was else Text("提请撤回", "proposal withdrawn")
        text.append(spoken(over), "bold green")
        return text
    now, asks = Grade(change.level, change.action), Grade(change.asks_level, change.asks_action)
    moved = now != was
    if was:
        text.append(spoken(was.words(change.hazard)) + (spoken(Text("→", " →")) if moved else " "))
    if moved:
        text.append_text(badge(change.level, change.action))
    if asks:
        words = asks.words(change.hazard)
        waits = Text(f"提请{words.zh}，待批", f"proposed: {words.en}, waits for a person")
        text.append((" " if moved else "") + spoken(waits), "bold")
    return text


def screen(view: View, district: District, height: int = 40) -> RenderableType:
    """The live picture."""
    rows = max(5, height - 28)
    recent = Group(*(change_line(c, district) for c in view.changes[-6:]))
    return Group(
        Panel(_clock(view, district), title=spoken(Text("烽燧", "Fengsui"))),
        Panel(
            _areas(view, district, rows),
            title=spoken(Text(f"预警  {_counts(view)}", f"warnings  {_counts(view)}")),
        ),
        Panel(recent, title=spoken(Text("最近变化", "latest changes"))),
        Panel(_deliveries(view.by_channel()), title=spoken(Text("发送", "deliveries"))),
    )
