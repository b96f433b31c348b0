"""What a command loads before it works, and that the list of commands says what the commands are."""

import ast
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from config.load import load
from config.records.level import Level
from dispatch.grade import Grade
from dispatch.words.sample import sample
from fengsui.cli.lazy import LazyGroup
from fengsui.cli.root import cli, main
from fengsui.run import processes
from fengsui.run.run_log import STAGES, open_run_log
from fengsui.run.setup import default_config, make_setup
from stream.log.port import Out
from stream.records import encode

ROOT = Path(__file__).parents[2]
# what is large, or starts servers and clients: a command that only looks needs none of it
HEAVY = {
    "scipy", "cv2", "starlette", "uvicorn", "apprise", "matplotlib", "numpy", "lxml", "signxml", "shapely",
    "kafka", "paho", "amqtt", "smpplib", "influxdb_client", "jinja2", "rich", "PIL", "argon2",
    "prometheus_client", "urllib3", "asyncio", "simulators",
}  # fmt: skip
SECRETS = {"cryptography"}  # which a person's signature needs, and nothing else


def run(code: str, *words: str) -> tuple[set[str], str]:
    """The packages that a Python process has loaded when `code` ends, and what it printed."""
    last = "print('LOADED', *sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    whole = f"import atexit, sys\natexit.register(lambda: {last})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", whole, *words], capture_output=True, text=True, timeout=300, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("LOADED ")[2].split()), done.stdout


def loaded(code: str, *words: str) -> set[str]:
    return run(code, *words)[0]


MAIN = "from fengsui.cli.root import main; main()"


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("status", "--help")])
def test_help_loads_nothing_of_the_line(words: tuple[str, ...]) -> None:
    assert not loaded(MAIN, *words) & (HEAVY | SECRETS)


def test_the_command_itself_is_nothing_but_a_list() -> None:
    found = loaded("import fengsui.cli.root")
    assert not found & (HEAVY | SECRETS | {"detectors", "dispatch", "console", "sqlite3"})


@pytest.mark.parametrize("kind", ["empty", "warning"])
def test_status_loads_nothing_that_it_does_not_show(kind: str, tmp_path: Path) -> None:
    """Of a run with an open warning and things on their way as well."""
    setup = make_setup(load(default_config()), "exercise-a", tmp_path, start_at=1)
    setup.folder.mkdir(parents=True)
    if kind == "warning":
        log = open_run_log(setup)
        alert = sample("A01", "flash_flood", Grade(Level.ORANGE))
        log.append([Out("alerts", "A01", encode(r)) for r in (setup.run, alert)])
        log.close()
    words = ("--state", str(tmp_path), "status", "--run", "exercise-a")
    found, told = run(MAIN, *words)
    assert not found & (HEAVY | SECRETS)
    assert ("open warnings: 1" in told) == (kind == "warning")


def test_a_line_loads_what_its_district_asks_for() -> None:
    """Neither pictures nor fits nor chats: those are loaded where a row or a person asks for them."""
    found = loaded("import fengsui.cli.line")
    assert not found & {"scipy", "cv2", "matplotlib", "argon2", "apprise", "requests"}


def test_a_stage_of_its_own_loads_nothing_of_played_storms() -> None:
    found = loaded("import fengsui.cli.operate.stages")
    assert not found & {"scipy", "cv2", "matplotlib", "argon2", "apprise", "requests"}
    assert not found & {"simulators", "skill", "rich"}


def test_a_decision_loads_what_signs_it_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "exercise-a").mkdir()
    words = ("--state", str(tmp_path), "decisions", "--run", "exercise-a")
    assert not loaded(MAIN, *words) & HEAVY
    assert not loaded(MAIN, "order", "--help") & HEAVY


