"""What must be true of `[proving]` of policy.toml, and what it asks of a district, in words. Pure."""

from collections.abc import Iterator

from config.language import Said, Text
from config.records.authority import Proving
from config.records.channels import Channels

_OUT = Text("越界", "is out of range")
_RANGES = (("digits", 4, 6), ("valid_min", 5, 1440), ("wrong_most", 2, 20))
_FIELD = (("check_back_min", 0, 720), ("superior_min", 1, 720))
_MOVES = (("proofs", 1, 2), ("near_m", 50, 20_000), ("upstairs_to_m", 0, 5), ("recheck_share", 0, 1))


def proving_faults(proving: Proving) -> Iterator[tuple[str, Said, Said]]:
    """Key, what is wrong, what to write."""
    for name, low, high in (*_RANGES, *_FIELD, *_MOVES):
        if not low <= getattr(proving, name) <= high:
            yield name, _OUT, f"{low} … {high}"


def asked_in_words(proving: Proving) -> Iterator[Text]:
    """What `check` says of it: what is on, and what that means."""
    p = proving
    if not p.code:
        yield Text(
            "policy.toml [proving]: 叫应不要确认码：回“收到”就算叫应，真做没做看不出来（docs/proof.md）",
            "policy.toml [proving]: answers need no code: whoever writes that they have it counts as woken "
            "(docs/en/proof.md)",
        )
    else:
        yield Text(
            f"policy.toml [proving]: 叫应要 {p.digits} 位确认码，发出后 {p.valid_min} 分钟内有效；"
            f"只回“收到”不算，继续叫；错 {p.wrong_most} 次转人工",
            f"policy.toml [proving]: who must answer sends back {p.digits} figures within {p.valid_min} min; "
            f"an answer without them does not count and the next way is tried; after {p.wrong_most} wrong ones "
            "somebody calls",
        )
    if p.transfer:
        yield Text(
            f"policy.toml [proving]: 转移要有照片（离安置点 {p.near_m} 米以内、预警以后拍的）或另一人证实，"
            f"共 {p.proofs} 项；泥石流区、水深超过 {p.upstairs_to_m} 米的，上楼不算",
            f"policy.toml [proving]: a move needs {p.proofs} of a photograph (within {p.near_m} m of the "
            f"shelter, taken since the warning) and a witness; upstairs is none where debris flows come or "
            f"water is deeper than {p.upstairs_to_m} m",
        )
    if p.check_back_min:
        yield Text(
            f"policy.toml [proving]: 外出人员每 {p.check_back_min} 分钟报平安；过时告诉值班室，再过 "
            f"{p.superior_min} 分钟告诉上级",
            f"policy.toml [proving]: who is out is heard of every {p.check_back_min} min; else the duty room "
            f"is told, and {p.superior_min} min later the superiors",
        )


def unfit(proving: Proving, channels: Channels) -> Iterator[Text]:
    """What it asks for, and nothing of the district can give."""
    if proving.check_back_min and not channels.not_woken_to:
        yield Text(
            "channels.toml: not_woken_to 为空：外出人员过时没有消息，只有值班室知道",
            "channels.toml: not_woken_to is empty: of somebody who is out and silent the duty room alone hears",
        )
    if not proving.code:
        return
    keys = [c.name for c in channels.carriers() if c.channel == "voice" and c.kind != "sip"]
    if keys:
        names = ", ".join(keys)
        yield Text(
            f"channels.toml: 语音通道 {names} 只按键，报不了确认码：接了也不算，须另回短信；或改用 SIP 中继，"
            "或让网关回 confirmed_by_code",
            f"channels.toml: voice carriers {names} take a key and no code: a call that is answered does not "
            "count, unless an SMS follows; use a SIP trunk, or a gateway that says confirmed_by_code",
        )
    if not channels.receipt_listen and not any(c.kind in ("smpp", "smsd") for c in channels.carriers()):
        yield Text(
            "channels.toml: 没有上行短信（receipt_listen 或 SMPP、smsd）：回来的确认码收不到",
            "channels.toml: nothing brings back people's SMS (receipt_listen, SMPP, smsd): no code comes back",
        )
