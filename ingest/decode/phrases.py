"""What a person's short message means: words in Chinese or English, a count, names of areas.

    水涨 进水 溃坝 山洪 …     report_flood         求助 被困 失联 落水 …  help
    泥石流                    report_debris_flow   已转移 12 人 全部转移  moved
    塌方 滑坡 落石            report_landslide     平安                  safe
    倒塌 冲毁 受损            damage               收到 1                received
    封沟 封沟12小时           closed               今晚 43 人            staying
    开沟 解封                 opened

Full-width characters and Chinese numerals are read as what they mean. A word that is denied (没有, 未,
不, 无人) means nothing here: what is left unsaid by a person is never an all-clear. A question, hearsay,
a conditional, the past and a drill report nothing either, and nor does what is already over (已获救);
only a cry for help is one however it is put (救命, 能来救我吗). Pure.
"""

import re
import unicodedata
from typing import NamedTuple

LONGEST = 500  # characters; an SMS of several parts has fewer
_MOST = 100_000  # people
# asked of somebody: no doubt, no question mark takes these back
_CRY = r"求助|求救|救命|救救|救我|快来救|来救|需要帮助|\bhelp\b|\bsos\b"
_WORDS: tuple[tuple[str, str], ...] = (
    (
        "help",
        (
            rf"{_CRY}|救援|被困|困住|困在|被埋|埋住|埋了|失联|失踪|联系不上|落水|溺水|掉(?:到|进|入|下)?[了]?(?:河|水|沟|江|湖|坑|井)"
            r"|(?:被|给)(?:大?水|洪水|泥石流|山洪)?(?:冲|卷)(?:走|跑|下)|冲走了?(?:.{0,4}人)|人.{0,4}冲走|受伤|重伤|伤亡|遇难|死亡|死了?人|(?:人|孩子?|娃|老人).{0,3}(?:不见|找不到|丢)了"
            r"|无法转移|转移不了|走不[了动]|出不去|出不来|上不来|下不来|爬上?(?:了)?(?:房|屋)顶|在(?:房|屋)顶上?"
            r"|\btrapped\b|\bmissing\b|\binjured\b|\bdrowning\b|\bswept away\b"
        ),
    ),
    ("report_debris_flow", r"泥石流|\bdebris ?flow\b|\bmud ?(?:flow|slide)\b"),
    ("report_landslide", r"塌方|滑坡|崩塌|落石|滚石|山体垮|山(?:体)?塌|山垮|\blandslide\b"),
    (
        "report_flood",
        (
            r"水(?:位)?(?:正在|一直|又|猛|暴|快速|迅速|开始|在)?涨|涨水|涨大水|山洪|洪水|发大?水|来大?水了|漫堤|漫桥|漫坝|漫溢"
            r"|水(?:已经|都|快)?(?:漫|淹|灌|上路|进(?:屋|村|院|家|门|来))|漫(?:上来|过|到|进)|进水(?!口|管|阀|闸|量|塔|厂)|被?淹(?!没有)|大水来|(?:河|溪|沟)里?的?水(?:很|太|特别|非常|越来越)(?:大|猛|急|高|深)"
            r"|溃坝|垮坝|(?:水库|坝|堰塞湖|堰塞体)(?:体)?(?:要|快要?|已经?)?(?:垮|溃|塌|开口|决|漫|漏)|溃堤|决堤|决口|溃口|堤(?:防|坝)?(?:垮|溃|塌|决)"
            r"|\bflood(?:ing|ed)?\b|\bdam (?:broke|burst|break)\b|\bwater (?:is )?rising\b"
        ),
    ),
    (
        "damage",
        r"(?:房|屋|墙|桥|路|电杆|电线杆)[子面梁屋]*(?:都|也|被)?(?:倒|塌|垮|断|毁)|倒塌|坍塌|冲毁|冲垮|冲断|受损|断路|路断|桥断|\bdamaged?\b",
    ),
    ("moved", r"转移|撤离|撤走|\bmoved\b|\bevacuated\b"),
    ("safe", r"平安|没事|无事|\bsafe\b"),
    ("received", r"收到|知道了|明白|\breceived\b|\bok\b"),
)
_DAM = re.compile(
    r"溃坝|垮坝|(?:水库|坝|堰塞湖|堰塞体)(?:体)?(?:要|快要?|已经?|发生)?(?:垮|溃|塌|开口|决)"
    r"|\bdam (?:broke|burst|break)\b"
)
_REPORTS = ("report_debris_flow", "report_landslide", "report_flood", "damage")
# a denial right before the word, or with who it is about between; 没事 and 无法转移 are words of their own
_WHO = r"(?:任何|一个|一名)?(?:人员?|村民|群众|居民|老人|孩子|学生|游客|家庭|户)?"
_DENIED = re.compile(
    rf"(?:没有?|未见?|[暂均]?无|不(?:用|需要|能|会|存在)?|别|零|\bno|\bnot|\bno(?:body| ?one)(?: is)?)"
    rf"\s*(?:再|发生|出现|发现|接到|收到|看见|看到|听到|造成|导致|有){{0,3}}\s*{_WHO}\s*$"
)
# what is still to be done has not been done
_NOT_YET = re.compile(r"(?:正在|准备|开始|马上|立即|需要?|请|要|将|待)\s*$")
# a word about the warning, about a danger on paper, or a question, reports nothing
_ABOUT = re.compile(
    r"\s*(?:灾害)?的?(?:橙色|红色|黄色|蓝色)?(?:预警|警报|警告|风险|通知|消息|隐患|易发|防治|防御|监测|应急|预案|知识|沟|吗|么|没有|\?)"
)
_ASKED = re.compile(
    r"(?:吗|么|呢|没有|没)?\s*[?]|(?:吗|么|了没|了没有)\s*[。.!！]*$|有没有|是不是|会不会|是否|要不要|怎么办|什么时候|几点"
    r"|^(?:is|are|was|will|did|does|do|has|have)\b"
)
_HEARSAY = re.compile(
    r"听说|据说|据传|听(?:人|别人|他们|邻居|村里人)?(?:讲|说)|网上|网传|群里|传言|谣言|新闻|电视|抖音|微信(?:里|上)?说"
    r"|\bi hear(?:d)?\b|\bthey say\b|\brumou?r"
)
_UNSURE = re.compile(
    r"好像|可能|也许|估计|恐怕|怕是|担心|害怕|预报|预计|如果|要是|万一|假如|一旦|即将|容易|小心|注意|防止|防范|预防|谨防"
    r"|去年|前年|以前|上次|上回|曾经|历史上|昨天|前天|\bmaybe\b|\bif\b|\bmight\b|\blast year\b|\byesterday\b"
)
_DRILL = re.compile(r"演练|演习|测试|试一下|模拟|培训|\bdrill\b|\bexercise\b|\btest(?:ing)?\b")
_NO_DRILL = re.compile(
    r"(?:这|真的?)?(?:并|可)?(?:不是|非)(?:在)?(?:演练|演习|测试|模拟)|\b(?:not|no) (?:a )?(?:drill|test)\b"
)
# said of those who were in danger: it is over
_SAVED = re.compile(
    r"(?:人员?|群众|村民|游客|全部|都|均|全|人)(?:已经?|都|均|全部)*(?:安全)?(?:救出|获救|得救|脱险|脱困|解救|找到|联系上|救上来)"
)
_STILL = re.compile(r"还有|仍|尚|还在|还没|\bstill\b")
# of a gully or a camp site, from whoever keeps it; read where the text reports nothing else
_KEPT = (
    ("opened", re.compile(r"开沟|解除封(?:沟|闭|山)|解封|\bre-?opened\b")),
    (
        "closed",
        re.compile(r"封沟|封山|封闭沟口|沟口?已?封闭|\b(?:gully|site|valley) (?:is )?closed\b"),
    ),
)
_HOURS = re.compile(r"(\d{1,2})\s*(?:个)?(?:小时|h\b|hours?)")
_WHOLE = re.compile(
    r"已|全|都|完|了|moved|evacuated"
)  # without it, or a count, 转移 is only a word
_PART = re.compile(r"部分|一半|一些|有的|some|part")
_NUMERAL = "零〇一二两三四五六七八九十百千"
_COUNT = re.compile(rf"(\d+|[{_NUMERAL}]+)\s*(?:余|多)?\s*(?:个人|口人|人|名|位|口|people|persons)")
_TONIGHT = re.compile(
    rf"(?:今晚|今夜|昨晚|tonight)[^\d{_NUMERAL}无没]{{0,8}}(?:(\d+|[{_NUMERAL}]+)\s*(?:个|位|名|口)?\s*(?:客|游)?(?:人|客|people|guests)"
    r"|无人|没有?人)"
)
_BARE = re.compile(
    rf"(?:转移|撤离|撤走|moved|evacuated)(?:了|出)?[\s,:，：]*(\d+|[{_NUMERAL}]+)\s*$"
)


