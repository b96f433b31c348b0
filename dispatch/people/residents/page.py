"""The public page on which somebody subscribes: plain HTML for any telephone, no script, nobody's data; in
Chinese, and in English by the link at its head. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal, NamedTuple

from config.language import Text, choose
from config.records.district import Area, District

Lang = Literal["zh", "en"]
# when colours below red may come: as the quiet hours of a contact have it
HOURS: Mapping[str, Text] = {
    "": Text("全天", "any hour"),
    "22:00-06:00": Text("6:00–22:00", "6:00–22:00"),
    "22:00-07:00": Text("7:00–22:00", "7:00–22:00"),
    "20:00-08:00": Text("8:00–20:00", "8:00–20:00"),
}
DAYS: Mapping[str, Text] = {
    "": Text("住在这里，一直收", "I live here: for good"),
    "1": Text("游客，收到明天", "a visitor: until tomorrow"),
    "3": Text("游客，收 3 天", "a visitor: 3 days"),
    "7": Text("游客，收 7 天", "a visitor: 7 days"),
}
LANGS: Mapping[str, Text] = {"zh": Text("中文", "Chinese"), "en": Text("英语", "English")}
_STYLE = """<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>*{box-sizing:border-box}body{font:18px/1.6 sans-serif;margin:0 auto;max-width:34em;
padding:12px 16px;color:#111;background:#fff}h1{font-size:24px;margin:8px 0}
h2{font-size:20px;margin:24px 0 4px}label{display:block;margin:14px 0 0;font-weight:bold}
input,select,button{font-size:18px;width:100%;min-height:48px;padding:8px 10px;border:2px solid #555;
border-radius:8px;background:#fff;color:#111}button{background:#0b57d0;color:#fff;border:0;
margin:18px 0 8px;font-weight:bold}button.q{background:#fff;color:#8c0019;border:2px solid #8c0019}
a{color:#0b3d91}.m{padding:12px;border:3px solid #111;border-radius:8px}
.d{padding:12px;border:3px solid #b00020;border-radius:8px;color:#8c0019;font-weight:bold}
small{color:#333;font-size:16px}input:focus,select:focus,button:focus,a:focus{outline:4px solid #e07b00}
summary{padding:12px 0;min-height:48px}.w{white-space:nowrap}</style>"""
_TITLE = Text("订阅预警短信", "Flood warnings by SMS")
_OTHER: Mapping[Lang, str] = {
    "zh": "English",
    "en": "中文",
}  # each in the language that it leads to
_DRILL = Text("演练，不是真的", "EXERCISE: not real")
_HELP = Text(
    "遇险不要用本页：拨 119，或打值班室 ",
    "In danger do not use this page: call 119, or the duty room ",
)
_INTRO = Text(
    "红色预警和转移指令任何时候都发；其他预警可选时段。收到的号码只用于发预警，退订即删除。",
    "Red warnings and orders to move come at any hour; for others you choose. Your number is used for warnings "
    "alone and deleted when you leave.",
)
_LEAVE_HEAD = Text("不再接收", "Leave")
_LEAVE = Text("退订：向号码发验证码", "Leave: send a code to the number")
_ASK = Text("下一步：向号码发验证码", "Next: send a code to the number")
_PHONE = Text("手机号", "Mobile number")
_VILLAGE, _CHOOSE = Text("村、沟或营地", "Village, gully or camp site"), Text("请选择", "choose")
_HOURS, _LANG = Text("一般预警的时段", "Hours of ordinary warnings"), Text("语言", "Language")
_WHO = Text("收多久", "For how long")
_CODE, _CONFIRM = (
    Text("短信里的 6 位验证码", "The 6 figures of the message"),
    Text("确认", "Confirm"),
)
_SENT = Text(
    "如果号码无误，一两分钟内会收到验证码短信，10 分钟内有效；一个号码一天至多 3 次。"
    "收不到可发短信“订阅 村名”。",
    "If the number is right, a code comes within minutes and counts for 10; at most 3 a day for one number. If "
    "none comes, send an SMS: SUBSCRIBE and the village.",
)
_AGAIN = Text("回到首页", "Back to the beginning")
SAID: Mapping[str, Text] = {
    "subscribed": Text("已订阅：", "You get warnings for "),
    "left": Text("已退订，您的号码已删除。", "You get no more messages; your number is deleted."),
    "wrong": Text(
        "验证码不对，或已过期。请回去再填，或重新开始。",
        "That is not the code, or it is over. Go back and enter it again, or begin anew.",
    ),
    "number": Text("手机号应为 11 位。请返回改正。", "A mobile number has 11 figures: go back."),
    "village": Text("请选择村。请返回改正。", "Choose a village: go back."),
    "often": Text(
        "太频繁，今天请改发短信“订阅 村名”。",
        "Too often from this network today: send an SMS, SUBSCRIBE and the village.",
    ),
    "not_kept": Text("现在存不下，请稍后再试。", "It cannot be kept now: try again later."),
    "large": Text("内容太大。", "Too large."),
}


class Shown(NamedTuple):
    """What stands on every page."""

    district: District
    live: bool
    lang: Lang

    def say(self, words: Text) -> str:
        return escape(choose(words, self.lang))


def form(f: Shown, area: str, notes: Sequence[Text] = ()) -> str:
    """The first page; area: the village that the code at its door names, "" none. notes: of that place, what
    everybody may know."""
    told = "".join(f'<p class="d">{f.say(n)}</p>' for n in notes)
    body = (
        f"<p>{f.say(_INTRO)}</p>{told}"
        f'<form method="post" action="ask?lang={f.lang}">'
        f'<label for="area">{f.say(_VILLAGE)}</label>{_villages(f, area)}'
        f'<label for="phone">{f.say(_PHONE)}</label>{_phone("phone")}'
        f'<label for="quiet">{f.say(_HOURS)}</label>{_select(f, "quiet", HOURS)}'
        f'<label for="language">{f.say(_LANG)}</label>{_select(f, "language", LANGS, f.lang)}'
        f'<label for="days">{f.say(_WHO)}</label>{_select(f, "days", DAYS)}'
        f"<button>{f.say(_ASK)}</button></form>"
        f"<details><summary>{f.say(_LEAVE_HEAD)}</summary>"
        f'<form method="post" action="ask?lang={f.lang}"><input type="hidden" name="leave" value="1">'
        f'<label for="gone">{f.say(_PHONE)}</label>{_phone("gone")}'
        f'<button class="q">{f.say(_LEAVE)}</button></form></details>'
    )
    return _page(f, body, f"?v={escape(area)}&amp;" if area else "?")


def code(f: Shown, ident: str) -> str:
    """The second page: the same whether a message goes out or not."""
    body = (
        f'<p class="m">{f.say(_SENT)}</p><form method="post" action="confirm?lang={f.lang}">'
        f'<input type="hidden" name="id" value="{escape(ident)}">'
        f'<label for="code">{f.say(_CODE)}</label><input id="code" name="code" required maxlength="12" '
        'inputmode="numeric" autocomplete="one-time-code">'
        f"<button>{f.say(_CONFIRM)}</button></form>{_back(f)}"
    )
    return _page(f, body, "")


def answer(f: Shown, what: str, areas: Sequence[Area] = ()) -> str:
    """What came of it; what: of SAID."""
    names = f.say(Text("、".join(a.name for a in areas), ", ".join(a.name_en for a in areas)))
    return _page(f, f'<p class="m" role="status">{f.say(SAID[what])}{names}</p>{_back(f)}', "")


def _back(f: Shown) -> str:
    return f'<p><a href="./?lang={f.lang}">{f.say(_AGAIN)}</a></p>'


def _phone(name: str) -> str:
    return (
        f'<input id="{name}" name="phone" type="tel" inputmode="tel" autocomplete="tel" required '
        'maxlength="20" placeholder="138 0013 8000">'
    )


def _select(f: Shown, name: str, rows: Mapping[str, Text], chosen: str = "") -> str:
    options = "".join(
        f'<option value="{v}"{" selected" * (v == chosen)}>{f.say(words)}</option>'
        for v, words in rows.items()
    )
    return f'<select id="{name}" name="{name}">{options}</select>'


def _villages(f: Shown, chosen: str) -> str:
    towns: dict[str, list[Area]] = {}
    for a in f.district.areas.values():
        towns.setdefault(choose(Text(a.township, a.township_en), f.lang), []).append(a)
    groups = "".join(
        f'<optgroup label="{escape(town)}">'
        + "".join(
            f'<option value="{a.id}"{" selected" * (a.id == chosen)}>'
            f"{f.say(Text(a.name, a.name_en))}</option>"
            for a in some
        )
        + "</optgroup>"
        for town, some in sorted(towns.items())
    )
    first = f'<option value="">{f.say(_CHOOSE)}</option>'
    return f'<select id="area" name="area" required>{first}{groups}</select>'


def _page(f: Shown, body: str, other: str) -> str:
    """other: the query of the same page in the other language, as far as it goes; "": none can be had."""
    zh = f.lang == "zh"
    mark = "" if f.live else f'<p class="d">{f.say(_DRILL)}</p>'
    link = ""
    if other:
        to, tag = ("en", "en") if zh else ("zh", "zh-CN")
        link = f'<p><a href="{other}lang={to}" lang="{tag}">{_OTHER[f.lang]}</a></p>'
    hotline = escape(f.district.hotline)
    name = f.say(Text(f.district.name, f.district.name_en))
    return (
        f'<!doctype html><html lang="{"zh-CN" if zh else "en"}"><head><title>{f.say(_TITLE)}</title>{_STYLE}'
        f"</head><body><main>{link}{mark}<h1>{name} {f.say(_TITLE)}</h1>{body}"
        f"<p><small>{f.say(_HELP)}<span class=w>{hotline}</span></small></p></main></body></html>"
    )