def faults(group: LazyGroup) -> Iterator[str]:
    """What a table says otherwise than its commands, of groups within groups too."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.name != name or command.hidden:
            yield f"{name}: another command stands there, or one that is hidden: {command}"
            continue
        told = next(named[name] for named in group.sections.values() if name in named)
        whole = " ".join(
            (getattr(command.callback, "__doc__", None) or f"{told.zh} {told.en}").split()
        )
        for words in (told.zh, told.en):
            if "".join(words.split()) not in "".join(whole.split()):
                yield f"{name}: the table says {words!r}, the command {whole!r}"
        if isinstance(command, LazyGroup):
            yield from faults(command)


def test_the_table_says_of_each_command_what_it_says_of_itself() -> None:
    assert isinstance(cli, LazyGroup)
    assert list(faults(cli)) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    "words", [("--help",), ("order", "--help"), ("contacts", "import", "--help")]
)
def test_help_speaks_one_language(lang: str, words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *words], capture_output=True, text=True, timeout=300, cwd=ROOT,
        env={"PATH": "", "LC_ALL": "C.UTF-8", "FENGSUI_LANG": lang},
    )  # fmt: skip
    chinese = re.search(r"[\u4e00-\u9fff]", done.stdout)
    assert (chinese is not None) == (lang == "zh"), done.stdout
    if lang == "zh":
        assert not re.search(r"\b(the|of|and|what|who)\b", done.stdout), done.stdout


@pytest.mark.parametrize(("given", "left"), [(None, "1"), ("4", "4")])
def test_matrices_get_one_thread_unless_somebody_says_otherwise(
    given: str | None, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", given or "")
    if given is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    monkeypatch.setattr(sys, "argv", ["fengsui", "--version"])
    with contextlib.suppress(SystemExit):
        main()
    assert os.environ["OPENBLAS_NUM_THREADS"] == left


def test_every_command_stands_in_one_section() -> None:
    assert isinstance(cli, LazyGroup)
    names = [name for named in cli.sections.values() for name in named]
    assert len(names) == len(set(names)) == len(cli.commands)
    told = CliRunner().invoke(cli, ["--help"]).output
    assert all(f"\n  {name} " in told for name in names)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    done = CliRunner().invoke(cli, ["statsu"])
    assert done.exit_code == 2
    assert "'status'" in done.output


def completed(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['fengsui']; {MAIN}"],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
        env={
            "_FENGSUI_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1), "PATH": "", "LC_ALL": "C.UTF-8",
        },
    )  # fmt: skip
    return {line.partition(",")[2] for line in done.stdout.splitlines()}


def test_a_shell_completes_names_and_options() -> None:
    assert completed("fengsui", "stat") == {"status", "station"}
    assert completed("fengsui", "bench", "d") == {"detect", "districts", "door"}
    assert "--all-waiting" in completed("fengsui", "order", "--a")
    assert "--state" in completed("fengsui", "--s")


def test_a_file_of_commands_is_nobodys_library() -> None:
    """What two of them need stands in a module of its own; their options and their table are shared."""
    shared = {f"fengsui.cli.{m}" for m in ("options", "table", "lazy", "click_words")}
    for path in sorted((ROOT / "fengsui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{a.name}" for a in node.names)]
            taken = {n for n in names if n.startswith("fengsui.cli.")} - shared
            taken = {n for n in taken if n.rpartition(".")[0] not in shared}
            at_the_door = path.name == "__main__.py" and taken <= {
                "fengsui.cli.root",
                "fengsui.cli.root.main",
            }
            assert not taken or at_the_door, f"{path}: {taken}"


@pytest.mark.storm
def test_the_start_can_be_measured_by_anybody() -> None:
    done = CliRunner().invoke(cli, ["bench", "start", "--rounds", "1"])
    assert done.exit_code == 0, done.output
    told = [line.partition("  ")[0] for line in done.output.splitlines()]
    assert told[2:] == ["fengsui --help", "fengsui status", "fengsui order", "fengsui run"]


# what a district has to ask for before a process of one stage loads it: pages, arrays, another's CAP
ASKED_FOR = {"starlette", "uvicorn", "python_multipart", "scipy", "cv2", "apprise", "simulators"}


@pytest.mark.parametrize(
    ("stage", "without"),
    [
        ("archive", {"numpy", "lxml", "jinja2", "paho", "smpplib", "shapely", "urllib3"}),
        ("ingest", {"smpplib", "jinja2", "numpy", "signxml", "shapely", "urllib3"}),
        ("detect", {"paho", "smpplib", "lxml", "jinja2", "shapely", "urllib3", "cryptography"}),
        ("decide", {"paho", "smpplib", "lxml", "numpy", "shapely", "urllib3"}),
        ("address", {"paho", "smpplib", "numpy", "shapely", "PIL"}),
        ("send", {"smpplib", "numpy", "shapely", "PIL"}),
    ],
)
def test_a_process_of_one_stage_loads_no_other(stage: str, without: set[str]) -> None:
    code = f"from fengsui.run.processes import load_stage; load_stage({stage!r})"
    assert not loaded(code) & (without | ASKED_FOR)


@pytest.mark.parametrize("stage", STAGES)
def test_the_command_of_a_stage_keeps_nothing_of_what_judging_its_district_takes(
    stage: str, tmp_path: Path
) -> None:
    """From the start of `fengsui STAGE` to its first pass, it holds what the stage is made of."""
    made_of = "from fengsui.run.processes import load_stage; load_stage({!r})"
    alone = loaded("import fengsui.cli.operate.stages; " + made_of.format(stage))
    code = (
        "from fengsui.cli.operate import stages\n"
        "stages.run_stage = lambda *words, **more: None\n" + MAIN
    )
    words = ("--state", str(tmp_path), stage, "--run", "exercise-a", "--start", "2026-07-21T02:14Z")
    assert loaded(code, *words) & (HEAVY | SECRETS) <= alone


def test_what_decides_and_sends_loads_no_rule_of_detection() -> None:
    """But for the records of what was detected; and the stage that decides no arrays at all."""
    code = (
        "import sys, pkgutil, importlib, dispatch\n"
        "for m in pkgutil.walk_packages(dispatch.__path__, 'dispatch.'):\n"
        "    importlib.import_module(m.name)\n"
        "print(*[m for m in sys.modules if m.startswith('detectors')])"
    )
    found, told = run(code)
    assert set(told.split()) == {"detectors", "detectors.detection"}
    assert not found & {"scipy", "cv2", "matplotlib"}
    assert "numpy" not in loaded(
        "from fengsui.run.processes import load_stage; load_stage('decide')"
    )


def test_every_stage_says_what_it_is_made_of() -> None:
    assert set(processes._MADE_OF) == set(STAGES)
    for stage in STAGES:
        processes.load_stage(stage)


@pytest.mark.parametrize(
    ("language", "told"),
    [("zh", "不认识的选项 'zzz'"), ("en", "unknown option 'zzz'")],
)
def test_what_a_person_can_mend_is_told_without_a_traceback(language: str, told: str) -> None:
    """An address is read where it is used, far below the command."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "--log", "kafka://127.0.0.1:1/?zzz=1", "status"],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
        env={**os.environ, "FENGSUI_LANG": language},
    )  # fmt: skip
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
