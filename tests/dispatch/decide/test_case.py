"""A case has one owner: others read it and ask for its transitions."""

from pathlib import Path

import pytest

from config.records.level import Action, Level
from dispatch.decide.case import Ask, Case
from dispatch.grade import Grade

ROOT = Path(__file__).parents[3]
ASK = Ask(deadline_at=1)


@pytest.mark.parametrize("name", Case.__struct_fields__)
def test_a_case_takes_no_assignment(name: str) -> None:
    case = Case(area="A", hazard="flash_flood")
    with pytest.raises(AttributeError):
        setattr(case, name, getattr(case, name))


def test_nor_do_its_parts_and_its_maps_are_never_written_to() -> None:
    case = Case(area="A", hazard="flash_flood")
    before = case.asks
    case.question("red", ASK)
    assert before == {} and case.asks == {"red": ASK}
    for part, name in ((case.standing, "act"), (case.level, "value"), (case.asks["red"], "held")):
        with pytest.raises(AttributeError):
            setattr(part, name, getattr(part, name))


def test_two_cases_share_nothing() -> None:
    one, other = Case(area="A", hazard="flash_flood"), Case(area="B", hazard="flash_flood")
    one.question("red", ASK)
    one.order(Grade(Level.RED, Action.MOVE), Grade())
    assert one.standing.ordered and not other.asks and not other.standing.ordered


def test_nobody_else_has_the_key() -> None:
    """What sets a field of something frozen stands in its owner's file alone."""
    files = [
        f for f in (ROOT / "dispatch").rglob("*.py") if "force_setattr" in f.read_text("utf-8")
    ]
    assert [f.relative_to(ROOT).as_posix() for f in files] == ["dispatch/decide/case.py"]
