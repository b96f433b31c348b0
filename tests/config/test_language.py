"""A text is a pair; an edge chooses one of the two, and what is kept holds both."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import LANGUAGES, Text, choose, en, joined, text_of, zh
from config.load import ConfigError, load
from config.read.problem import Problem
from stream.environment import Usage, language, spoken

WORDS = Text("没有预警区", "no area")
any_text = st.builds(Text, st.text(max_size=20), st.text(max_size=20))


def test_each_language_is_chosen_and_both_stand_in_a_string() -> None:
    assert [choose(WORDS, x) for x in LANGUAGES] == ["没有预警区", "no area", "没有预警区 no area"]
    assert str(WORDS) == f"{WORDS}" == "没有预警区 no area"
    assert choose("areas.csv", "both") == choose("areas.csv", "en") == "areas.csv"


@given(any_text, any_text, st.text(max_size=9))
def test_parts_are_put_together_language_by_language(a: Text, b: Text, word: str) -> None:
    assert word + a + b + word == Text(f"{word}{a.zh}{b.zh}{word}", f"{word}{a.en}{b.en}{word}")
    assert joined([a, word, b], Text("、", ", ")) == Text(
        "、".join((a.zh, word, b.zh)), ", ".join((a.en, word, b.en))
    )


def test_an_exception_says_what_it_was_raised_with() -> None:
    assert text_of(Usage(WORDS)) == WORDS
    assert str(Usage(WORDS)) == str(WORDS)
    assert (zh(Usage("x y")), en(OSError(2, "gone"))) == ("x y", "[Errno 2] gone")


class _Checked(msgspec.Struct):
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError(WORDS)


def test_a_validation_that_takes_up_a_text_keeps_its_languages() -> None:
    with pytest.raises(msgspec.ValidationError) as e:
        msgspec.convert([{"n": -1}], list[_Checked])
    assert zh(e.value).startswith("没有预警区 -") and "no area" not in zh(e.value)
    assert en(e.value).startswith("no area -") and "没有" not in en(e.value)


def test_a_problem_is_one_line_in_one_language() -> None:
    p = Problem("areas.csv", 3, "id", WORDS, Text("删去", "remove"))
    assert choose(p, "zh") == "areas.csv:3:id: 没有预警区 — 删去"
    assert choose(p, "en") == "areas.csv:3:id: no area — remove"


def test_a_terminal_reads_chinese_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {}
    for wish in ("", "zh", "en", "both", "fr"):
        monkeypatch.setenv("FENGSUI_LANG", wish)
        said[wish] = spoken(WORDS)
    assert said == {
        "": WORDS.zh, "zh": WORDS.zh, "en": WORDS.en, "both": str(WORDS), "fr": WORDS.zh,
    }  # fmt: skip
    with pytest.raises(Usage, match="zh | en | both"):
        language()


def test_a_wrong_folder_is_told_in_either_language(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as e:
        load(tmp_path)
    assert "缺少文件" in zh(e.value) and "missing" not in zh(e.value)
    assert "the file is missing" in en(e.value) and "缺少" not in en(e.value)
