"""The page that a person reports on: plain HTML for any phone, no script, Chinese first. Pure."""

from collections.abc import Sequence
from html import escape

from config.records.district import Area

_HEAD = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>报告情况</title>
<style>body{font:18px/1.5 sans-serif;margin:0 auto;max-width:34em;padding:12px;color:#111;
background:#fff}h1{font-size:22px;margin:8px 0}label.b{display:block;border:2px solid #555;
border-radius:8px;padding:12px;margin:8px 0}label.h{border-color:#b00020;color:#b00020;
font-weight:bold}small{color:#444}input,select,button{font-size:18px}input[type=number]{width:6em}
button{width:100%;padding:16px;background:#0b57d0;color:#fff;border:0;border-radius:8px}
.m{padding:12px;border:2px solid #111;border-radius:8px}</style>"""
_CHOICES = (
    ("help", "求助", "I need help"),
    ("report_flood", "水涨、山洪", "water is rising"),
    ("report_debris_flow", "泥石流", "debris flow"),
    ("report_landslide", "塌方、滑坡", "landslide"),
    ("damage", "房屋、道路受损", "damage"),
    ("moved", "已转移（不填人数即全部）", "moved; no number: everybody"),
    ("safe", "平安", "safe"),
    ("received", "收到通知", "received"),
)


def form(
    areas: Sequence[Area],
    ident: str,
    *,
    drill: bool,
    hotline: str,
    ends: str = "",
    serves: Sequence[str] = (),
) -> str:
    """areas: those of the person; ident: so that the same page sent twice is one report. ends: the day
    on which the link is over, if that is soon. serves: stations that this person may take out of
    judgement."""
    where = f"<p>{escape(areas[0].name)} <small>{escape(areas[0].name_en)}</small></p>"
    if len(areas) > 1:
        options = "".join(
            f'<option value="{escape(a.id)}">{escape(a.name)} {escape(a.name_en)}</option>'
            for a in areas
        )
        where = (
            '<p>哪里 <small>where</small><br><select name="area" required>'
            f'<option value="">请选择 choose</option>{options}</select></p>'
        )
    choices = "".join(
        f'<label class="b{" h" * (what == "help")}"><input type="radio" name="what" required '
        f'value="{what}"> {zh} <small>{en}</small></label>'
        for what, zh, en in _CHOICES
    )
    return (
        f"{_HEAD}<h1>{'（演练）' * drill}报告情况 <small>report</small></h1>"
        '<form method="post" enctype="multipart/form-data">'
        f'<input type="hidden" name="id" value="{escape(ident)}">{where}{choices}'
        '<p>已转移人数 <small>how many moved</small> <input type="number" name="people" min="0" '
        'max="100000" inputmode="numeric"></p>'
        "<p>照片（可不选）<small>photo, if any</small><br>"
        '<input type="file" name="photo" accept="image/*"></p>'
        f"<button>发送 send</button></form>{_ending(ends)}<p><small>紧急情况请打电话 call in an emergency: "
        f"{escape(hotline)}</small></p>{_service(serves, ident)}</html>"
    )


def _service(serves: Sequence[str], ident: str) -> str:
    """A second form, folded: a station out of judgement while it is cleaned or tested."""
    if not serves:
        return ""
    things = "".join(f"<option>{escape(t)}</option>" for t in serves)
    lengths = "".join(
        f'<option value="{n}"{" selected" * (n == 120)}>{words}</option>'
        for n, words in (
            (30, "30 分钟 min"),
            (60, "1 小时 hour"),
            (120, "2 小时 hours"),
            (240, "4 小时 hours"),
            (480, "8 小时 hours"),
            (0, "已完成，恢复 done"),
        )
    )
    return (
        "<details><summary>设备维护 <small>a station in service</small></summary>"
        '<form method="post"><input type="hidden" name="what" value="service">'
        f'<input type="hidden" name="id" value="{escape(ident)}-s">'
        "<p>其间读数不研判，到时自动恢复 <small>nobody judges its values meanwhile</small></p>"
        f'<p><select name="thing" aria-label="站点 station">{things}</select> '
        f'<select name="minutes" aria-label="多久 how long">{lengths}</select></p>'
        "<button>开始维护 begin</button></form></details>"
    )


def _ending(day: str) -> str:
    if not day:
        return ""
    return (
        f'<p class="m">此链接 {escape(day)} 到期，请联系值班室续期。<small>This link ends on that day: ask '
        "the duty room to renew it.</small></p>"
    )


def answer(words: str, *, back: bool, hotline: str) -> str:
    """What came of it. back: a way to say more."""
    again = '<p><a href="">再报一条 report more</a></p>' if back else ""
    return (
        f'{_HEAD}<p class="m">{escape(words)}</p>{again}<p><small>电话 call: '
        f"{escape(hotline)}</small></p></html>"
    )
