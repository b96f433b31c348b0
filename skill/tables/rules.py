"""The file that `tune` writes of a one-row-a-storm table and `hindcast` reads.

A rule is a line in log odds over shaped quantities (`table_quantities`), with what it takes to fill
gaps. Read strictly: an unknown field, quantity or version is refused, with what to do.
"""

from typing import Any

import msgspec
import numpy as np

from config.language import Text, en, zh
from detectors.rain.storm.log_odds import LogOddsLine
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES
from skill.series.rules import RulesFault, Skill, Step, toml_text
from skill.tables.fit import Fitted
from skill.tables.published import NAMES
from skill.tables.rows.climate import NOWHERE, Strength
from skill.tables.rows.infer import Moments
from skill.tables.table import Climate

FORM, VERSION = "table", 2
WHOLE = ""  # the name under which all regions together stand
_READ = (1, VERSION)  # what the build before wrote has neither climate nor a published rule


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field that nobody knows is a mistake."""


class Term(_Strict, frozen=True, kw_only=True):
    """One quantity: weight in log odds on its shaped value (0: it only fills gaps), its mean and its
    covariance with all, and the range that was seen, in its own unit."""

    quantity: str
    unit: str
    shape: str
    weight: float
    mean: float
    covariance: tuple[float, ...]
    lowest: float
    highest: float


class TableSource(_Strict, frozen=True, kw_only=True):
    """Where it comes from."""

    table_sha256: str
    map_sha256: str
    rows: int
    events: int
    groups: int
    cost: float
    seed: int


class Region(_Strict, frozen=True, kw_only=True):
    """The storms of a region of the table; name "": of all of it. strong: the peak intensity over
    `minutes` (mm/h) that one of its `storms` distinct storms in twenty exceeds."""

    name: str
    minutes: int
    storms: int
    strong: float


class TriedRule(_Strict, frozen=True, kw_only=True):
    """A rule that was tried, on what was left out (`how`). weights: how many it has."""

    rule: str
    delivered: bool
    weights: int
    how: str
    hits: int
    misses: int
    false_alarms: int
    csi: float
    auc: float


class TableRules(_Strict, frozen=True, kw_only=True):
    """The whole file. threshold: on the chance. trade_off: on groups left out; no lead (-1).
    published: the rule that is delivered as it stands, with the slope of its logarithm over its own
    threshold."""

    form: str
    version: int
    threshold: float
    intercept: float
    term: tuple[Term, ...]
    provenance: TableSource
    in_sample: Skill
    cross_validated: tuple[Skill, ...] = ()
    trade_off: tuple[Step, ...] = ()
    rule: str = ""
    published: str = ""
    slope: float = 0.0
    region: tuple[Region, ...] = ()
    candidate: tuple[TriedRule, ...] = ()


_FORMULA = "# chance = 1 / (1 + exp(-(intercept + sum weight shape(quantity))))\n"
_HEAD = Text(
    _FORMULA
    + """\
# 由 `fengsui tune --table` 率定；chance 不小于 threshold 时报警。
# 缺测的量由其余的量按 mean、covariance 推得。
# 峰值雨强先除以本地与率定表暴雨之比（[[region]]）。
# cross_validated 是未见数据上的技巧，in_sample 偏乐观。
""",
    """\
# Tuned by `fengsui tune --table`; warn at chance >= threshold.
# What is missing is inferred from the rest by mean and covariance.
# Peaks are first divided by how much stronger the place's storms are than the table's ([[region]]).
# cross_validated is the skill on data not seen; in_sample flatters.
""",
)


def text(file: TableRules) -> str:
    """TOML, in a fixed order."""
    tables: list[tuple[str, Any]] = [("[[term]]", t) for t in file.term]
    tables += [("[provenance]", file.provenance), ("[in_sample]", file.in_sample)]
    tables += [("[[region]]", r) for r in file.region]
    tables += [("[[candidate]]", c) for c in file.candidate]
    tables += [("[[cross_validated]]", s) for s in file.cross_validated]
    tables += [("[[trade_off]]", s) for s in file.trade_off]
    top = {n: getattr(file, n) for n in ("form", "version", "rule", "threshold", "intercept")}
    if file.published:
        top |= {"published": file.published, "slope": file.slope}
    return toml_text(_HEAD, top, tables)


def load(body: str) -> TableRules:
    """RulesFault with what is wrong."""
    try:
        file: TableRules = msgspec.toml.decode(body, type=TableRules)
    except (msgspec.DecodeError, ValueError) as e:
        raise RulesFault(
            Text(f"规则文件读不了：{zh(e)}", f"the rules cannot be read: {en(e)}")
        ) from e
    if file.form != FORM or file.version not in _READ:
        raise RulesFault(
            Text(
                f"形式 {file.form!r}、版本 {file.version} 不符：应为 {FORM!r}、{VERSION}；请重新率定",
                f"form {file.form!r}, version {file.version}: it should be {FORM!r}, {VERSION}; "
                "tune again",
            )
        )
    if not 0 < file.threshold < 1 or not file.term:
        raise RulesFault(
            Text(
                "应有 0 < threshold < 1 和一个 [[term]]",
                "it must have 0 < threshold < 1 and a [[term]]",
            )
        )
    names = [t.quantity for t in file.term]
    for t in file.term:
        q = TABLE_QUANTITIES.get(t.quantity)
        if q is None or (t.unit, t.shape) != (q.unit, q.shape) or names.count(t.quantity) > 1:
            wrong = Text("量、单位或形不符", "quantity, unit or shape is another")
            raise RulesFault(f"[[term]] {t.quantity}: " + wrong)
        if len(t.covariance) != len(file.term):
            wrong = Text("covariance 应有 ", "covariance must have ")
            raise RulesFault(f"[[term]] {t.quantity}: " + wrong + f"{len(file.term)}")
    if file.published and file.published not in NAMES:
        wrong = Text(f"未知 {file.published!r}：", f"unknown {file.published!r}: ")
        raise RulesFault("published: " + wrong + ", ".join(NAMES))
    for r in file.region:
        if r.storms < 1 or not r.strong > 0:
            wrong = Text("storms、strong 应为正", "storms and strong must be positive")
            raise RulesFault(f"[[region]] {r.name!r}: " + wrong)
    return file


def fitted(file: TableRules) -> Fitted:
    """As the arithmetic takes it."""
    names = tuple(t.quantity for t in file.term)
    moments = Moments(
        np.array([t.mean for t in file.term]), np.array([t.covariance for t in file.term])
    )
    line = LogOddsLine(file.intercept, np.array([t.weight for t in file.term]))
    return Fitted(names, moments, line, file.threshold, file.rule, file.published, file.slope)


def climate(file: TableRules) -> Climate:
    """As the arithmetic takes it; nothing is known of a table's climate in version 1."""
    found = {r.name: Strength(r.minutes, r.storms, r.strong) for r in file.region}
    whole = found.get(WHOLE, NOWHERE)
    return Climate(whole, {n: p for n, p in found.items() if n != WHOLE})


def regions(c: Climate) -> tuple[Region, ...]:
    """As the file has it."""
    named = {WHOLE: c.whole} | {n: p for n, p in c.regions.items() if n}
    return tuple(
        Region(name=n, minutes=p.minutes, storms=p.storms, strong=p.strong)
        for n, p in named.items()
        if p.storms
    )
