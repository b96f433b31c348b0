"""The file that `tune` writes and `hindcast` reads: rules, how they are counted, where they are from.

Its `[[rule]]` tables are those of a district's rules.toml, ready to be pasted once `areas` and
`stations` are the district's own. It is read strictly: an unknown field, kind, parameter or version
is refused, with what to do.
"""

import json
from typing import Any

import msgspec

from config.checks.tables import ACTIONS, LEVELS
from config.language import Text, en, text_of, zh
from config.records.level import HAZARD_ZH
from config.records.quantity import QUANTITIES
from config.records.rules import RuleRow
from detectors.setup.registry import KINDS
from skill.verify.match import RULE

FORM, VERSION = "series", 1


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field that nobody knows is a mistake."""


class Matching(_Strict, frozen=True, kw_only=True):
    """The rule of `match` and its numbers."""

    rule: str
    min_lead_s: int
    window_min: int
    merge_gap_min: int


class ParameterSource(_Strict, frozen=True, kw_only=True):
    """Where the parameters come from."""

    observations_sha256: str
    events_sha256: str
    rows: int
    events: int
    events_unseen: int
    first: str
    last: str
    candidates: int
    cost: float
    seed: int
    family: str = ""


class Skill(_Strict, frozen=True, kw_only=True):
    """Counts and what follows from them; -1 where a ratio is not defined."""

    how: str
    hits: int
    misses: int
    false_alarms: int
    pod: float
    far: float
    csi: float
    csi_low: float
    csi_high: float


class Step(_Strict, frozen=True, kw_only=True):
    """The same rule at another threshold, in the sample: what more warnings would cost. -1 where a
    number is not defined."""

    threshold: float
    hits: int
    misses: int
    false_alarms: int
    pod: float
    far: float
    csi: float
    lead_median_min: float


class Chance(_Strict, frozen=True, kw_only=True):
    """Chance of an event in the window = 1 / (1 + exp(-(intercept + slope value))), in the sample."""

    intercept: float
    slope: float


class RulesFile(_Strict, frozen=True, kw_only=True):
    """The whole file."""

    form: str
    version: int
    matching: Matching
    rule: tuple[RuleRow, ...]
    provenance: ParameterSource
    in_sample: Skill
    cross_validated: tuple[Skill, ...]
    chance: Chance | None = None
    trade_off: tuple[Step, ...] = ()
    rivals: tuple[Skill, ...] = ()


class RulesFault(ValueError):
    """A file that cannot be used; the text says why."""


_HEAD = Text(
    """\
# 由 `fengsui tune` 生成的规则。
# [[rule]] 可贴入本区 rules.toml（先改 areas、stations）。
# cross_validated 是未见数据上的技巧，in_sample 偏乐观。
# rivals：各类规则单独在未见数据上的技巧。
""",
    """\
