"""The pages for readers: every command is on its page, every command that a page writes exists with its
options, every page stands in the index, the glossary names what is there."""

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from config.language import en, zh
from fengsui.cli.lazy import LazyGroup
from fengsui.cli.root import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
PAGE_EN = (ROOT / "docs" / "en" / "commands.md").read_text("utf-8")
DOCUMENTS = sorted(
    p
    for p in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "config").rglob("*.md"))
    if p.name not in ("CHANGELOG.md", "THIRD-PARTY.md")
)
# a line of a block that calls the program, or its name in the middle of a sentence
CALLED = re.compile(
    r"`fengsui ([^`]+)`|^(?: {4}|\$ )?(?:\.venv/bin/)?fengsui ([^#\n]+)", re.MULTILINE
)


def commands(group: click.Group, ctx: click.Context, above: str = "") -> Iterator[str]:
    """Whole names of all that can be called: of groups their commands, and themselves where they do
    something of their own."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        whole = f"{above} {name}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, click.Context(command), whole)
            if not command.invoke_without_command:
                continue
        yield whole


def resolved(words: list[str]) -> tuple[str, click.Command, list[str]]:
    """The command that these words call, by its whole name, and what is left of them.

    Raises LookupError where there is none."""
    found: click.Command = cli
    names: list[str] = []
    rest = list(words)
    while isinstance(found, click.Group):
        if rest[:1] == ["--help"]:
            break
        while rest and rest[0].startswith("-"):  # an option of the group, with its value
            takes = next((p for p in found.params if rest[0].split("=")[0] in p.opts), None)
            if takes is None:
                raise LookupError(f"{' '.join(names)} has no option {rest[0]}")
            flag = isinstance(takes, click.Option) and (takes.is_flag or takes.is_eager)
            del rest[: 1 if flag or "=" in rest[0] else 2]
        if not rest:
            break
        inner = found.get_command(click.Context(found), rest[0])
        if inner is None:
            if found is not cli and found.invoke_without_command:
                break
            raise LookupError(f"fengsui {' '.join([*names, rest[0]])}")
        names.append(rest.pop(0))
        found = inner
    return " ".join(names), found, rest


def rows(text: str) -> Iterator[list[str]]:
    """The words of the first cell's command, row by row."""
    for found in re.finditer(r"^\| `fengsui ([^`]+)` \|", text, re.MULTILINE):
        yield found[1].split()


@pytest.mark.parametrize(("page", "half"), [(PAGE, zh), (PAGE_EN, en)], ids=["zh", "en"])
def test_the_page_has_the_sections_of_the_help_and_every_command_in_its_own(
    page: str, half: Callable[[object], str]
) -> None:
    assert isinstance(cli, LazyGroup)
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    headings, bodies = parts[::2], parts[1::2]
    assert headings == [half(heading) for heading in cli.sections]
    for heading, body in zip(cli.sections, bodies, strict=True):
        told = [name.split()[0] for name, _, _ in map(resolved, rows(body))]
        assert list(dict.fromkeys(told)) == list(cli.sections[heading]), heading


def test_every_command_is_on_the_page_and_says_what_it_does() -> None:
    told = [name for name, _, _ in map(resolved, rows(PAGE))]
    assert set(told) == set(commands(cli, click.Context(cli)))
    twice = {name for name in told if told.count(name) > 1}
    assert twice == {"broker-config"}  # once for each kind of server
    for row in re.findall(r"^\| `fengsui [^`]+` \| *(.*?) *\|$", PAGE, re.MULTILINE):
        assert re.match(r"[\u4e00-\u9fff]|MQTT|Kafka", row), row


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_what_a_document_calls_exists_with_its_options(path: Path) -> None:
    wrong = []
    for quoted, line in CALLED.findall(path.read_text("utf-8")):
        for call in re.split(r"[;&|] *fengsui ", quoted or line):
            words = re.split(r"[;&|…，；]|  +", call)[0].split()
            if not words or not re.fullmatch(r"-{0,2}[a-z][a-z-]*", words[0]):
                continue  # a name for any of them: `fengsui 命令`
            if words == ["seal", "1"]:
                continue  # what a sealed command's key is derived with (docs/nodes.md)
            try:
                name, command, rest = resolved(words)
            except LookupError as e:
                wrong.append(str(e))
                continue
            known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {
                "-h",
                "--help",
            }
            wrong += [
                f"fengsui {name} has no {word}"
                for word in rest
                if re.match(r"--[a-z]", word) and word.split("=")[0].rstrip(")。,.:") not in known
            ]
    assert not wrong, "\n".join(wrong)


def test_every_page_stands_in_the_index_once_and_is_there() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    linked = re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", index, re.MULTILINE)
    assert len(linked) == len(set(linked))
    for link in linked:
        assert (ROOT / "docs" / link).is_file(), link
    pages = {p.name for p in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= set(linked)
    root = {f"../{p.name}" for p in ROOT.glob("*.md") if not p.name.endswith(".en.md")}
    assert root - {"../README.md"} <= set(linked)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        assert "://" in link or (path.parent / link).exists(), link


@pytest.mark.parametrize("page", ["README.md", "README.en.md"])
def test_the_line_of_the_readme_is_the_tree(page: str) -> None:
    """Every folder of the source tree that a reader meets, and no other."""
    text = (ROOT / page).read_text("utf-8")
    told = re.findall(r"^\| `([a-z]+)/` \|", text, re.MULTILINE)
    packages = {p.parent.name for p in ROOT.glob("*/__init__.py")}
    assert set(told) - {"tests"} == packages
    assert len(told) == len(set(told))


def terms(page: str) -> list[tuple[str, str, str]]:
    """Each term of a glossary, the same in the other language, and what defines it."""
    text = (ROOT / page).read_text("utf-8")
    return re.findall(r"^\| ([^|]+) \| ([^|]+) \| .* \| `([^`]+)` \|$", text, re.MULTILINE)


def test_the_glossary_names_what_exists_and_no_term_twice() -> None:
    found = terms("docs/glossary.md")
    assert len(found) == len({place for *_, place in found}) >= 40
    for term, _, place in found:
        module, _, path = place.partition(":")
        thing: object = importlib.import_module(module)
        for name in filter(None, path.split(".")):
            owner = thing
            thing = getattr(thing, name, None) or getattr(owner, "__annotations__", {}).get(name)
            assert thing is not None, f"{term}: {place} does not exist"
    words = [w for chinese, english, _ in found for w in (chinese, english)]
    assert all(re.fullmatch(r"[\u4e00-\u9fff]+|[a-z ]+", w) for w in words), words
    assert len(words) == len(set(words)) == 2 * len(found)
    assert [(e, c, place) for c, e, place in found] == terms("docs/en/glossary.md")


@pytest.mark.parametrize("page", ["docs/glossary.md", "docs/en/glossary.md"])
def test_the_glossary_is_a_page(page: str) -> None:
    lines = (ROOT / page).read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(lines) <= 60
    assert all(len(line) <= 200 for line in rows)


def test_the_changelog_tells_each_fact_once() -> None:
    """A merge of two edits of one paragraph leaves both."""
    entries = [x for x in (ROOT / "CHANGELOG.md").read_text().splitlines() if x.startswith("- ")]
    begins = [x[:60] for x in entries]
    assert sorted(x for x in set(begins) if begins.count(x) > 1) == []
