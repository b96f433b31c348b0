"""What a resident's short message asks of us, read before anybody takes it for a report.

    订阅 香屯村 / subscribe Xiangtun         these villages
    退订 / TD / stop                         nothing more
    语言 英语 / language English             zh or en
    时段 7-22 / hours 7-22                   colours below red only then
    482913, 确认 482913                      the code that was sent
    怎么订阅                                   how it is done (帮助 alone may be a cry for help)

A message that reports a danger or asks for help is never one of these: `asks` gives None, and it goes its
usual way. So does everything else that does not begin with one of the words. Pure.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from ingest.decode.phrases import meanings, number, plain

Kind = Literal["subscribe", "leave", "language", "hours", "code", "how"]
CODE_DIGITS = 6
_GAP = r"[\s,:，：、。.;；]*"
_SUBSCRIBE = re.compile(
    rf"(?:我要|我想|请)?订阅{_GAP}(.*)|subscribe(?: to)?\b{_GAP}(.*)|(?:dy)\s+(.*)"
)
_LEAVE = re.compile(
    rf"(?:我要|我想|请)?(?:退订|取消订阅|不再订阅|停止订阅){_GAP}(.{{0,30}})|unsubscribe\b{_GAP}(.{{0,30}})"
    r"|td|t|stop"
)
_LANGUAGE = re.compile(rf"(?:语言|language){_GAP}(.*)")
_HOURS = re.compile(rf"(?:时段|时间段|hours){_GAP}(.*)")
_CODE = re.compile(rf"(?:确认|验证码|code){_GAP}([0-9]{{{CODE_DIGITS}}})|([0-9]{{{CODE_DIGITS}}})")
_HOW = re.compile(r"(?:怎么|如何|怎样)(?:订阅|退订)|订阅帮助")
_END = " ,:，：、。.;；!！?"
_LANGUAGES: dict[str, Literal["zh", "en"]] = {
    **dict.fromkeys(("英语", "英文", "english", "en", "eng"), "en"),
    **dict.fromkeys(("中文", "汉语", "普通话", "chinese", "zh", "国语"), "zh"),
}
_DIGIT = r"(\d{1,2}|[零〇一二两三四五六七八九十]{1,3})"
_MINUTE = r"(?:[:点时]([0-5]\d)?分?)?"
_SPAN = re.compile(rf"{_DIGIT}{_MINUTE}\s*(?:-|–|—|~|到|至|to)\s*{_DIGIT}{_MINUTE}")
_ALL_DAY = ("全天", "不限", "24小时", "all day", "all", "随时")


class Wanted(NamedTuple):
    """kind: what for. about: the villages as they were written, or what was not understood. lang, quiet: as a
    contact has them, None where they were not understood; quiet "" is any hour. code: figures."""

    kind: Kind
    about: str = ""
    lang: Literal["zh", "en"] | None = None
    quiet: str | None = None
    code: str = ""

    def unsure(self, known: Callable[[str], bool]) -> bool:
        """Whether more is said than was understood, which may be anything: a person must read it too."""
        return bool(self.about) and not (self.kind in ("subscribe", "leave") and known(self.about))


def asks(text: str, known: Callable[[str], bool] = lambda _: False) -> Wanted | None:
    """What `text` (any) asks for; None: it is no such message. known: whether a rest of the text is nothing
    but names of villages: 订阅 落石沟村 asks for a village, and reports no rock."""
    whole = plain(text)
    if not whole or len(whole) > 200:
        return None
    said = whole.strip(_END)
    found = _read(said)
    if found is None:
        return None
    if found.kind in ("subscribe", "leave") and found.about and known(found.about):
        return found
    loud = [m.what for m in meanings(text, exercise=True) if m.what not in ("received", "safe")]
    return None if loud else found


def _read(said: str) -> Wanted | None:
    if hit := _CODE.fullmatch(said):
        return Wanted("code", code=hit[1] or hit[2])
    if _HOW.fullmatch(said):
        return Wanted("how")
    if hit := _LEAVE.fullmatch(said):
        return Wanted("leave", about=(hit[1] or hit[2] or "").strip(_END))
    if hit := _SUBSCRIBE.fullmatch(said):
        return Wanted("subscribe", about=next((g for g in hit.groups() if g), "").strip(_END))
    if hit := _LANGUAGE.fullmatch(said):
        lang = _LANGUAGES.get(rest := hit[1].strip(_END))
        return Wanted("language", "" if lang else rest, lang=lang)
    if hit := _HOURS.fullmatch(said):
        quiet = quiet_of(rest := hit[1].strip(_END))
        return Wanted("hours", rest if quiet is None else "", quiet=quiet)
    return None


def quiet_of(span: str) -> str | None:
    """7-22, 七点到二十二点, 6:30-21: when somebody wants to be told, as the quiet hours of a contact; ""
    for any hour, None where it is none.

    >>> quiet_of("7-22"), quiet_of("全天"), quiet_of("6:30到21点"), quiet_of("7-25")
    ('22:00-07:00', '', '21:00-06:30', None)
    """
    if span in _ALL_DAY:
        return ""
    hit = _SPAN.fullmatch(span)
    if hit is None:
        return None
    ends = []
    for hour, minute in ((hit[1], hit[2]), (hit[3], hit[4])):
        value = number(hour)
        if value > 24 or (value == 24 and minute not in (None, "00")):
            return None
        ends.append(f"{value % 24:02}:{int(minute or 0):02}")
    begin, end = ends
    return "" if begin == end else f"{end}-{begin}"


def told_hours(quiet: str) -> str:
    """The same the other way round: 22:00-07:00 is told 07:00-22:00; "" for any hour."""
    begin, _, end = quiet.partition("-")
    return f"{end}-{begin}" if end else ""


def is_mobile(number: str) -> bool:
    """A mobile telephone of mainland China, however it is written."""
    bare = "".join(c for c in number if c not in " -()（）+")
    digits = bare[-11:]
    if not (bare.isascii() and bare.isdigit()):
        return False
    whole = bare.removeprefix("0086") if bare.startswith("00") else bare.removeprefix("86")
    return whole == digits and len(digits) == 11 and digits[0] == "1" and digits[1] in "3456789"
