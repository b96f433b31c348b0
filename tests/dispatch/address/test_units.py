"""Schools, camps and the like of risks.csv are told by people of their own, and whoever has none is named."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.language import zh
from config.load import ConfigError, load
from config.records.district import Contact, District
from config.records.level import Action, Level
from config.records.plans import Risk
from dispatch.address.coverage import coverage, coverage_summary, told
from dispatch.address.recipients import internal, public
from dispatch.grade import Grade
from dispatch.words.compose import Message, write
from dispatch.words.sample import sample
from dispatch.words.wording import category_of
from tests.support.choices import resident
from tests.support.decide_district import yanqing


def unit(kind: Any = "school", *contacts: str, hazards: tuple[str, ...] = ()) -> Risk:
    return Risk(
        id="RK-1", name="示例小学", name_en="Example school", kind=kind, area="A01", hazards=hazards,
        lon=116.0, lat=40.0, people=120, contacts=contacts,
    )  # fmt: skip


def district(risk: Risk, *people: Contact) -> District:
    d = yanqing()
    plans = msgspec.structs.replace(d.plans, risks={risk.id: risk})
    return msgspec.structs.replace(d, plans=plans, contacts={c.id: c for c in people})


def reached(d: District, hazard: str = "flash_flood") -> dict[str, str]:
    grade = Grade(Level.YELLOW)
    alert = msgspec.structs.replace(sample("A01", hazard, grade), public=True)
    return {t.recipient: t.category for t in public(d, alert, ()) if t.recipient in d.contacts}


def test_a_units_person_is_told_whatever_area_they_chose_in_the_units_words() -> None:
    d = district(unit("school", "U-1"), resident("U-1", areas=("A02",)))
    assert reached(d) == {"U-1": "school"}
    alert = sample("A01", "flash_flood", Grade(Level.RED, Action.MOVE))
    text = write(d, Message(alert, "public", "zh", category=category_of("school")), "sms").text
    plain = write(d, Message(alert, "public", "zh"), "sms").text
    assert text != plain


@pytest.mark.parametrize("role", ["responsible", "observer"])
def test_who_is_told_as_responsible_is_not_told_twice(role: Any) -> None:
    d = district(unit("camp", "U-1"), resident("U-1", role=role))
    assert reached(d) == {}
    alert = sample("A01", "flash_flood", Grade(Level.RED, Action.MOVE))
    assert [t.recipient for t in internal(d, alert, ())].count("U-1") == 1
    away = district(unit("camp", "U-1"), resident("U-1", role=role, areas=("A02",)))
    assert reached(away) == {"U-1": "camp"}  # of another village: for the unit alone


def test_other_hazards_and_what_is_no_unit_concern_nobody() -> None:
    away = resident("U-1", areas=("A02",))
    assert reached(district(unit("school", "U-1", hazards=("debris_flow",)), away)) == {}
    assert reached(district(unit("gully", "U-1"), away)) == {}


def test_a_unit_with_nobody_to_call_is_named() -> None:
    def found(*people: Contact, risk: Risk | None = None) -> list[str]:
        d = district(risk or unit("school"), *people)
        return [zh(told(d, g)) for g in coverage(d) if g.check == "unit_nobody"]

    assert found() == ["unit_nobody A01 120: 单位没有可以通知的人 (RK-1) 示例小学"]
    assert found(resident("U-1", category="school")) == []  # of its kind, in its area
    assert found(resident("U-1", category="camp"))
    assert found(resident("U-1", category="school", areas=("A02",)))
    assert found(risk=unit("school", "U-1"))  # named, and not on the list
    assert found(resident("U-1", areas=("A02",)), risk=unit("school", "U-1")) == []
    assert found(risk=unit("gully")) == []


def test_check_names_them() -> None:
    d = district(unit("school"), resident("R-1"))
    said = [zh(x) for x in coverage_summary(d)]
    assert [x for x in said if "示例小学" in x] == [
        "! unit_nobody A01 120: 单位没有可以通知的人 (RK-1) 示例小学"
    ]


@pytest.mark.parametrize(
    ("kind", "who", "words"), [("school", "C-9999", "没有这个人"), ("gully", "C-0001", "不是单位")]
)
def test_a_wrong_row_is_named(kind: str, who: str, words: str, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "mine"
    shutil.copytree(yanqing().folder, folder)
    (folder / "risks.csv").write_text(
        "id,name,name_en,kind,area,hazards,lon,lat,people,watcher,contacts\n"
        f"RK-1,小学,School,{kind},A01,flash_flood,116.0,40.0,120,,{who}\n"
    )
    with pytest.raises(ConfigError) as e:
        load(folder)
    assert "risks.csv" in str(e.value)
    assert words in str(e.value)
