"""What somebody says who goes out into the storm and comes back: 出发, 返回. Pure.

Only a text that says nothing else is one: 人员不得返回, 准备出发, 谁返回了？ and 群众返回 are none, for whoever
is taken for back is looked for no more.
"""

import re
from typing import Literal

from ingest.decode.phrases import LONGEST, plain, talks

_WHO = r"(?:我们?|俺|本人)?(?:已经?|现在|刚刚?|正式)?(?:带队|带人|一行)?"
_OUT = re.compile(
    rf"{_WHO}(?:(?:出发|出门)(?:去)?(?:巡查|巡沟|巡逻|查看|查险|看水|转移群众)?|(?:去|开始|上山|进沟|下沟)(?:巡查|巡沟|巡逻|查险|看水))(?:了)?"
)
_OUT_EN = re.compile(r"(?:i am |i'm |we are )?(?:going out|setting out|out on patrol)")
_BACK = re.compile(
    rf"{_WHO}(?:安全|平安)?(?:返回|回来|归来|收队|(?:回|回到|到)(?:村|家|村里|家里|村委会|单位|办公室|所里))(?:了)?"
    rf"|{_WHO}巡查(?:结束|完|完了|完毕)(?:已?(?:返回|回来))?(?:了)?"
)
_BACK_EN = re.compile(r"(?:i am |i'm |we are )?(?:safely )?back(?: home)?")


def going(text: str, names: tuple[str, ...] = ()) -> Literal["", "out", "back"]:
    """names: of areas, which may stand before or behind it.

    >>> [going(t) for t in ("出发", "我已出发去巡查。", "平安返回", "回来了", "back")]
    ['out', 'out', 'back', 'back', 'back']
    >>> [going(t) for t in ("准备出发", "返回了吗？", "群众返回", "没有返回", "不得返回", "出发，水涨了")]
    ['', '', '', '', '', '']
    >>> going("香屯村 出发", ("香屯村",))
    'out'
    """
    text = plain(text)
    if not text or len(text) > LONGEST or talks(text):
        return ""
    for name in names:
        text = text.replace(name.lower(), " ")
    text = re.sub(r"[，。,.!！、;；\s]+", " " if text.isascii() else "", text).strip()
    if _OUT.fullmatch(text) or _OUT_EN.fullmatch(text):
        return "out"
    return "back" if _BACK.fullmatch(text) or _BACK_EN.fullmatch(text) else ""
