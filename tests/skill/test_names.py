"""Names that stand in files of rules: what the files have, and what a person reads for it."""

import re

import pytest

from skill.verify.names import DEPTH, GROUND, GROUP, NONE, PART, SERIES, said, threshold_on

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (str(SERIES["level"]), "单一水位/流量 one level"),
        (DEPTH, "雨强与雨量 burst and depth"),
        (threshold_on("storm_total"), "单一阈值 one threshold: storm_total"),
        (PART, "a part of the events left out"),
    ],
)
def test_files_name_them_as_since_their_first_version(name: str, written: str) -> None:
    assert name == written


@pytest.mark.parametrize(
    "name",
    [*map(str, SERIES.values()), DEPTH, GROUND, threshold_on("storm_total"), GROUP, NONE, PART],
)
def test_each_is_shown_in_one_language(name: str) -> None:
    pair = said(name)
    assert CHINESE.search(pair.zh)
    assert not CHINESE.search(pair.en)
    assert not re.search(r"[a-z]+ [a-z]+", pair.zh)


def test_the_name_of_an_author_is_the_same_in_both() -> None:
    pair = said("Caine 1980, 14.82 D^-0.39")
    assert pair.zh == pair.en == "Caine 1980, 14.82 D^-0.39"
