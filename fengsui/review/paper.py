"""Pages to print (A4), from the templates beside this file, in one language at a time."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from config.language import Language, Text, choose

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, language: Language, **given: Any) -> str:
    """A template as HTML. It says `t("中文", "English")` for its own words, with %s for what is put into
    both, and `of(said)` for what it is given as a pair."""

    def t(zh: str, en: str, *put: object) -> str:
        return choose(Text(zh % put, en % put) if put else Text(zh, en), language)

    return _PAGES.get_template(template).render(
        lang="en" if language == "en" else "zh-CN",
        t=t,
        of=lambda said: choose(said, language),
        **given,
    )