# Rules tuned by `fengsui tune`.
# [[rule]] can be pasted into a district's rules.toml (change areas and stations first).
# cross_validated is the skill on data not seen; in_sample flatters.
# rivals: what each family of rules does by itself on data not seen.
""",
)


def text(file: RulesFile) -> str:
    """TOML, in a fixed order, without what is at its default."""
    tables: list[tuple[str, Any]] = [("[matching]", file.matching)]
    tables += [("[[rule]]", r) for r in file.rule]
    tables += [("[provenance]", file.provenance), ("[in_sample]", file.in_sample)]
    tables += [("[[cross_validated]]", s) for s in file.cross_validated]
    tables += [("[chance]", file.chance)] if file.chance else []
    tables += [("[[trade_off]]", s) for s in file.trade_off]
    tables += [("[[rivals]]", s) for s in file.rivals]
    return toml_text(_HEAD, {"form": file.form, "version": file.version}, tables)


def toml_text(head: Text, top: dict[str, Any], tables: list[tuple[str, Any]]) -> str:
    """Structs as TOML tables below their heads, and comments for both readers at the top; None and a
    rule's defaults are left away."""
    lines = [head.zh + head.en, *(f"{name} = {_value(value)}" for name, value in top.items())]
    for name, table in tables:
        lines += ["", name]
        for field in msgspec.structs.fields(table):
            value = getattr(table, field.name)
            if value is None or (isinstance(table, RuleRow) and value == field.default):
                continue
            lines.append(f"{field.name} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inside = ", ".join(f"{k} = {_value(v)}" for k, v in value.items())
        return "{ " + inside + " }" if inside else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def load(body: str) -> RulesFile:
    """RulesFault with the place of what is wrong."""
    try:
        file: RulesFile = msgspec.toml.decode(body, type=RulesFile)
    except (msgspec.DecodeError, ValueError) as e:
        raise RulesFault(
            Text(f"规则文件读不了：{zh(e)}", f"the rules cannot be read: {en(e)}")
        ) from e
    if file.form != FORM or file.version != VERSION:
        raise RulesFault(
            Text(
                f"形式 {file.form!r}、版本 {file.version} 不符：应为 {FORM!r}、{VERSION}；请重新率定",
                f"form {file.form!r}, version {file.version}: it should be {FORM!r}, {VERSION}; "
                "tune again",
            )
        )
    if file.matching.rule != RULE:
        raise RulesFault(
            Text(
                f"匹配规则 {file.matching.rule!r} 未知，应为 {RULE!r}",
                f"unknown matching rule {file.matching.rule!r}: it should be {RULE!r}",
            )
        )
    lead_ms, window_ms = file.matching.min_lead_s * 1000, file.matching.window_min * 60_000
    if not 0 <= lead_ms <= window_ms or file.matching.merge_gap_min < 0:
        raise RulesFault(
            Text("[matching] 应有 ", "[matching] must have ")
            + "0 <= min_lead <= window, merge_gap >= 0"
        )
    if not file.rule:
        raise RulesFault(Text("没有 [[rule]]", "there is no [[rule]]"))
    for row in file.rule:
        _check(row)
    return file


def parameters(row: RuleRow) -> Any:
    """The kind's own parameters of a row."""
    return msgspec.convert(row.parameters, KINDS[row.kind].parameters)


def limits(row: RuleRow) -> list[tuple[int, float]]:
    """(level, threshold) of those that are set, an action counting as 5 or 6."""
    named = [(n, getattr(row, x)) for n, x in enumerate((*LEVELS, *ACTIONS), 1)]
    return [(n, v) for n, v in named if v is not None]


def _check(row: RuleRow) -> None:
    where = f"rule {row.id}"
    if row.kind not in KINDS:
        wrong = Text(f"规则 {row.kind!r} 未知：", f"unknown kind {row.kind!r}: ")
        raise RulesFault(f"{where}: " + wrong + ", ".join(KINDS))
    kind = KINDS[row.kind]
    if row.quantity not in QUANTITIES or not {row.quantity, "*"} & set(kind.inputs):
        wrong = Text(
            f"{row.kind} 不用要素 {row.quantity!r}", f"{row.kind} does not take {row.quantity!r}"
        )
        raise RulesFault(f"{where}: " + wrong)
    for quantity in row.beside:
        if quantity not in kind.mixed:
            wrong = Text(
                f"{row.kind} 不能并用 {quantity!r}",
                f"{row.kind} does not take {quantity!r} beside its own",
            )
            raise RulesFault(f"{where}: " + wrong)
    if row.hazard not in HAZARD_ZH:
        wrong = Text(f"灾种 {row.hazard!r} 未知", f"unknown hazard {row.hazard!r}")
        raise RulesFault(f"{where}: " + wrong)
    if kind.falling:
        wrong = Text(
            f"{row.kind} 尚不能在此形式回放，请用区县的配置",
            f"{row.kind} cannot be replayed in this form; use a district's config",
        )
        raise RulesFault(f"{where}: " + wrong)
    try:
        parameters(row)
    except (msgspec.ValidationError, ValueError) as e:
        raise RulesFault(f"{where}.parameters: " + text_of(e)) from e
    if not limits(row):
        raise RulesFault(f"{where}: " + Text("没有阈值", "has no threshold"))
    if not 0 < row.clear <= 1 or row.hold_min < 0:
        raise RulesFault(f"{where}: clear 0 … 1, hold_min >= 0")
