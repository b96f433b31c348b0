"""What a person reads is Chinese first: a text that is given as a reason, a refusal, a fault or a help
holds Chinese, unless it is built from nothing but values."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from dispatch.channels import status_words
from dispatch.nodes.protocol import Refusal
from dispatch.records import STATE_ZH, State

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *("config", "stream", "ingest", "detectors", "dispatch", "skill", "simulators"),
    *("console", "loudspeaker", "fengsui", "bench"),
)
SOURCES = sorted(
    p
    for package in PACKAGES
    for p in (ROOT / package).rglob("*.py")
    if "node_modules" not in p.parts
)
# calls whose words a person reads, and the place of these among the arguments
READ = {
    "SendError": 0,
    "Usage": 0,
    "UsageError": 0,
    "Unavailable": 0,
    "Corrupt": 0,
    "SoundError": 0,
    "echo": 0,
    "Outcome": 2,
    "_give_up": 5,
    "_end": 4,
    "_Stray": 1,
    "Wrong": 1,
    "Rejected": 1,
    "Refused": 1,
    "Problem": 3,
}
KEYWORDS = ("detail", "help")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# two words beside each other; a code, an address or a unit alone is a value
SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")


def literals(scope: ast.AST, given: ast.AST) -> Iterator[str]:
    """What of a text stands in the program; of a name, whatever the scope puts into it."""
    match given:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)
        case ast.IfExp():
            yield from literals(scope, given.body)
            yield from literals(scope, given.orelse)
        case ast.Name(id=name):
            for n in ast.walk(scope):
                match n:
                    case ast.Assign(targets=[ast.Name(id=same)], value=text) if same == name:
                        if not isinstance(text, ast.Name):
                            yield from literals(scope, text)


def said(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and words of what a person reads."""
    scopes: list[ast.AST] = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    for scope in scopes:
        for call in (n for n in ast.walk(scope) if isinstance(n, ast.Call)):
            place = READ.get(ast.unparse(call.func).rpartition(".")[2])
            given = call.args[place : place + 1] if place is not None else []
            for one in (*given, *(k.value for k in call.keywords if k.arg in KEYWORDS)):
                yield from ((call.lineno, text) for text in literals(scope, one))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_what_a_person_reads_holds_chinese(path: Path) -> None:
    for line, text in said(ast.parse(path.read_text())):
        assert CHINESE.search(text) or not SENTENCE.search(text), f"line {line}: {text}"


def test_every_state_and_refusal_has_a_chinese_word() -> None:
    assert set(STATE_ZH) == set(get_args(State))
    assert set(status_words.NODE_REFUSED) == set(get_args(Refusal))
    for meanings in (
        status_words.NODE,
        status_words.NODE_REFUSED,
        status_words.CARRIER,
        status_words.CALL,
    ):
        assert all(CHINESE.search(m.words) for m in meanings.values())
