"""The words that a district warns with: those of `dispatch/templates`, and its own over them.

A district's folder may hold `words/`: a template (`zh_sms.j2` …) of it takes the place of ours whole;
a row of `advice.toml` or `audience.toml` takes the place of that row alone.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

OURS = Path(__file__).parent / "templates"
TABLES = ("advice.toml", "audience.toml")

# of whom a public warning speaks; an area that is a camp or a road speaks to whom it finds there
Category = Literal["resident", "school", "care_home", "camp", "mine", "construction", "tourist"]
CATEGORY_ZH: dict[Category, str] = {
    "resident": "居民",
    "school": "学校",
    "care_home": "养老机构",
    "camp": "营地",
    "mine": "矿山",
    "construction": "工地",
    "tourist": "路上游客",
}
BY_KIND: dict[str, Category] = {"camp": "camp", "road": "tourist"}


def category_of(kind: str) -> Category:
    """Of a contact's kind (config.district.Contact.kind); the words of others go by their role."""
    return next((c for c in CATEGORY_ZH if c == kind), "resident")


# hazard or audience -> zh, en, speak -> level, action, stage -> words
Rows = dict[str, dict[str, dict[str, str]]]


class Wording(NamedTuple):
    """advice: by hazard. audience: by category and role."""

    templates: Environment
    advice: Rows
    audience: Rows


@cache
def wording(folder: Path, version: str) -> Wording:  # noqa: ARG001
    """The words of the district in `folder`; version: of its config, so that a changed one is read
    again. Raises what a wrong file raises: `dispatch.word_check` has refused it before."""
    own = folder / "words"
    loader = ChoiceLoader([FileSystemLoader(own), FileSystemLoader(OURS)])
    tables = [_over(_rows(OURS / t), _rows(own / t)) for t in TABLES]
    return Wording(environment(loader), *tables)


def environment(loader: ChoiceLoader | None = None) -> Environment:
    """A name that a template asks for and nobody gives is an error, never a hole in a warning."""
    return ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=False,  # plain text; the CAP writer escapes its own
        keep_trailing_newline=False,
    )


def _rows(path: Path) -> Rows:
    if not path.exists():
        return {}
    rows: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    return rows


def _over(ours: Rows, own: Rows) -> Rows:
    return {
        name: {lang: {**words, **own.get(name, {}).get(lang, {})} for lang, words in langs.items()}
        for name, langs in ours.items()
    }
