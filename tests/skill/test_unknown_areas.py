"""`fengsui tune` says which areas of its rules stand in no district."""

from config.language import Said, en, zh
from config.records.rules import RuleRow
from skill.series.places import unknown_areas
from skill.verify.match import Event


def rule(area: str) -> RuleRow:
    return RuleRow(
        id="tuned",
        kind="threshold",
        hazard="flash_flood",
        source="",
        areas=(area,),
        stations=("S9",),
    )


def both(found: list[Said]) -> list[tuple[str, str]]:
    return [(zh(x), en(x)) for x in found]


def test_without_a_config_the_names_are_those_of_the_record() -> None:
    ((zh_, en_),) = both(unknown_areas([rule("mill")], [Event("mill", 0, 1)], None))
    assert "mill" in zh_ and "areas (mill)" in en_
    assert "fengsui check" in zh_ and "fengsui check" in en_


def test_with_one_the_areas_that_it_lacks_are_named_and_their_events_counted() -> None:
    happened = [Event("A01", 0, 1), Event("mill", 0, 1), Event("mill", 5, 6)]
    assert unknown_areas([rule("A01")], happened[:1], {"A01": ["S9"]}) == []
    ((_, en_),) = both(unknown_areas([rule("A01")], happened, {"A01": ["S9"]}))
    assert en_.startswith("mill: ") and "its 2 events have no rule" in en_
