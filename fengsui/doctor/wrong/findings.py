"""What is wrong with one station or node, layer by layer: whether anything came at all, what was refused,
how late and how whole readings are, what the quality tests say, who uses them. Pure."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from config.language import Text, en, joined, zh
from config.records.quantity import QUANTITIES
from console.model.flags import Flagged
from fengsui.doctor.case import LAYERS, MINUTE, Case, Finding, Weight, span
from fengsui.doctor.uses import rules_of, watching
from fengsui.doctor.words import OURS, WHOSE_TIME, meaning
from fengsui.doctor.wrong.links import link
from fengsui.doctor.wrong.nodes import of_node
from fengsui.doctor.wrong.radio import radio
from fengsui.doctor.wrong.refused import refused
from fengsui.doctor.wrong.units import factor
from ingest.observation import Flag

_GAPS, _MANY_GAPS = 0.1, 0.5  # share of the last day that did not come
_LEAST_DUE = 12  # slots, before a share says anything
_SLOWER = 1.5  # the interval heard, of the one declared
_FEW = 5
_NAMED = 6
_BLIND_FLAGS = ("clogged", "clock_ahead")
_AND = Text("、", ", ")
_COUNTERS = ("counter_reset", "counter_wrap", "counter_jump")


def findings(case: Case, name: str) -> list[Finding]:
    """Of a station or node, worst first."""
    found = [*_service(case, name), *link(case, name), *refused(case, name)]
    if name in case.district.stations:
        found += [*_clock(case, name), *_gaps(case, name), *_quality(case, name), *_use(case, name)]
    else:
        found += of_node(case, name)
    found += [*_battery(case, name), *radio(case, name)]
    return sorted(found, key=lambda f: (-f.weight, LAYERS.index(f.layer)))


def _service(case: Case, name: str) -> Iterator[Finding]:
    said = case.view.in_service(case.now).get(name)
    if said is not None:
        until = case.when(said.until_at, "%m-%d %H:%M")
        yield Finding(
            "in_service",
            "rule",
            Weight.NOTE,
            Text(
                f"维护中，至 {until}（{said.by}：{zh(said.reason)}）：读数照收，不研判",
                f"in service until {until} ({said.by}: {en(said.reason)}): readings are kept, not judged",
            ),
            Text(
                f"做完就提前结束：fengsui station back {name} --by …",
                f"when it is done: fengsui station back {name} --by …",
            ),
        )


def _clock(case: Case, name: str) -> Iterator[Finding]:
    """How late readings come, by their own time."""
    recent = [r for r in case.heard.of(name).recent if r.test not in OURS]
    late_ms = case.district.rules.lateness_s * 1000
    if len(recent) >= _FEW:
        lag = median(r.received_at - r.observed_at for r in recent[-_FEW:])
        plan_ms = case.plan(name).interval_s * 1000
        if lag > late_ms:
            yield Finding(
                "history_only",
                "reading",
                Weight.BLIND,
                Text(
                    f"读数晚到 {span(lag).zh}，超过 {span(late_ms).zh}：只进历史，不研判",
                    f"readings come {span(lag).en} late, over {span(late_ms).en}: history, judged by nobody",
                ),
                _CLOCK_OR_LINK,
            )
        elif lag > max(10 * MINUTE, 2 * plan_ms):
            yield Finding(
                "late",
                "reading",
                Weight.DOUBT,
                Text(
                    f"读数晚到 {span(lag).zh}：时钟慢，或链路慢",
                    f"readings come {span(lag).en} late: a slow clock, or a slow link",
                ),
                _CLOCK_OR_LINK,
            )
    ours = [r for r in case.heard.of(name).recent if r.test in OURS]
    if ours:
        yield Finding(
            "no_time",
            "reading",
            Weight.NOTE,
            Text(
                "读数不带时间，用的是收到（或发报）时间：链路积压时时间不对，重发会重复计",
                "readings have no time of their own, that of receipt (or sending) is taken: wrong when the "
                "link waits, and counted twice when a device says it again",
            ),
            Text("让设备带 time 上报", "let the device send `time`"),
        )


_CLOCK_OR_LINK = Text(
    "对表：设备时钟慢就校时（NTP）；时钟对就查链路、网关缓存",
    "compare its clock: set it (NTP) if it is slow; if it is right look at the link and the gateway's queue",
)


def _gaps(case: Case, name: str) -> Iterator[Finding]:
    """Of the last day: what did not come, at what interval it does come, numbers that are missing."""
    thing = case.heard.of(name)
    came, due = slots(case, name)
    if thing.last is not None and due >= _LEAST_DUE and came < (1 - _GAPS) * due:
        share = 1 - came / due
        yield Finding(
            "gaps",
            "reading",
            Weight.DOUBT if share > _MANY_GAPS else Weight.NOTE,
            Text(
                f"过去 24 小时应有 {due} 次，缺 {share:.0%}",
                f"{share:.0%} of the {due} reports due in the last 24 h are missing",
            ),
            Text("查信号、供电；看缺的是哪几段", "look at signal and power, and at when it was"),
        )
    heard_s = interval_s(case, name)
    plan_s = case.plan(name).interval_s
    if heard_s is not None and heard_s > _SLOWER * plan_s:
        yield Finding(
            "interval",
            "reading",
            Weight.NOTE,
            Text(
                f"实际约 {span(heard_s * 1000).zh}一报，登记的是 {span(plan_s * 1000).zh}",
                f"it reports every {span(heard_s * 1000).en}, and is declared with {span(plan_s * 1000).en}",
            ),
            Text(
                "改设备的间隔，或改 stations.csv 的 interval_s、silent_after_s",
                "set the device's interval, or mend interval_s and silent_after_s of stations.csv",
            ),
        )
    numbers = thing.numbers
    if numbers is None:
        return
    if numbers.restarts:
        yield Finding(
            "seq_restarted",
            "reading",
            Weight.NOTE,
            Text(
                f"过去 24 小时序号回退 {numbers.restarts} 次：设备重启过",
                f"its numbers fell {numbers.restarts} times in the last 24 h: the device started again",
            ),
            Text("查供电和看门狗", "look at its power and its watchdog"),
        )
    elif skipped := numbers.skipped:
        yield Finding(
            "seq_lost",
            "reading",
            Weight.NOTE,
            Text(
                f"序号缺 {skipped} 个：设备发了而没有到",
                f"{skipped} numbers are missing: sent, and never here",
            ),
            Text(
                "让设备用 QoS 1 并补发；查服务器的持久化",
                "let the device use QoS 1 and send again; look at the broker's persistence",
            ),
        )


def slots(case: Case, name: str) -> tuple[int, int]:
    """Of the last day: slots in which something came, and those in which it was due."""
    thing = case.heard.of(name)
    plan_ms = max(1, case.plan(name).interval_s) * 1000
    begin = max(case.heard.since, min(case.started_at, case.now))
    due = int((case.now - begin) // plan_ms)
    return min(sum(thing.slots), due), due


def interval_s(case: Case, name: str) -> float | None:
    """The median time between its readings; None where too few came."""
    at = sorted({r.observed_at for r in case.heard.of(name).recent})
    if len(at) <= _FEW:
        return None
    return median(b - a for a, b in pairwise(at)) / 1000


def _quality(case: Case, name: str) -> Iterator[Finding]:
    for flag in case.view.flags.of(name):
        yield _flagged(case, flag)
    held = held_tests(case, name)
    for test, since in sorted(held.items()):
        yield _test(case, test, since, "")
    thing = case.heard.of(name)
    last = thing.last
    if last is not None and last.flag in (Flag.SUSPECT, Flag.FAIL) and last.test not in held:
        yield _test(case, last.test, last.observed_at, _many(thing.tests[last.test], thing.count))
    if again := [at for at, test in thing.said if test in _COUNTERS and test not in held]:
        yield Finding(
            "counter_restarted",
            "quality",
            Weight.NOTE,
            Text(
                f"累计值在过去 24 小时归零或突跳，最后 {case.when(again[-1])}",
                f"its total began again or jumped in the last 24 h, last at {case.when(again[-1])}",
            ),
            meaning("counter_reset").todo,
        )
    if f := factor(case.district, case.heard.things, name):
        yield _factor(f.times, f.of)


def held_tests(case: Case, name: str) -> dict[str, int]:
    """Tests of detect that hold now -> since when."""
    return {
        test: since
        for what, (test, since) in case.view.tests.items()
        if what.partition(" ")[0] == name and test not in WHOSE_TIME
    }


def _many(flagged: int, of: int) -> Text:
    return Text(f"，24 小时内 {flagged}/{of} 条", f", {flagged} of {of} within 24 h")


def _flagged(case: Case, flag: Flagged) -> Finding:
    since = case.when(flag.since_at, "%m-%d %H:%M")
    return Finding(
        flag.test,
        "quality",
        Weight.BLIND if flag.test in _BLIND_FLAGS else Weight.DOUBT,
        Text(f"{flag.zh}，自 {since}", f"{flag.en}, since {since}"),
        Text(flag.todo_zh, flag.todo_en),
    )


def _test(case: Case, test: str, since: int, more: Text | str) -> Finding:
    known, at = meaning(test), case.when(since, "%m-%d %H:%M")
    kind = Text("读数看不到实况", "shows nothing") if known.blind else Text("读数存疑", "suspect")
    return Finding(
        test.replace(" ", "_") or "suspect",
        "quality",
        Weight.BLIND if known.blind else Weight.DOUBT,
        Text(
            f"{kind.zh}：{known.what.zh}（{test}），自 {at}{zh(more)}",
            f"{kind.en}: {known.what.en} ({test}), since {at}{en(more)}",
        ),
        known.todo,
    )


_COMPARED = {
    "range": Text("本站量程", "its own range"),
    "before": Text("它自己先前的读数", "its own readings before"),
    "neighbours": Text("邻站的日雨量", "the day's rain of its neighbours"),
}


def _factor(times: float, of: str) -> Finding:
    beside = _COMPARED[of]
    return Finding(
        "unit_factor",
        "quality",
        Weight.DOUBT,
        Text(
            f"单位或换算可疑：与{beside.zh}相比约 {times:.4g} 倍",
            f"unit or factor looks wrong: about {times:.4g} times {beside.en}",
        ),
        Text(
            "核对设备的单位、翻斗分辨率、telemetry.csv 的 scale；m 与 mm、mm 与 0.1 mm 常混",
            "compare the device's unit, the size of its tip, scale of telemetry.csv: m and mm, mm and 0.1 mm "
            "are often taken for each other",
        ),
    )


def _use(case: Case, name: str) -> Iterator[Finding]:
    station, areas = case.district.stations[name], watching(case.district, name)
    quantity = QUANTITIES[station.quantity]
    if not case.district.groups_of_station.get(name):
        yield Finding(
            "not_watched",
            "rule",
            Weight.BLIND,
            Text(
                "没有一个区看它：读数收下，谁也不研判，也不存",
                "no area watches it: what it says is taken by nobody, and not kept",
            ),
            Text(f"在 watch.csv 加一行 区,{name}", f"add a row AREA,{name} to watch.csv"),
        )
    elif not rules_of(case.district, name):
        yield Finding(
            "no_rule",
            "rule",
            Weight.DOUBT,
            Text(
                f"没有规则用它的{quantity.zh}：只存历史",
                f"no rule uses its {quantity.name}: history alone",
            ),
            Text(
                "在阈值表或 rules.toml 给这个要素写规则",
                "write a rule of this quantity in the tables of thresholds or rules.toml",
            ),
        )
    for area in areas:
        said = case.view.coverage.get(area)
        if said is None or not said.thin or said.coverage is None:
            continue
        cover = said.coverage
        dark = [*cover.silent, *cover.service]
        names = joined(dark[:_NAMED], _AND) + ("…" if len(dark) > _NAMED else "")
        yield Finding(
            "thin",
            "rule",
            Weight.NOTE,
            Text(
                f"{area} 证据不足（{cover.live}/{cover.expected} 站可用；缺 {zh(names)}）：不自动解除",
                f"{area} has thin evidence ({cover.live} of {cover.expected} stations; without {en(names)}): "
                "nothing there is called off by itself",
            ),
            Text("先修缺的那些站", "mend the missing ones first"),
        )


def _battery(case: Case, name: str) -> Iterator[Finding]:
    last = case.heard.of(name).newest.get("battery")
    if last is not None and last.value < 200:
        share = QUANTITIES["battery"].amount(last.value)
        yield Finding(
            "battery_low",
            "link",
            Weight.DOUBT,
            Text(f"电量 {share:g} %", f"battery {share:g} %"),
            Text(
                "查太阳能板、充电；在断电前换电池",
                "look at panel and charger; change the battery before it is dead",
            ),
        )
