"""What a person reads is one language at a time: no string holds a Chinese character and a phrase in
English. A sentence in both is a pair, `Text(zh, en)` (config/language.py), of which an edge shows one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *("config", "stream", "ingest", "detectors", "dispatch", "skill", "simulators"),
    *("console", "loudspeaker", "fengsui", "bench"),
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# two words of English beside each other
PHRASE = re.compile(r"(?<![\w./`{<=-])[A-Za-z][a-z'’]+ [a-z][a-z'’]+(?![\w/=])")
# what is the same in both: a command with its words, a sum of a unit, the body of a file or a page
SAME = re.compile(
    r"`[^`]*`|\bfengsui [a-z-]+(?: [a-z-]+)*|\bgit clone\b|\bpip install\b"
    r"|\bapt-get install(?: [a-z][a-z-]+)+|<[^>]*>|--[a-z-]+ \w+"
)
# files written for other programs, whose comments are for both readers; what people write, in either
COMMENTED = {"config/proof.py", "fengsui/files/mosquitto.py", "ingest/decode/phrases.py"}


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every string that is no docstring; what is put into one as {}."""
    skip: set[int] = set()
    for n in ast.walk(tree):
        if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(
            n.body[0], ast.Expr
        ):
            skip.add(id(n.body[0].value))
        if isinstance(n, ast.JoinedStr):
            skip |= {id(v) for v in n.values}
    for n in ast.walk(tree):
        match n:
            case ast.Constant(value=str(text)) if id(n) not in skip:
                yield n.lineno, text
            case ast.JoinedStr(values=parts):
                said = "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)
                yield n.lineno, said


def mixed(path: Path) -> list[str]:
    """Strings of a file that hold both languages."""
    name = path.relative_to(ROOT).as_posix()
    return [
        f"{name}:{line}: {text[:120]!r}"
        for line, text in strings(ast.parse(path.read_text()))
        if CHINESE.search(text) and PHRASE.search(SAME.sub(" ", text)) and name not in COMMENTED
    ]


def test_no_string_speaks_two_languages() -> None:
    paths = (p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py")))
    wrong = [line for path in paths if "node_modules" not in path.parts for line in mixed(path)]
    assert not wrong, "\n".join(wrong)


def literals(code: str) -> Iterator[str]:
    """Strings of JavaScript; what is put into one as {}, and its own strings after it."""
    at = 0
    while at < len(code):
        here = code[at]
        if code.startswith("//", at):
            at = code.find("\n", at) % (len(code) + 1)
        elif here in "\"'`":
            said, inside, at = _literal(code, at)
            yield said
            for part in inside:
                yield from literals(part)
        else:
            at += 1


def _literal(code: str, at: int) -> tuple[str, list[str], int]:
    """One that begins at `at`: its text, the code that is put into it, and where it ends."""
    quote, text, inside = code[at], [], []
    at += 1
    while code[at] != quote:
        if quote == "`" and code.startswith("${", at):
            begin, depth, at = at + 2, 1, at + 2
            while depth:
                if code[at] in "\"'`":
                    *_, at = _literal(code, at)
                    continue
                depth += {"{": 1, "}": -1}.get(code[at], 0)
                at += 1
            inside.append(code[begin : at - 1])
            text.append("{}")
            continue
        at += code[at] == "\\"
        text.append(code[at])
        at += 1
    return "".join(text), inside, at + 1


def test_no_string_of_the_browser_speaks_two_languages() -> None:
    count, wrong = 0, []
    for path in sorted((ROOT / "console" / "static").glob("*.js")):
        for text in literals(path.read_text("utf-8")):
            count += bool(CHINESE.search(text))
            if CHINESE.search(text) and PHRASE.search(SAME.sub(" ", text)):
                wrong.append(f"{path.name}: {text[:120]!r}")
    assert count > 500
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('t("无", "none") // "not \'one"', ["无", "none"]),
        ("a = `x ${b ? `有 ${c}` : 'no'} y`;", ["x {} y", "有 {}", "no"]),
        (r'"a\"b" + `{${ {a: 1} }}`', ['a"b', "{{}}"]),
    ],
)
def test_strings_of_the_browser_are_found(code: str, expected: list[str]) -> None:
    assert list(literals(code)) == expected


PRINTED = sorted((ROOT / "fengsui" / "review" / "templates").glob("*.j2"))


@pytest.mark.parametrize("path", PRINTED, ids=lambda p: p.name)
def test_what_a_printed_page_says_is_said_twice(path: Path) -> None:
    """Its words stand in t("中文", "English"), of which one is printed."""
    whole = path.read_text("utf-8")
    bare = re.sub(r"(?s)<style>.*?</style>|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", " ", whole)
    assert not re.search(r"[A-Za-z]{3}|[\u4e00-\u9fff]", bare)
    twice = re.findall(r'\bt\("([^"]*)",\s*"([^"]*)"', whole)
    assert len(twice) > 20
    mixed_up = [z for z, e in twice if PHRASE.search(SAME.sub(" ", z)) or CHINESE.search(e)]
    assert not mixed_up


# the link to the other language is in that language
_OTHER = re.compile(r'<a [^>]*lang="zh-CN">[^<]*</a>')


def test_each_half_is_in_its_own_language() -> None:
    count, wrong = 0, []
    for path in (p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))):
        if "node_modules" in path.parts:
            continue
        for n in ast.walk(ast.parse(path.read_text())):
            match n:
                case ast.Call(func=ast.Name(id="Text"), args=[_, half]):
                    said = "".join(text for _, text in strings(half))
                    count += bool(said)
                    if CHINESE.search(_OTHER.sub("", said)):
                        wrong.append(f"{path.relative_to(ROOT)}:{n.lineno}: {said[:120]!r}")
    assert count > 2000
    assert not wrong, "\n".join(wrong)


# calls that do something, and would do it once for each half
_DOES = re.compile(
    r"(?:^|[._])(?:add|append|begin|delete|enter|issue|link|make|mint|open|pop|publish|put|remove|send|take|write)$"
)


def _done_twice(tree: ast.AST) -> Iterator[str]:
    """Line and name of what is called within a pair and does something."""
    for n in ast.walk(tree):
        match n:
            case ast.Call(func=ast.Name(id="Text"), args=[first, second]):
                for half in (first, second):
                    for call in (c for c in ast.walk(half) if isinstance(c, ast.Call)):
                        if _DOES.search(name := ast.unparse(call.func)):
                            yield f"{n.lineno}: {name}"


def test_nothing_is_done_twice_because_it_is_said_in_two_languages() -> None:
    """`fengsui sign` once wrote each signature twice, and a drill made a second way in that nobody was told."""
    seen = 'Text(f"已写：{add(folder, entry)}", f"written: {add(folder, entry)}")'
    assert list(_done_twice(ast.parse(seen))) == ["1: add", "1: add"]
    paths = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]
    wrong = [
        f"{path.relative_to(ROOT)}:{what}"
        for path in paths
        if "node_modules" not in path.parts
        for what in _done_twice(ast.parse(path.read_text()))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("text", ["尚无数据 nothing has run here yet", "{} 越界 is out of range"])
def test_both_languages_in_one_string_are_seen(text: str) -> None:
    assert CHINESE.search(text)
    assert PHRASE.search(SAME.sub(" ", text))


@pytest.mark.parametrize(
    "text", ["见 `fengsui neighbours`", "造一把：fengsui signer make {}", "阈值 {} 未经评分"]
)
def test_commands_are_the_same_in_both(text: str) -> None:
    assert not PHRASE.search(SAME.sub(" ", text))
