"""What a `[[rule]]` row says, as every kind of rule reads it: its areas, its thresholds, its parameters, and
how what is wrong with it is told."""

from typing import Any

import msgspec

from config.checks.tables import ACTIONS, LEVELS
from config.language import Said, Text, text_of
from config.read.problem import Problem
from config.records.district import District
from config.records.rules import RuleRow


def levels(row: RuleRow) -> tuple[float | None, ...]:
    return tuple(getattr(row, x) for x in LEVELS)


def actions(row: RuleRow) -> tuple[float | None, ...]:
    return tuple(getattr(row, x) for x in ACTIONS)


def areas_of(district: District, row: RuleRow) -> list[str]:
    if "*" in row.areas:
        return [a.id for a in district.areas.values() if row.hazard in a.hazards]
    return list(row.areas)


def rule_problem(where: str, key: str, message: Said, hint: Said = "") -> Problem:
    return Problem("rules.toml", 0, f"{where}.{key}", message, hint)


def parameters_of(row: RuleRow, type_: type[msgspec.Struct]) -> Any | Text:
    """The parameters, or what is wrong with them."""
    try:
        return msgspec.convert(row.parameters, type_)
    except (msgspec.ValidationError, ValueError) as e:
        return text_of(e)
