"""What `fengsui status` says of loudspeakers. Pure."""

from collections.abc import Iterator

from config.records.district import District
from console.model.view import View
from dispatch.words.local_time import local

TEST_LATE_MS = 8 * 86_400_000  # a node that has not tested itself for so long is news


def node_lines(view: View, district: District, clock_at: int, started_at: int) -> Iterator[str]:
    """What `fengsui status` says of loudspeakers: those that failed or have not tested themselves,
    run on their battery, stand open, or were told what they refused."""
    for name in district.nodes:
        known = view.nodes.get(name, {})
        tested_at, ok = known.get("self_test", (started_at, 1))
        if not ok:
            yield f"  自检失败 self-test failed {name}: {local(tested_at, district.timezone)}"
        elif clock_at - tested_at > TEST_LATE_MS:
            last = local(tested_at, district.timezone) if "self_test" in known else "从未 never"
            yield f"  自检逾期 self-test overdue {name}: 最后 last {last}"
        if known.get("voice", (0, 1))[1] == 0:
            yield f"  不能播音 cannot sound {name}: 没有普通话语音 no Mandarin voice, siren only"
        if known.get("mains", (0, 1))[1] == 0:
            yield f"  市电中断 no mains {name}"
        if known.get("door", (0, 0))[1] == 1:
            yield f"  箱门打开 door open {name}"
        if refused := known.get("refused_commands", (0, 0))[1]:
            yield f"  拒绝指令 refused commands {name}: {refused}"
