"""The record of the door and the desk (console/auth/record.py) in words, and as lines of the shift log.
Pure: entries in."""

from collections.abc import Iterable

import msgspec

from config.language import Said, Text, text_of
from console.model.shift_log import ACT, Entry, said
from dispatch.records import ACTS

_DOOR = {
    "note": Text("备注", "note"),
    "hand over": Text("交班", "hand over"),
    "take over": Text("接班", "take over"),
    "enter": Text("登录", "enter"),
    "leave": Text("退出", "leave"),
    "people's words": Text("查看来信原话", "looked at people's own words"),
    "picture": Text("看了一张图像", "looked at a picture"),
    "call list": Text("查看电话名单", "call list"),
    "resend": Text("人工重发", "resend"),
    "service": Text("安排维护", "service"),
    "person": Text("查看一个联系人", "one person looked at"),
    "erase": Text("按要求删除联系人", "person erased on request"),
    "not erased": Text("删除未成", "not erased"),
    "refused at the door": Text("登录被拒", "refused at the door"),
    "refused at the door, more": Text("登录被拒", "refused at the door"),
    "refused at the list": Text("没有权限：名单和号码", "not allowed: the list and its numbers"),
    "refused at the accounts": Text("没有权限：帐号", "not allowed: accounts"),
    "guessed at": Text("⚠ 有人在试此人的口令", "somebody guesses at this user's password"),
    "user added": Text("新用户", "user added"),
    "user changed, new password": Text("用户改角色和口令", "user changed, new password"),
    "user removed": Text("删除用户", "user removed"),
    "user unlocked": Text("解除登录限次", "user unlocked"),
    "role given": Text("改角色", "role given"),
    "new password given": Text("给新口令", "new password given"),
    "own password changed": Text("换了自己的口令", "own password changed"),
    "password": Text("口令正确，还差第二步", "password right, another step to come"),
    "second factor": Text("第二因素通过", "second factor shown"),
    "second factor made": Text("设了第二因素", "second factor made"),
    "second factor put off": Text("推迟设第二因素", "second factor put off"),
    "second factor taken away": Text("清除第二因素", "second factor taken away"),
    "link made": Text("发出一次有效的链接", "link made that works once"),
    "token add": Text("新令牌", "token added"),
    "token remove": Text("撤销令牌", "token revoked"),
    "signer add": Text("登记签名人", "signer registered"),
    "signer revoke": Text("撤销签名人", "signer revoked"),
    "signer desk": Text("值班台换签名钥匙", "the desk's key made anew"),
}
# what the desk itself words, in both languages
PAIRED = ("hand over", "take over")
# what the door counts: numbers stand in the record
_COUNTED = {
    "guessed at": Text("{} 次，{} 处", "{} times, at {} places"),
    "refused at the door, more": Text("一分钟内又 {} 次", "{} more within a minute"),
    "second factor put off": Text("还可推迟 {} 次", "{} more times"),
}


def done_at_the_desk(what: str) -> Text:
    """What somebody did at the door or the desk, as the record names it; or was refused."""
    if (refused := what.removeprefix("refused ")) != what and what not in _DOOR:
        act = ACT.get(refused) or _DOOR.get(refused) or Text(refused, refused)
        return Text(f"没有权限：{act.zh}", f"not allowed: {act.en}")
    return _DOOR.get(what) or ACT.get(what) or Text(what, what)


def paired(words: Text) -> str:
    """What the desk says of an act of PAIRED, as the record keeps it."""
    return msgspec.json.encode(words).decode()


def detail_at_the_desk(what: str, detail: str) -> Said:
    """What else the record says of it. A pair stands there as JSON, where the desk wrote it."""
    form, counts = _COUNTED.get(what), detail.split()
    if form and len(counts) == form.zh.count("{}") and all(c.isdecimal() for c in counts):
        return Text(form.zh.format(*counts), form.en.format(*counts))
    if what in PAIRED and detail.startswith('["'):
        return msgspec.json.decode(detail, type=Text)
    return detail


def at_the_desk(noted: Iterable[tuple[int, str, str, str]]) -> list[Entry]:
    """The door's record as lines: (at, who, what, detail). Acts upon warnings are left out, for the
    ledger has them with what came of them."""
    found = []
    for at, who, what, detail in noted:
        if what in ACTS:
            continue
        word = done_at_the_desk(what)
        kind = {"note": "note", "hand over": "handover", "take over": "handover"}.get(what, "desk")
        if detail:
            word += Text("：", ": ") + text_of(detail_at_the_desk(what, detail))
        found.append(Entry(at, kind, who, "", 0, *said(word)))
    return found
