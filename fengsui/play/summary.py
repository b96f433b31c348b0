"""The one screen at the end: how early each village was told to prepare and to move, and why; the last
report; who was reached, who was not."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Line

from config.language import Text, joined
from config.records.district import District
from config.records.level import ACTION_EN, ACTION_ZH, Action, Level
from console.model.view import REACHED, View
from dispatch.records import Alert, kind_words, state_words
from dispatch.words.channel_names import CHANNEL_WORDS
from dispatch.words.local_time import local
from fengsui.play.screen import badge
from fengsui.review.incident.order_leads import (
    FirstOrder,
    VillageOrders,
    order_counts,
    village_orders,
)
from skill.verify.storms import LEAD_S, StormScore
from stream.environment import spoken

_ROWS = 30
_BY_RULE = Text("按规定", "rule:")


def _peak(versions: list[Alert]) -> tuple[Level, Action]:
    return max(v.level for v in versions), max(v.action for v in versions)


def _orders(view: View, district: District, score: StormScore | None) -> RenderableType:
    """By village: when the water came, how early each order was, why, who let it out and how long it waited."""
    flooded: dict[str, int] = {}
    for hit in score.rows if score else ():
        if hit.flooded_at is not None:
            flooded[hit.area] = min(hit.flooded_at, flooded.get(hit.area, hit.flooded_at))
    rows = village_orders(district, view.first.values(), flooded)
    # the last column takes what is left; the others are never cut for it
    table = Table(box=None, padding=(0, 1), expand=True)
    for title, width in (
        (Text("村", "village"), 10),
        (Text("成灾", "flood"), 5),
        (Text("准备转移", "prepare"), 13),
        (Text("立即转移", "move now"), 13),
        (Text("谁签、等了", "by, after"), 13),
        (Text("依据", "why"), None),
    ):
        table.add_column(
            spoken(title),
            no_wrap=True,
            overflow="ellipsis",
            width=width,
            ratio=None if width else 1,
        )
    zone = district.timezone
    shown = [r for r in rows if r.flooded_at is not None] or rows
    for r in shown[:_ROWS]:
        area, order = district.areas[r.area], r.move or r.prepare
        table.add_row(
            spoken(Text(area.name, area.name_en)),
            local(r.flooded_at, zone, "%H:%M") if r.flooded_at else "",
            _early(r.prepare, zone),
            _early(r.move, zone),
            _signed(order) if order else "",
            spoken(order.why) if order else "",
        )
    lines: list[RenderableType] = [table]
    enough_min = district.policy.orders.lead_min
    for action in (Action.PREPARE, Action.MOVE):
        lines.append(_counted(rows, action, enough_min))
    lines += _unanswered(rows, district)
    given = [o for r in rows for o in (r.prepare, r.move) if o is not None]
    if given and district.policy.exercise_releases and all(o.by == "policy" for o in given):
        words = Text(
            "演练按 policy.toml 即时下达，没有人签字，也就没有等；实战由有权的人签发",
            "An exercise gives orders at once, as policy.toml says: nobody signed, nothing waited. In a "
            "live run those who may sign them",
        )
        lines.append(Line(spoken(words), "dim"))
    if len(shown) > _ROWS:
        more = len(shown) - _ROWS
        lines.insert(1, Line(spoken(Text(f"… 另有 {more} 个", f"… and {more} more"))))
    return Group(*lines)


def _early(order: FirstOrder | None, zone: str) -> Line:
    """19:35 早25分; late and never are told as that."""
    if order is None:
        return Line(spoken(Text("没有", "never")), "bold red")
    at, lead = local(order.at, zone, "%H:%M"), order.lead_s
    if lead is None:
        return Line(at)
    minutes = abs(lead) // 60
    words = Text(f"早{minutes}分", f"{minutes} min")
    if lead <= 0:
        words = Text(f"晚{minutes}分", f"{minutes} min LATE")
    return Line(f"{at} {spoken(words)}", "bold red" if lead <= 0 else "")


def _unanswered(rows: list[VillageOrders], district: District) -> list[RenderableType]:
    """Orders that were proposed in time and that nobody let out: not the rules were late there."""
    told = []
    for r in rows:
        if not r.unanswered or r.flooded_at is None:
            continue
        area = district.areas[r.area]
        orders = [
            (ACTION_ZH[x.action], ACTION_EN[x.action],
             local(x.at, district.timezone, "%H:%M"), (x.lead_s or 0) // 60)
            for x in r.unanswered
        ]  # fmt: skip
        each = (Text(f"{zh} {at} 早{n}分", f"{en} {at}, {n} min") for zh, en, at, n in orders)
        told.append(Text(area.name + " ", area.name_en + " ") + joined(each, Text("、", ", ")))
    if not told:
        return []
    words = Text(
        "提请了而没有人发布（成灾前）：", "proposed before the flood, and nobody let it out: "
    )
    return [Line(spoken(words + joined(told, Text("；", "; "))), "bold red")]


def _signed(order: FirstOrder) -> str:
    who = spoken(_BY_RULE) if order.by == "policy" else order.by
    minutes, seconds = divmod(order.waited_s, 60)
    if not order.waited_s:
        return f"{who} {spoken(Text('未等', 'at once'))}"
    waited = Text(f"等{minutes}分{seconds:02d}秒", f"{minutes}:{seconds:02d} min")
    return f"{who} {spoken(waited)}"


def _counted(rows: list[VillageOrders], action: Action, enough_min: int) -> Line:
    n = order_counts(rows, action, enough_min * 60)
    named = Text(ACTION_ZH[action], ACTION_EN[action])
    median = "–" if n.median_s is None else str(n.median_s // 60)
    return Line(
        spoken(
            Text(
                f"{named.zh}：成灾 {n.flooded} 村，提前 {enough_min} 分钟以上 {n.enough}，不足 {n.short}，"
                f"来不及 {n.late}，没有 {n.never}；提前的中位 {median} 分钟；下达而未成灾 {n.vain} 村",
                f"{named.en}: of {n.flooded} flooded villages {n.enough} had it {enough_min} min before or "
                f"more, {n.short} less, {n.late} too late, {n.never} never; median of those before "
                f"{median} min; {n.vain} had it and nothing came",
            )
        ),
        "bold red" if n.late or n.never else "bold",
    )


def _last_report(view: View, district: District) -> RenderableType:
    """The incident's reports by number, and the last one's words."""
    if not view.reports:
        return Line(spoken(Text("没有达到须报告的程度", "nothing that had to be reported")))
    kinds = Counter(r.kind for r in view.reports)
    first, last = view.reports[0], view.reports[-1]
    words = kind_words(first.kind)
    head = Text(
        f"{'、'.join(f'{k} {n}' for k, n in kinds.items())}；{words.zh} "
        f"{local(first.reported_at, district.timezone, '%H:%M')}",
        f"{', '.join(f'{kind_words(k).en} {n}' for k, n in kinds.items())}; {words.en} at "
        f"{local(first.reported_at, district.timezone, '%H:%M')}",
    )
    return Group(Line(spoken(head)), Line(spoken(last.text)))


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
        way = spoken(CHANNEL_WORDS.get(sent.channel, sent.channel))
        where = f" ({spoken(place)})" if sent.delivery.area else ""
        lines.append(
            Line(f"{sent.delivery.recipient}{where} {way}{spoken(Text('：', ': '))}{state}")
        )
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
        spoken(
            Text(
                f"每村每灾种计一次，橙色或指令提前 {LEAD_S // 60} min 以上为命中：",
                f"each village and hazard once, orange or an order {LEAD_S // 60} min before is a hit: ",
            )
        )
    )
    text.append(
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
    seed = Text(f"，种子 {run.seed}", f", seed {run.seed}") if run else ""
    scenario = run.scenario + spoken(seed) if run and run.scenario else ""
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
        Panel(
            _orders(view, district, score),
            title=spoken(Text("转移指令早不早，为什么", "how early the orders came, and why")),
        ),
        Panel(_last_report(view, district), title=spoken(Text("报告", "reports"))),
        Panel(_reach(view), title=spoken(Text("到达", "who was reached"))),
        Panel(_missed(view, district), title=spoken(Text("未到达", "who was not"))),
    )