class Meaning(NamedTuple):
    """what: as in `ingest.observation.PersonSays`. people: of moved. how: which way, of moved."""

    what: str
    people: int | None = None
    how: str = ""


def plain(text: str) -> str:
    """Full-width characters as ASCII, lower case, one space, no control characters."""
    folded = unicodedata.normalize("NFKC", text).lower()
    kept = (" " if unicodedata.category(c)[0] in "CZ" else c for c in folded)
    return " ".join("".join(kept).split())


def meanings(text: str, *, exercise: bool = False) -> list[Meaning]:
    """What `text` (any) says, the most urgent first; nothing where it is not understood. 收到 and
    平安 beside something else say nothing more. exercise: a word of a drill is one of this run."""
    text = plain(text)
    if not text or len(text) > LONGEST:
        return []
    if re.fullmatch(r"[1１]\W*", text):
        return [Meaning("received")]
    text = _NO_DRILL.sub("", text)
    if not exercise and _DRILL.search(text):
        return []
    found = [Meaning(what, n) for what, pattern in _WORDS for n in _said(text, what, pattern)]
    if any(w.what == "help" for w in found):  # 无法转移, 请求转移
        found = [w for w in found if w.what != "moved" or w.people is not None]
    if any(w.people is not None and w.people > _MOST for w in found):
        return []
    loud = [w for w in found if w.what not in ("safe", "received")]
    if not loud and _open(text):
        return []
    return loud or found[:1]


