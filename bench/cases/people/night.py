"""`fengsui bench night`: messages a person in the night of a run that was played, with the night's rules of
the policy and without them, which is the build before.

The run's warnings are addressed anew and go through send's outbox twice, with a carrier that takes all at
once. Beside the counts it says how many people knew at any moment of less than without the rules: none may
who is told by places, and who is told by rounds (`night_round_s`) no longer than a round, of a red or an order
to move no longer than a minute. Whoever was told of an order upstream is to get ready, and so knows as much of
their own place as a yellow says; how many hear of that yellow itself later is said too.
"""

from bisect import bisect_right
from collections import defaultdict
from statistics import median

import click
import msgspec

from config.language import Text
from config.records.district import District
from config.records.level import Action, Level
from console.model.follow import Follower
from detectors.detection import Mark
from dispatch.address.night import has_rounds
from dispatch.address.recipients import DOWNSTREAM
from dispatch.address.stage import Address
from dispatch.geography.downstream import areas_below
from dispatch.grade import Grade
from dispatch.notices import DUTY
from dispatch.records import Alert, Delivery, Receipt
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import Box, is_ready
from dispatch.send.stage import Send
from dispatch.words.local_time import quiet_until
from fengsui.cli.options import Shared
from fengsui.run.run_log import open_run_log
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.records import Record, Run, Tick
from stream.stages.stage import Item

_NEVER_MS = 86_400_000
_FINAL = {"broadcast": "played", "cap": "accepted", "console": "delivered"}
# recipient and area -> (when, what was told, whether of an order upstream), in order
_Heard = dict[tuple[str, str], list[tuple[int, int, bool]]]


@click.command("night")
@click.option("--run", "run_name", required=True, help=spoken(Text("运行名", "name of the run")))
@click.pass_obj
def bench_night(obj: Shared, run_name: str) -> None:
    """一夜里每人的消息：有夜间规则和没有（即此前的版本），同一场演练。

    Messages a person in a night of a played run, with the night's rules and without.
    """
    setup = obj.existing_judged(run_name)
    log = open_run_log(setup)
    records = [r for _, r in Follower(log, ("alerts",)).take()]
    log.close()
    none = msgspec.structs.replace(setup.district.policy, night_gather_s=0, night_messages={})
    before, old = _play(msgspec.structs.replace(setup.district, policy=none), records)
    now, new = _play(setup.district, records)
    if not before:
        raise Usage(
            Text(
                f"{run_name} 没有夜里的消息：演练放过了吗，区县目录是那一次的吗",
                f"{run_name} has no message of a night: was it played, and with this district's folder?",
            )
        )
    kinds = ("internal", "public")
    chiefs = {who for who in before if any(has_rounds(setup.district, who, k) for k in kinds)}
    echo(
        Text("没有夜间规则（此前）：", "without the night's rules (before): ")
        + _said(before, chiefs)
    )
    echo(Text("有夜间规则：", "with them: ") + _said(now, chiefs))
    later = {place: _later(course, new.get(place, [])) for place, course in old.items()}
    others = sum(ms > 0 for (who, _), ms in later.items() if who not in chiefs)
    most = max((ms for (who, _), ms in later.items() if who in chiefs), default=0) / 60_000
    worst = {p: _later(course, new.get(p, []), Level.RED) for p, course in old.items() if p[0] in chiefs}
    urgent = max(worst.values(), default=0) / 60_000
    ready = [_later(c, new.get(p, []), ready=False) for p, c in old.items() if p[0] not in chiefs]
    slow, by = sum(ms > 0 for ms in ready) - others, max(ready, default=0) / 60_000
    echo(
        Text(
            f"知道得更晚的：{others} 人次；按轮的人最多晚 {most:.0f} 分钟，"
            f"红色和立即转移最多晚 {urgent:.0f} 分钟；"
            f"已知上游指令、自己村的蓝黄色晚听到的：{slow} 人次，最多晚 {by:.0f} 分钟",
            f"told later: {others}; who is told by rounds by {most:.0f} min at most, of a red or an order to "
            f"move by {urgent:.0f}; who knew of an order upstream and heard of a blue or yellow of their own "
            f"later: {slow}, by {by:.0f} min at most",
        )
    )


