"""What a loudspeaker says of itself that somebody must see to. Pure."""

from collections.abc import Iterator

from config.language import Text
from fengsui.doctor.case import Case, Finding, Weight
from fengsui.status.nodes import TEST_LATE_MS

_BAD = {
    "self_test": (
        0,
        Weight.DOUBT,
        Text("自检失败", "its self-test failed"),
        Text("到场试音：功放、喇叭、线", "try it on the spot: amplifier, horn, wires"),
    ),
    "voice": (
        0,
        Weight.DOUBT,
        Text("不能播普通话，只能鸣笛", "it cannot speak Mandarin, siren alone"),
        Text("装 espeak-ng 的中文语音", "install the Mandarin voice of espeak-ng"),
    ),
    "mains": (
        0,
        Weight.DOUBT,
        Text("市电中断，靠电池", "no mains, it lives on its battery"),
        Text("查空开、线路", "look at breaker and line"),
    ),
    "door": (
        1,
        Weight.NOTE,
        Text("箱门开着", "its door is open"),
        Text("去关上，看看少了什么", "close it, and look what is missing"),
    ),
}


def of_node(case: Case, name: str) -> Iterator[Finding]:
    said = case.view.nodes.get(name, {})
    for quantity, (bad, weight, what, todo) in _BAD.items():
        if quantity in said and said[quantity][1] == bad:
            yield Finding(quantity, "quality", weight, what, todo)
    tested_at = said.get("self_test", (case.started_at, 1))[0]
    if case.now - tested_at > TEST_LATE_MS:
        yield Finding(
            "self_test_late",
            "quality",
            Weight.NOTE,
            Text("八天没有自检", "no self-test for eight days"),
            Text(f"fengsui self-test {name}", f"fengsui self-test {name}"),
        )
    if refused := said.get("refused_commands", (0, 0))[1]:
        yield Finding(
            "refused_commands",
            "rule",
            Weight.DOUBT,
            Text(f"拒绝过 {refused} 条指令", f"it refused {refused} commands"),
            Text(
                "查钥匙和时钟：fengsui keys show；有人冒充时它也拒绝",
                "look at keys and clock: fengsui keys show; it refuses a forger as well",
            ),
        )
