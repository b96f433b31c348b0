"""The words that a district warns with: those of `dispatch/words/templates`, and its own over them.

A district's folder may hold `words/`: a template (`zh_sms.j2` …) of it takes the place of ours whole;
a row of `advice.toml` or `audience.toml` takes the place of that row alone.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from config.records.level import HAZARD_ZH, MOUNTAIN

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
    """Of a contact's kind (config.records.district.Contact.kind); the words of others go by their role."""
    return next((c for c in CATEGORY_ZH if c == kind), "resident")


# hazard -> zh, en, brief, speak -> level, action, stage -> words; of an audience a hazard may stand
# between: audience -> hazard -> zh, en, speak -> stage -> words
Rows = dict[str, Any]
_SPEAKS = ("zh", "en", "speak")
OTHER = "other"  # an audience's words for every hazard that is none of the mountains


class Wording(NamedTuple):
    """advice: by hazard. audience: by category and role."""

    templates: Environment
    advice: Rows
    audience: Rows


@cache
def wording(folder: Path, version: str) -> Wording:  # noqa: ARG001
    """The words of the district in `folder`; version: of its config, so that a changed one is read
    again. All are read now: whoever warns asks when it starts, and a file that changes afterwards speaks after
    the next start. Raises what a wrong file raises: `dispatch.words.check` has refused it before."""
    own = folder / "words"
    files = [p if (p := own / ours.name).exists() else ours for ours in OURS.glob("*.j2")]
    texts = {p.name: (p.read_text("utf-8"), str(p), None) for p in files}
    tables = [_said(_over(places(t), _rows(own / t))) for t in TABLES]
    return Wording(environment(FunctionLoader(texts.get)), *tables)


def places(table: str) -> Rows:
    """Our rows, and None where a district may add a row that we have none for: what an audience does in
    one hazard, in each language and at each stage in which it has words at all."""
    ours = _rows(OURS / table)
    if table == TABLES[0]:
        return ours
    for who, rows in ours.items():
        free = {lang: dict.fromkeys(rows[lang]) for lang in _SPEAKS if lang in rows}
        ours[who] = _over(dict.fromkeys((*HAZARD_ZH, OTHER), free), rows) | {
            lang: rows[lang] for lang in free
        }
    return ours


def _said(rows: Rows) -> Rows:
    """Without the rows that nobody wrote."""
    found = {k: _said(v) if isinstance(v, dict) else v for k, v in rows.items()}
    return {k: v for k, v in found.items() if v is not None and v != {}}


def environment(loader: FunctionLoader | None = None) -> Environment:
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
        name: _over(words, own.get(name, {})) if isinstance(words, dict) else own.get(name, words)
        for name, words in ours.items()
    }


def of_audience(words: Wording, who: str, hazard: str, lang: str) -> dict[str, str]:
    """An audience's words for a hazard, by stage. Those of the mountains (flood, debris flow) are the
    audience's own, under what it does otherwise in one of these; for every other hazard they are never
    used: a loudspeaker in a tunnel must not speak of gullies."""
    rows = words.audience[who]
    if hazard in MOUNTAIN:
        return {**rows[lang], **rows.get(hazard, {}).get(lang, {})}
    base = rows.get(OTHER, rows)
    return {**base.get(lang, {}), **rows.get(hazard, {}).get(lang, {})}


def says_where(words: Wording, who: str, hazard: str, stage: str) -> bool:
    """Whether the audience's spoken words for this hazard say where to go, too."""
    if hazard in MOUNTAIN:
        return True
    return stage in words.audience[who].get(hazard, {}).get("speak", {})
