"""What `fengsui status` says of loudspeakers. Pure."""

from collections.abc import Iterator

from config.language import Said, Text, en, zh
from config.records.district import District
from console.model.view import View
from dispatch.words.local_time import local

TEST_LATE_MS = 8 * 86_400_000  # a node that has not tested itself for so long is news


def node_lines(view: View, district: District, clock_at: int, started_at: int) -> Iterator[Said]:
    """What `fengsui status` says of loudspeakers: those that failed or have not tested themselves,
    run on their battery, stand open, or were told what they refused."""
    for name in district.nodes:
        known = view.nodes.get(name, {})
        tested_at, ok = known.get("self_test", (started_at, 1))
        if not ok:
            yield Text(
                f"  自检失败 {name}: {local(tested_at, district.timezone)}",
                f"  self-test failed {name}: {local(tested_at, district.timezone)}",
            )
        elif clock_at - tested_at > TEST_LATE_MS:
            last = (
                local(tested_at, district.timezone)
                if "self_test" in known
                else Text("从未", "never")
            )
            yield Text(
                f"  自检逾期 {name}: 最后 {zh(last)}",
                f"  self-test overdue {name}: last {en(last)}",
            )
        if known.get("voice", (0, 1))[1] == 0:
            yield Text(
                f"  不能播音 {name}: 没有普通话语音，只能鸣笛",
                f"  cannot sound {name}: no Mandarin voice, siren only",
            )
        if known.get("mains", (0, 1))[1] == 0:
            yield Text(f"  市电中断 {name}", f"  no mains {name}")
        if known.get("door", (0, 0))[1] == 1:
            yield Text(f"  箱门打开 {name}", f"  door open {name}")
        if refused := known.get("refused_commands", (0, 0))[1]:
            yield Text(f"  拒绝指令 {name}: {refused}", f"  refused commands {name}: {refused}")
