"""What a resident is answered, in short messages. Pure; `CODE` stands where the code goes, which no record
holds: it is put in on the way to the carrier (dispatch/channels/addresses.py)."""

from collections.abc import Sequence

from config.language import Text
from config.records.district import Area
from dispatch.people.contact_store import CODE
from dispatch.people.residents.villages import MOST, Villages
from dispatch.people.residents.words import told_hours

HOW = Text(
    "订阅预警：回复“订阅 村名”；退订：“退订”；语言：“语言 英语”；时段：“时段 7-22”（转移指令不受限）。"
    "遇险直接写明情况或拨119。",
    "Warnings: reply SUBSCRIBE and a village; STOP ends it; LANGUAGE CHINESE; HOURS 7-22 (orders to move "
    "always come). In danger say what happens, or call 119.",
)
NO_VILLAGE = Text("请写明村名，如“订阅 香屯村”。", "Name the village, as in SUBSCRIBE XIANGTUN.")
NO_LANGUAGE = Text(
    "语言请回复“语言 英语”或“语言 中文”。", "Reply LANGUAGE ENGLISH or LANGUAGE CHINESE."
)
NO_HOURS = Text(
    "时段请写起止钟点，如“时段 7-22”，或“时段 全天”。",
    "Write from when to when, as in HOURS 7-22, or HOURS ALL DAY.",
)
NONE_YET = Text(
    "这个号码没有订阅。订阅请回复“订阅 村名”。",
    "This number has no subscription. Reply SUBSCRIBE and a village.",
)
WRONG_CODE = Text(
    "验证码不对，请再看一遍短信。", "That is not the code: look at the message again."
)
TOO_MANY = Text(f"一个号码至多订阅 {MOST} 个村。", f"At most {MOST} villages for one number.")
GONE = Text(
    "已退订，您的号码已删除。红色预警仍有大喇叭。再订请回复“订阅 村名”。",
    "You get no more messages and your number is deleted. Reply SUBSCRIBE and a village to come back.",
)


def listed(hotline: str) -> Text:
    """To somebody whom a list names: they do not leave by themselves."""
    return Text(
        f"您在责任名单上，不能自行更改，请联系值班室 {hotline}。",
        f"You are on a list of the district: call the duty room, {hotline}.",
    )


def place(area: Area) -> Text:
    """大庄科乡香屯村."""
    return Text(f"{area.township}{area.name}", f"{area.name_en} ({area.township_en})")


def _places(areas: Sequence[Area]) -> Text:
    names = [place(a) for a in areas]
    return Text("、".join(n.zh for n in names), ", ".join(n.en for n in names))


def code(areas: Sequence[Area], *, leave: bool) -> Text:
    """The message with the code. It says what for: a number's owner must see what somebody asks."""
    at = _places(areas)
    what = Text(f"订阅{at.zh}的预警", f"warnings for {at.en}")
    if leave:
        what = Text(f"退订{at.zh}的预警", f"NO MORE warnings for {at.en}")
    return Text(
        f"验证码{CODE}，用于{what.zh}，10分钟内回复此码或填在网页上。不是您要的，请勿理会。",
        f"Code {CODE} for {what.en}: reply with it or enter it on the page within 10 minutes. Not asked "
        "for by you: do nothing.",
    )


def subscribed(areas: Sequence[Area], quiet: str, until: str) -> Text:
    """What holds now."""
    at, hours = _places(areas), told_hours(quiet)
    span = Text(
        f"，{hours}接收（红色和转移指令随时）", f", from {hours} (red and orders at any hour)"
    )
    last = Text(f"，到{until}为止", f", until {until}")
    return Text(
        f"已订阅{at.zh}的预警{span.zh if hours else ''}{last.zh if until else ''}。退订回复“退订”。",
        f"You get warnings for {at.en}{span.en if hours else ''}{last.en if until else ''}. STOP ends it.",
    )


def changed(quiet: str) -> Text:
    """After a change of language or hours."""
    hours = told_hours(quiet)
    zh = f"，{hours}接收，红色和转移指令随时" if hours else "，全天接收"
    en = f", from {hours}, red and orders at any hour" if hours else ", at any hour"
    return Text(f"已更改{zh}。", f"Changed{en}.")


def ambiguous(name: str, areas: Sequence[Area]) -> Text:
    """Two villages of one name: the answer says what to write for each."""
    lines = [(a.id, place(a)) for a in areas]
    zh = "；".join(f"“订阅 {i}”={p.zh}" for i, p in lines)
    en = "; ".join(f"SUBSCRIBE {i} = {p.en}" for i, p in lines)
    return Text(f"有{len(areas)}个{name}，请回复：{zh}。", f"There are {len(areas)} {name}: {en}.")


def unknown(name: str, near: Sequence[Area]) -> Text:
    """A village that nobody knows; near: what it may have been."""
    zh = "、".join(a.name for a in near)
    en = ", ".join(a.name_en for a in near)
    return Text(
        f"没有“{name}”。" + (f"是不是{zh}？" if near else "") + "请回复“订阅 村名”。",
        f"There is no {name}. "
        + (f"Is it {en}? " if near else "")
        + "Reply SUBSCRIBE and a village.",
    )


def meant(villages: Villages, about: str) -> tuple[str, ...] | Text:
    """The areas that are meant, or what to ask back."""
    if not about:
        return NO_VILLAGE
    found: list[str] = []
    for name, areas in villages.named(about):
        if not areas:
            return unknown(name[:20], villages.near(name))
        if len(areas) > 1:
            return ambiguous(name, [villages.areas[a] for a in areas[:4]])
        found += areas
    return tuple(dict.fromkeys(found)) if len(set(found)) <= MOST else TOO_MANY
