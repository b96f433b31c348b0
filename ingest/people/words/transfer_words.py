"""How people moved, in a short message: 安置点, 投亲靠友, 就地上楼, each with its count; and a witness's word.
Pure.

    安置点20人，投亲5人，上楼3人     three ways       属实, 属实12人, 证实   witnessed
"""

import re

from ingest.decode.phrases import LONGEST, Meaning, meanings, number, plain, talks

_WAYS = (
    ("shelter", r"安置点|安置到|避难场所|避难所|避险点|集中安置"),
    ("relatives", r"投亲(?:靠友)?|靠友|亲友家?|亲戚家?"),
    ("upstairs", r"(?:就地|原地|垂直)?(?:上楼|上到?二楼|上房)|楼上"),
)
_MOVED = re.compile(r"转移|撤离|安置|投亲|靠友|上楼|上到?二楼")
_COUNT = re.compile(r"(\d+|[零〇一二两三四五六七八九十百千]+)\s*(?:余|多)?\s*(?:个人|口人|人|名|位|口)")
_NOT = re.compile(r"没有?|未|不|无法|准备|马上|立即|请|要|将|待|正在|开始|演练|演习")
_WITNESS = re.compile(
    r"(?:转移)?(?:情况)?(?:确实)?(?:属实|证实|核实无误|我证明|确已转移|已核实)(?:了)?(?:转移)?"
)


def ways(text: str, names: tuple[str, ...] = ()) -> list[Meaning]:
    """One `moved` for each way that is named with a count, one way without a count where it is the only one.
    Nothing where it is asked, heard of, denied or still to come. names: of areas.

    >>> [(m.how, m.people) for m in ways("已转移：安置点20人，投亲靠友5人，就地上楼3人")]
    [('shelter', 20), ('relatives', 5), ('upstairs', 3)]
    >>> ways("请转移到安置点20人"), ways("安置点有20人吗？"), ways("未转移到安置点")
    ([], [], [])
    """
    text = _bare(text, names)
    if not text or not _MOVED.search(text) or _NOT.search(text):
        return []
    hits = sorted(
        (h.start(), how) for how, pattern in _WAYS for h in re.finditer(pattern, text)
    )
    found: dict[str, int | None] = {}
    for n, (start, how) in enumerate(hits):
        end = hits[n + 1][0] if n + 1 < len(hits) else len(text)
        count = _COUNT.search(text[start:end])
        if count is None and n == 0:
            count = _COUNT.search(text[:start])
        if how not in found or found[how] is None:
            found[how] = number(count[1]) if count else None
    if len(found) > 1:
        found = {how: n for how, n in found.items() if n is not None}
    elif None in found.values() and not any(m.what == "moved" for m in meanings(text)):
        return []
    return [Meaning("moved", n, how) for how, n in found.items()]


def witnessed(text: str, names: tuple[str, ...] = ()) -> list[Meaning]:
    """The word of who has seen it, with their count if they say one.

    >>> witnessed("属实"), witnessed("香屯村属实12人", ("香屯村",))[0].people, witnessed("属实吗？")
    ([Meaning(what='witnessed', people=None, how='')], 12, [])
    """
    text = _bare(text, names)
    count = _COUNT.search(text)
    rest = re.sub(r"\W+", "", _COUNT.sub("", text)) if text else ""
    if not rest or not _WITNESS.fullmatch(rest):
        return []
    return [Meaning("witnessed", number(count[1]) if count else None)]


def _bare(text: str, names: tuple[str, ...]) -> str:
    """Without the names of areas; nothing of what asks or tells hearsay."""
    text = plain(text)
    if len(text) > LONGEST or talks(text):
        return ""
    for name in names:
        text = text.replace(name.lower(), " ")
    return text