def _later(
    old: list[tuple[int, int, bool]],
    new: list[tuple[int, int, bool]],
    least: int = 0,
    *,
    ready: bool = True,
) -> int:
    """How much later (ms) somebody knew of anything so bad, of what is at least `least`. ready: what they know
    by an order upstream counts."""
    found = 0
    new = [x for x in new if ready or not x[2]]
    for at, grade, upstream in old:
        if upstream and not ready:
            continue
        if grade >= least and _worst(new, at) < grade:
            found = max(found, next((t - at for t, g, _ in new if t >= at and g >= grade), _NEVER_MS))
    return found


def _said(counts: dict[str, dict[str, set[str]]], chiefs: set[str]) -> Text:
    """Most and median of all, of those who are told of one village, and of those who are told by rounds."""
    every = {who: sum(len(x) for x in by.values()) for who, by in counts.items()}
    all_, near = (
        [*every.values()],
        [every[who] for who, by in counts.items() if len(by) == 1 and who not in chiefs],
    )
    rounds = max((every.get(who, 0) for who in chiefs), default=0)
    return Text(
        f"{len(all_)} 人，最多 {max(all_)}，中位数 {median(all_)}；只管一村的 {len(near)} 人，"
        f"最多 {max(near)}，中位数 {median(near)}；按轮的 {len(chiefs)} 人，最多 {rounds}",
        f"{len(all_)} people, at most {max(all_)}, median {median(all_)}; {len(near)} of one village, at "
        f"most {max(near)}, median {median(near)}; {len(chiefs)} by rounds, at most {rounds}",
    )


def _below(district: District, d: Delivery) -> list[str]:
    """The areas of a notice's reader that lie below the order that it tells of."""
    if d.category != DOWNSTREAM or d.action < Action.PREPARE:
        return []
    contact = district.contacts[d.recipient]
    below = (hit.id for hit in areas_below(district, d.area, d.hazard))
    return [a for a in below if a in contact.areas]


def _worst(course: list[tuple[int, int, bool]], at: int) -> int:
    n = bisect_right(course, at, key=lambda x: x[0])
    return max((g for _, g, _ in course[:n]), default=-1)


def _play(
    district: District, records: list[Record]
) -> tuple[dict[str, dict[str, set[str]]], _Heard]:
    """Night's messages by recipient and area (ids), and what each knew when."""
    stage, box = Address(district), Box()
    rules = Send(district, live=any(isinstance(r, Run) and r.kind == "live" for r in records)).rules
    state, counts = stage.new(0), defaultdict[str, dict[str, set[str]]](dict)
    heard = defaultdict[tuple[str, str], list[tuple[int, int, bool]]](list)
    for n, record in enumerate(records):
        state, writes = stage.step(state, [Item(0, n, "", record)])
        for w in writes:
            if isinstance(w.record, Delivery | Run | Mark):
                apply(rules, box, w.record)
        at = record.clock_at if isinstance(record, Mark | Tick) else box.clock_at
        at = max(at, record.sent_at) if isinstance(record, Alert) else at
        _deliver(district, rules, box, at, counts, heard)
    return counts, heard


def _deliver(district: District, rules, box: Box, at: int, counts, heard) -> None:  # type: ignore[no-untyped-def]
    apply(rules, box, Tick(clock_at=at))
    for key in list(box.touched):
        e = box.entries[key]
        if not is_ready(e, at):
            if e.done or e.held:
                box.touched.pop(key, None)
            continue
        box.touched.pop(key, None)
        d = e.delivery
        channel = d.routes[0].channel
        told = "answered" if d.must_answer else _FINAL.get(channel, "delivered")
        apply(rules, box, Receipt(delivery=d.id, route=0, state=told, receipt_at=at))  # type: ignore[arg-type]
        person = d.hazard and not d.recipient.startswith(DUTY) and channel not in _FINAL
        if not person or not quiet_until(district.policy.night, at, district.timezone):
            continue
        for x in (d, *(box.entries[c].delivery for c in d.covers)):
            counts[d.recipient].setdefault(x.area, set())
            if x.msg_type != "cancel":
                worst = Grade(x.level, x.action) | Grade(x.most_level, x.most_action)
                heard[d.recipient, x.area].append((at, worst.rank[0], False))
                for a in _below(district, x):
                    heard[d.recipient, a].append((at, Level.YELLOW, True))
        counts[d.recipient][d.area].add(d.id)
