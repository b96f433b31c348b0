"""That a gully or site is closed 封沟, in the words of a warning: one sentence behind the advice, so that no
template has to ask for it. Pure.

Whoever is told to stay alert, to move or that it is over must not go in there all the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from jinja2 import Template

from config.records.district import Area
from dispatch.words.sms_length import shorter

_SITES = ("camp", "road")  # of an area's kind: it is itself what is closed
_GULLY = {"zh": ("已封沟，不要进沟", "仍在封沟，不要进沟"), "en": (
    "Gully closed: keep out", "Gully still closed: keep out",
)}  # fmt: skip
_SITE = {"zh": ("此处已封闭，不要进入", "此处仍封闭，不要进入"), "en": (
    "Site closed: keep out", "Site still closed: keep out",
)}  # fmt: skip


def closed_words(area: Area | None, lang: Literal["zh", "en"], *, over: bool = False) -> str:
    """The sentence without its end mark. over: of a warning that has ended, which does not open the place."""
    rows = _SITE if area is not None and area.kind in _SITES else _GULLY
    return rows[lang][over]


def closed_too(fields: Mapping[str, Any], area: Area, lang: Literal["zh", "en"]) -> dict[str, Any]:
    """The fields of a text with the sentence behind whatever says what to do."""
    said, still = closed_words(area, lang), closed_words(area, lang, over=True)
    aloud, ever = closed_words(area, "zh"), closed_words(area, "zh", over=True)
    gap = "；" if lang == "zh" else ". "
    found = dict(fields)
    for name in ("advice", "short"):
        found[name] = _behind(fields[name], gap, said)
    for name in ("lifted", "own_lifted"):
        found[name] = _behind(fields[name], gap, still)
    for name in ("speak", "speak_own"):
        found[name] = _behind(fields[name], "。", aloud, "。")
    found["speak_lifted"] = _behind(fields["speak_lifted"], "。", ever, "。")
    return found


def _behind(text: str, gap: str, words: str, end: str = "") -> str:
    if not text:
        return ""
    return text.rstrip("。") + gap + words + end


def closed_texts(
    template: Template,
    forms: Sequence[Mapping[str, Any]],
    area: Area,
    lang: Literal["zh", "en"],
    *,
    sms: bool,
    over: bool,
) -> Iterator[str]:
    """The texts of a public warning, shorter and shorter, each with the sentence: at its end where the
    template dropped what to do for want of room."""
    said, both = closed_words(area, lang, over=over), [closed_too(f, area, lang) for f in forms]
    for text in shorter(template, both, sms=sms, notice=False):
        if said in text:
            yield text
        else:
            yield f"{text}{said}。" if lang == "zh" else f"{text} {said}."
