"""What click says of itself is in the language of the terminal: Chinese by default."""

import ast
import os
import re
import string
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fengsui.cli.click_words import ZH, of_click, of_many
from tests.support.warm import command

# what only a programmer, a shell or Windows is told
_OURS_TO_AVOID = re.compile(
    r"Could not determine name|No options defined but|Arguments take exactly one|defined twice"
    r"|Boolean option|Choice\(|Unknown color|Unknown standard stream|Invalid start character"
    r"|Windows error|Bash|Editing failed|^d$"
)


def asked() -> Iterator[str]:
    """What the source of click asks gettext for; of a plural, the one and the many."""
    for file in Path(click.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id == "_" and isinstance(node.args[0], ast.Constant):
                    yield node.args[0].value
                elif node.func.id == "ngettext":
                    yield from (a.value for a in node.args[:2] if isinstance(a, ast.Constant))


def fields(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


def test_click_has_no_words_that_are_not_said_in_chinese() -> None:
    words = set(asked())
    assert len(words) > 50, "click asks in another way now"
    left = {w for w in words if of_click(w) == w and of_many(w, w, 2) == w}
    plural = {w for w in left if re.search(r"\bwere\b|arguments \(", w)}  # said by the one's words
    missing = {w for w in left - plural if not _OURS_TO_AVOID.search(w)}
    assert not missing


def test_what_is_said_has_fields_that_click_fills() -> None:
    for theirs, ours in ZH.items():
        assert fields(ours) <= fields(theirs), theirs
        assert re.search(r"[\u4e00-\u9fff]", ours) is not None, ours


@pytest.mark.parametrize(
    "words",
    ["--help", "foo", "statsu", "status --bogus", "order", "order --help", "run --seed x",
     "run --seed", "status extra words", "--config /no/such/folder --bogus", "contacts import --help"],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["", "en"])
def test_a_wrong_call_is_answered_in_one_language(words: str, lang: str) -> None:
    env = {**os.environ, "FENGSUI_LANG": lang, "LC_ALL": "C.UTF-8"}
    done = command(words.split(), env)
    said = done.stdout + done.stderr
    english = re.findall(
        r"Usage|Error:|Options?\b|No such|Try |Missing|Show |TEXT|INTEGER|FLOAT|DIRECTORY|default"
        r"|Did you mean|Choose|requires|Got |is not|required|COMMAND|ARGS",
        said,
    )
    chinese = re.findall(r"[\u4e00-\u9fff]", said)
    assert bool(english) == (lang == "en"), said
    assert bool(chinese) == (lang == ""), said
