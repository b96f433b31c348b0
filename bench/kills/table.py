"""What a campaign found, as a table that a person reads. Pure."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.kills.campaign import Campaigned, Struck
from bench.kills.plan import KINDS
from bench.kills.promises import PROMISES
from config.language import Said, Text

_COUNTED = {
    "readings": Text("应答过的读数", "acknowledged readings"),
    "lost readings": Text("  丢失", "  lost"),
    "in mosquitto's window": Text(
        "  在 mosquitto 写盘的一秒内丢失", "  lost in mosquitto's second"
    ),
    "repeated readings": Text("  日志里重复、只算一次", "  said again in the log, counted once"),
    "decisions": Text("应答过的决定", "acknowledged decisions"),
    "lost decisions": Text("  丢失", "  lost"),
    "doubled decisions": Text("  办了两次", "  done twice"),
    "records again": Text("各环节所写的记录", "records that stages wrote"),
    "lost records": Text("  丢失", "  lost"),
    "doubled records": Text("  重复", "  doubled"),
    "versions": Text("预警（各版）", "warnings, each version"),
    "deliveries": Text("消息", "deliveries"),
    "posts": Text("网关收到", "posts at the gateway"),
    "posts by the same key": Text(
        "  同键重发，网关识得", "  again by the same key, which the gateway knows"
    ),
    "doubled": Text("  了结之后又发", "  after its end"),
    "stale": Text("  过时", "  stale"),
    "sounded": Text("喇叭播出", "loudspeakers sounded"),
    "entered": Text("台账条目", "entries of the ledger"),
    "points": Text("历史库的点", "points of history"),
    "lost points": Text("  缺", "  missing"),
}


def rows(told: Sequence[Campaigned]) -> Iterator[Said]:
    """Kills by target, other faults by kind, what was counted, what was broken."""
    struck = [s for t in told for s in t.struck]
    head = f"{'':24s} {'n':>4s}"
    yield Text(f"{head}  恢复  中位     p95     最长", f"{head}  back  median     p95     max")
    kills = [s for s in struck if s.fault.kind == "kill"]
    for target in sorted({s.fault.target for s in kills}):
        yield _row(f"kill -9 {target}", [s for s in kills if s.fault.target == target])
    yield _row("kill -9", kills)
    for kind, words in KINDS.items():
        others = [s for s in struck if s.fault.kind == kind]
        if kind != "kill" and others:
            yield words + _row("", others)
    fell = Counter(f"{name} ({s.fault.kind} {s.fault.target})" for s in struck for name in s.fell)
    for name, n in fell.items():
        yield Text(f"! 自行结束 {n} 次：{name}", f"! ended by itself {n} times: {name}")
    counted: Counter[str] = Counter()
    for one in told:
        if one.verdict is not None:
            counted += one.verdict.counted
    for key, words in _COUNTED.items():
        yield Text(f"{counted[key]:9d}  ", f"{counted[key]:9d}  ") + words
    yield from _broken(told)


def _broken(told: Sequence[Campaigned]) -> Iterator[Said]:
    for one in told:
        if not one.rested:
            yield Text(f"✗ 种子 {one.seed}：没有静下来", f"✗ seed {one.seed}: did not come to rest")
        for name, found in one.verdict.broken.items() if one.verdict is not None else ():
            yield Text(f"✗ 种子 {one.seed}：", f"✗ seed {one.seed}: ") + PROMISES[name][0]
            yield from (f"    {words}" for words in found[:5])


def whole(told: Sequence[Campaigned]) -> bool:
    """Everything came back, and every promise was kept."""
    return all(
        t.rested
        and t.verdict is not None
        and not t.verdict.broken
        and all(s.back_s is not None for s in t.struck)
        for t in told
    )


def _row(name: str, those: Sequence[Struck]) -> str:
    back = sorted(s.back_s for s in those if s.back_s is not None)
    figures = ""
    if back:
        p95 = back[min(len(back) - 1, round(len(back) * 0.95))]
        figures = f"{statistics.median(back):6.1f} s {p95:6.1f} s {back[-1]:6.1f} s"
    return f"{name:24s} {len(those):4d} {len(back):5d}  {figures}"