def of_place(text: str) -> list[Meaning]:
    """What the keeper of a gully or site says of it: closed, opened, or how many stay tonight. Nothing where it
    is asked, denied, heard of or only to come, and nothing where the text reports a danger (`meanings`)."""
    text = plain(text)
    if not text or len(text) > LONGEST or _ASKED.search(text) or _HEARSAY.search(text):
        return []
    if _UNSURE.search(text) or any(m.what not in ("received", "safe") for m in meanings(text)):
        return []
    if hit := _TONIGHT.search(text):
        return [Meaning("staying", 0 if hit[1] is None else number(hit[1]))]
    for what, pattern in _KEPT:
        for hit in pattern.finditer(text):
            before = text[: hit.start()]
            if not _DENIED.search(before) and not _NOT_YET.search(before):
                return [Meaning(what)]
    return []


def hours_of(text: str) -> int:
    """For how many hours a closure is said to hold; 0: it does not say."""
    hit = _HOURS.search(plain(text))
    return int(hit[1]) if hit else 0


def is_outburst(text: str) -> bool:
    """Whether a report of a flood (`meanings`) says that a dam or a lake gave way, or is about to."""
    return _DAM.search(plain(text)) is not None


def talks(text: str) -> bool:
    """Whether it asks, or tells what others say; text: as `plain` makes it."""
    return bool(_ASKED.search(text) or _HEARSAY.search(text))


def _open(text: str) -> bool:
    """Whether it says something that is no report, and may be more than an answer."""
    asks = _ASKED.search(text) or _HEARSAY.search(text) or _UNSURE.search(text)
    return bool(asks) and any(
        re.search(pattern, text) for what, pattern in _WORDS if what in ("help", *_REPORTS)
    )


def _said(text: str, what: str, pattern: str) -> list[int | None]:
    """One value, of `moved` the people counted, where the text says it."""
    if _is_talk(text, what):
        return []
    for hit in re.finditer(pattern, text):
        before, after = text[: hit.start()], text[hit.end() :]
        if _DENIED.search(before) or (what != "help" and _ABOUT.match(after)):
            continue
        if what != "moved":
            return [None]
        people = _counted(before, text[hit.start() :])
        whole = _WHOLE.search(text) and not _PART.search(text)
        if not _NOT_YET.search(before) and (people is not None or whole):
            return [people]
    return []


def _is_talk(text: str, what: str) -> bool:
    """Whether it only speaks of such a thing."""
    if what == "help":
        if re.search(_CRY, text) and not _HEARSAY.search(text):
            return False
        over = _SAVED.search(text) and not _STILL.search(text)
        return bool(over or _ASKED.search(text) or _HEARSAY.search(text))
    return what in _REPORTS and bool(
        _ASKED.search(text) or _HEARSAY.search(text) or _UNSURE.search(text)
    )


def _counted(before: str, rest: str) -> int | None:
    """已转移 12 人; else 12 人已转移. rest begins with the word."""
    found = _COUNT.search(rest) or _BARE.search(rest)
    if found is None:
        found = next(reversed(list(_COUNT.finditer(before))), None)
    return number(found[1]) if found else None


def number(digits: str) -> int:
    """12, 十二, 一百零五, 两千三百, 一二 (figures said one by one)."""
    if digits.isdigit() and digits.isascii():
        return int(digits[:12])
    if not any(c in "十百千" for c in digits):
        return int("".join(str(_figure(c)) for c in digits[:12]))
    total, figure = 0, 0
    for c in digits:
        if c in "十百千":
            total += (figure or 1) * int(unicodedata.numeric(c))
            figure = 0
        else:
            figure = _figure(c)
    return total + figure


def _figure(c: str) -> int:
    return 2 if c == "两" else int(unicodedata.numeric(c))
