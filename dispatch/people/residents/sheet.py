"""The sheet for the village door (A4, printed from a browser): the village's name, a code that opens the page
with the village filled in, and the words of the short message. Chinese first, English below. Pure."""

from collections.abc import Sequence
from html import escape

import segno

from config.records.district import Area, District
from dispatch.people.residents.villages import Villages

_STYLE = """<meta charset="utf-8"><style>@page{size:A4;margin:14mm}*{box-sizing:border-box}
body{font-family:"Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",sans-serif;margin:0;color:#000;
background:#fff}section{height:265mm;page-break-after:always;break-after:page;text-align:center;
display:flex;flex-direction:column;justify-content:space-between;overflow:hidden}
section:last-child{page-break-after:auto;break-after:auto}h1{font-size:44pt;margin:0}
h2{font-size:26pt;margin:2mm 0}p{margin:2mm 0}svg{width:88mm;height:88mm}.z{font-size:19pt}
.e{font-size:13pt}.w{font-size:30pt;font-weight:bold;border:1mm solid #000;display:inline-block;
padding:2mm 6mm;margin:2mm}.n{font-size:12pt}ul{list-style:none;padding:0;margin:1mm 0}</style>"""


def link(url: str, area: Area) -> str:
    """What the code says."""
    return f"{url.rstrip('/')}/?v={area.id}"


def sheets(district: District, areas: Sequence[Area], url: str, number: str) -> str:
    """A page of HTML, a sheet of paper each. url: of the public page; number: to which short messages go, ""
    not known."""
    villages = Villages(district)
    pages = "".join(_sheet(district, villages, a, url, number) for a in areas)
    return (
        f'<!doctype html><html lang="zh-CN"><head><title>{escape(district.name)}</title>{_STYLE}</head>'
        f"<body>{pages}</body></html>"
    )


def _sheet(district: District, villages: Villages, area: Area, url: str, number: str) -> str:
    whole = link(url, area)
    picture = segno.make(whole, error="m", micro=False).svg_inline(border=4, omitsize=True)
    name, hotline = escape(area.name), escape(district.hotline)
    # what is to be sent names this village and no other of its name
    word = name if villages.means(area.name) == (area.id,) else area.id
    english = area.name_en.upper() if villages.means(area.name_en) == (area.id,) else area.id
    to_zh = f"到 <b>{escape(number)}</b>" if number else ""
    to_en = f" to <b>{escape(number)}</b>" if number else ""
    chinese = (
        f'<section><div><p class="z">{escape(district.name)} {escape(area.township)}</p><h1>{name}</h1>'
        "<h2>山洪、泥石流预警短信</h2></div>"
        f'<div>{picture}<p class="z">扫码订阅，免费，随时可退</p></div>'
        f'<div><p class="z">没有智能手机：发短信{to_zh}</p><p class="w">订阅 {word}</p>'
        '<ul class="z"><li>按回信里的验证码再回一条，就算数</li>'
        "<li>“退订”不再收　“时段 7-22”夜里不收一般预警</li>"
        "<li><b>红色预警和转移指令任何时候都发</b></li></ul></div>"
    )
    below = (
        f'<div class="e" lang="en"><p><b>Flood warnings for {escape(area.name_en)}</b>: scan the code, or send '
        f"<b>SUBSCRIBE {escape(english)}</b>{to_en} and reply with the code that comes back. "
        "STOP ends it; LANGUAGE ENGLISH; HOURS 7-22.</p></div>"
    )
    ending = (
        f'<p class="z">遇险拨 <b>119</b>　值班室 <b>{hotline}</b></p>'
        f'<p class="n">{escape(whole)}　{escape(area.id)}</p></section>'
    )
    return chinese + below + ending
