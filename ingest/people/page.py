"""The page that a person reports on: plain HTML for any phone, no script; in Chinese, and in English by
the link at its head. Pure."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from typing import Literal

from config.language import Text, choose
from config.records.district import Area

PageLanguage = Literal["zh", "en"]
_TITLE = Text("报告情况", "Report")
_HEAD = Text('<!doctype html><html lang="zh-CN">', '<!doctype html><html lang="en">')
_OTHER = Text('<a href="?lang=en" lang="en">English</a>', '<a href="?" lang="zh-CN">中文</a>')
_STYLE = """<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>body{font:18px/1.5 sans-serif;margin:0 auto;max-width:34em;padding:12px;color:#111;
background:#fff}h1{font-size:22px;margin:8px 0}label.b{display:block;border:2px solid #555;
border-radius:8px;padding:12px;margin:8px 0}label.h{border-color:#b00020;color:#b00020;
font-weight:bold}small{color:#444}input,select,button{font-size:18px;max-width:100%;
box-sizing:border-box}input[type=number]{width:6em}
button{width:100%;padding:16px;background:#0b57d0;color:#fff;border:0;border-radius:8px}
.m{padding:12px;border:2px solid #111;border-radius:8px}</style>"""
_CHOICES = (
    ("help", Text("求助", "I need help")),
    ("report_flood", Text("水涨、山洪", "water is rising")),
    ("report_debris_flow", Text("泥石流", "debris flow")),
    ("report_landslide", Text("塌方、滑坡", "landslide")),
    ("damage", Text("房屋、道路受损", "damage to houses or roads")),
    ("moved", Text("已转移（不填人数即全部）", "moved (no number means everybody)")),
    ("safe", Text("平安", "safe")),
    ("received", Text("收到通知", "I received the notice")),
)
_KEEPER = (
    ("staying", Text("今晚住的人数", "guests tonight: how many")),
    ("closed", Text("封沟（24 小时，可再报延长）", "gully closed for 24 hours; report again to renew")),
    ("opened", Text("开沟", "gully open again")),
)
_FIELD = (
    ("out", Text("出发（去巡查、转移群众）", "I am going out")),
    ("back", Text("返回", "I am back")),
)
_HOW = (
    ("", Text("转移到哪里（转移时选）", "moved to (choose when you report a move)")),
    ("shelter", Text("安置点", "to the shelter")),
    ("relatives", Text("投亲靠友", "to relatives or friends")),
    ("upstairs", Text("就地上楼", "upstairs")),
)
_WITNESS = (
    ("witnessed", Text("我看到了：别人报的转移属实", "I saw it: the move that others reported is true")),
)
# the place goes along with a picture, where whoever sends it lets the browser tell
_PLACE = (
    "document.querySelector('[name=photo]').addEventListener('change',()=>{"
    "navigator.geolocation&&navigator.geolocation.getCurrentPosition(p=>{"
    "for(const[k,v]of[['lon',p.coords.longitude],['lat',p.coords.latitude],['placed',p.timestamp]])"
    "document.querySelector(`[name=${k}]`).value=v},()=>{},{timeout:20000,maximumAge:60000})})"
)
PLACE_SHA256 = b64encode(sha256(_PLACE.encode()).digest()).decode()
_LENGTHS = (
    (30, Text("30 分钟", "30 minutes")),
    (60, Text("1 小时", "1 hour")),
    (120, Text("2 小时", "2 hours")),
    (240, Text("4 小时", "4 hours")),
    (480, Text("8 小时", "8 hours")),
    (0, Text("已完成，恢复", "done, judge it again")),
)
_DRILL = Text("（演练）", "(EXERCISE) ")
_WHERE, _CHOOSE = Text("哪里", "where"), Text("请选择", "choose")
_HOW_MANY = Text("人数（已转移的，或今晚住的）", "how many people (moved, or staying tonight)")
_CODE = Text("确认码（预警短信或电话里的数字）", "code (figures in the warning's SMS or call)")
_PHOTO = Text("照片（可不选）", "photo, if any")
_SEND, _AGAIN = Text("发送", "Send"), Text("再报一条", "report more")
_CALL = Text("紧急情况请打电话：", "in an emergency call ")
_PHONE = Text("电话：", "call ")
_SERVICE = Text("设备维护", "maintain a station")
_MEANWHILE = Text("其间读数不研判，到时自动恢复", "its values are not judged meanwhile; that ends by itself")
_STATION, _HOW_LONG = Text("站点", "station"), Text("多久", "how long")
_BEGIN = Text("开始维护", "Begin")


def form(
    areas: Sequence[Area],
    ident: str,
    *,
    drill: bool,
    hotline: str,
    ends: str = "",
    serves: Sequence[str] = (),
    keeps: bool = False,
    coded: bool = False,
    goes_out: bool = False,
    proves: bool = False,
    language: PageLanguage = "zh",
) -> str:
    """areas: those of the person; ident: so that the same page sent twice is one report. ends: the day
    on which the link is over, if that is soon. serves: stations that this person may take out of
    judgement. keeps: whether they may close a gully and count its guests. coded: answers have a code.
    goes_out: whether they say when they go out and are back. proves: a move is proved by its picture."""
    named = {a.id: escape(choose(Text(a.name, a.name_en), language)) for a in areas}
    where = f"<p>{named[areas[0].id]}</p>"
    if len(areas) > 1:
        options = "".join(f'<option value="{escape(a.id)}">{named[a.id]}</option>' for a in areas)
        where = (
            f'<p>{choose(_WHERE, language)}<br><select name="area" required>'
            f'<option value="">{choose(_CHOOSE, language)}</option>{options}</select></p>'
        )
    offered = (
        *_CHOICES,
        *(_WITNESS if proves else ()),
        *(_FIELD if goes_out else ()),
        *(_KEEPER if keeps else ()),
    )
    choices = "".join(
        f'<label class="b{" h" * (what == "help")}"><input type="radio" name="what" required '
        f'value="{what}"> {choose(words, language)}</label>'
        for what, words in offered
    )
    title = choose(_DRILL if drill else "", language) + choose(_TITLE, language)
    return (
        f"{_head(language)}<p>{choose(_OTHER, language)}</p><h1>{title}</h1>"
        '<form method="post" enctype="multipart/form-data">'
        f'<input type="hidden" name="id" value="{escape(ident)}">{where}{choices}'
        f"{_how(language) if proves else ''}"
        f'<p>{choose(_HOW_MANY, language)} <input type="number" name="people" min="0" '
        'max="100000" inputmode="numeric"></p>'
        f"{_code(language) if coded else ''}<p>{choose(_PHOTO, language)}<br>"
        '<input type="file" name="photo" accept="image/*"></p>'
        f"<button>{choose(_SEND, language)}</button></form>{_ending(ends, language)}"
        f"<p><small>{choose(_CALL, language)}{escape(hotline)}</small></p>"
        f"{_service(serves, ident, language)}{_script(proves)}</html>"
    )


def _how(language: PageLanguage) -> str:
    ways = "".join(
        f'<option value="{how}">{choose(words, language)}</option>' for how, words in _HOW
    )
    hidden = "".join(f'<input type="hidden" name="{k}">' for k in ("lon", "lat", "placed"))
    return f'<p><select name="how" aria-label="{choose(_HOW[0][1], language)}">{ways}</select>{hidden}</p>'


def _script(proves: bool) -> str:
    return f"<script>{_PLACE}</script>" if proves else ""


def _code(language: PageLanguage) -> str:
    return (
        f'<p>{choose(_CODE, language)} <input name="code" inputmode="numeric" autocomplete="off" '
        'maxlength="8" size="8"></p>'
    )


def _head(language: PageLanguage) -> str:
    return f"{choose(_HEAD, language)}<title>{choose(_TITLE, language)}</title>{_STYLE}"


def _service(serves: Sequence[str], ident: str, language: PageLanguage) -> str:
    """A second form, folded: a station out of judgement while it is cleaned or tested."""
    if not serves:
        return ""
    things = "".join(f"<option>{escape(t)}</option>" for t in serves)
    lengths = "".join(
        f'<option value="{n}"{" selected" * (n == 120)}>{choose(words, language)}</option>'
        for n, words in _LENGTHS
    )
    station, how_long = choose(_STATION, language), choose(_HOW_LONG, language)
    return (
        f"<details><summary>{choose(_SERVICE, language)}</summary>"
        '<form method="post"><input type="hidden" name="what" value="service">'
        f'<input type="hidden" name="id" value="{escape(ident)}-s">'
        f"<p>{choose(_MEANWHILE, language)}</p>"
        f'<p><select name="thing" aria-label="{station}">{things}</select> '
        f'<select name="minutes" aria-label="{how_long}">{lengths}</select></p>'
        f"<button>{choose(_BEGIN, language)}</button></form></details>"
    )


def _ending(day: str, language: PageLanguage) -> str:
    if not day:
        return ""
    words = Text(
        f"此链接 {escape(day)} 到期，请联系值班室续期。",
        f"This link ends on {escape(day)}: ask the duty room to renew it.",
    )
    return f'<p class="m">{choose(words, language)}</p>'


def answer(words: Text, *, back: bool, hotline: str, language: PageLanguage = "zh") -> str:
    """What came of it. back: a way to say more."""
    again = f'<p><a href="">{choose(_AGAIN, language)}</a></p>' if back else ""
    return (
        f'{_head(language)}<p class="m">{escape(choose(words, language))}</p>{again}'
        f"<p><small>{choose(_PHONE, language)}{escape(hotline)}</small></p></html>"
    )
