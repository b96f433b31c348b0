"""Who answers for thresholds: a change without a hindcast or a signature is refused, whatever is done
to the file that says so."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from config.load import load
from config.proof import FILE, Proof, add, standing
from config.records.rules import RainRule
from fengsui.cli.root import cli
from fengsui.run import threshold_gate
from fengsui.run.setup import make_setup
from stream.environment import Usage

ROOT = Path(__file__).parents[2]
MEASURED = ROOT / "tests" / "districts" / "measured"
YANQING = ROOT / "config" / "yanqing"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MEASURED, tmp_path / "measured"))


def change(folder: Path, old: str = "0.914", new: str = "0.900") -> None:
    path = folder / "thresholds_stage.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture(autouse=True)
def _remembers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words)
    if isinstance(done.exception, Usage):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def sign(folder: Path, reason: str = "survey of 2026") -> None:
    code, text = command("sign", str(folder), "--by", "P-1", "--reason", reason)
    assert code == 0, text


def problems(folder: Path) -> str:
    return " ".join(map(str, standing(folder, load(folder)).problems))


def live(folder: Path, state: Path) -> str:
    return threshold_gate.start(make_setup(load(folder), "live", state))


def test_changed_thresholds_are_refused_until_somebody_signs(folder: Path) -> None:
    code, text = command("check", str(folder))
    assert code == 0
    assert "neither scored" in text  # the first ones, without any proof: told, not refused
    sign(folder)
    assert (folder / "proof.toml").read_text("utf-8").count("[[proof]]") == 1
    code, text = command("check", str(folder))
    assert code == 0
    assert "P-1" in text
    assert "survey of 2026" in text
    change(folder)
    code, text = command("check", str(folder))
    assert code == 2
    assert "fengsui sign" in text
    assert "--record" in text
    sign(folder)
    assert command("check", str(folder))[0] == 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("thresholds_rain.csv", "17.2,23.0", "17.2,22.0"),
        ("rules.toml", "hold_min = 120", "hold_min = 121"),
        ("rules.toml", '"stage_trend", ', ""),
    ],
)
def test_what_decides_levels_is_a_change(folder: Path, file: str, old: str, new: str) -> None:
    sign(folder)
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")
    assert "changed" in problems(folder)


def test_what_decides_no_level_is_none(folder: Path) -> None:
    before = load(folder).rules_version
    rules = folder / "rules.toml"
    text = rules.read_text("utf-8") + "\n# a comment\n"
    assert "clear_factor" not in text
    default = f"[rain]\nclear_factor = {RainRule().clear_factor}"
    rules.write_text(text.replace("[rain]", default, 1), "utf-8")
    table = folder / "thresholds_stage.csv"
    head, *rows = table.read_text("utf-8").splitlines()
    rows = [re.sub(r",[^,]*$", ",another source", r) for r in rows if '"' not in r] + [
        r for r in rows if '"' in r
    ]
    table.write_text("\n".join([head, *reversed(rows)]) + "\n", "utf-8")
    contacts = folder / "contacts.csv"
    contacts.write_text(contacts.read_text("utf-8").replace("示例-sitka", "示例-另一人"), "utf-8")
    assert load(folder).rules_version == before


def test_a_signature_is_no_other_config(folder: Path) -> None:
    before = load(folder).version
    sign(folder)
    assert load(folder).version == before


def three(folder: Path) -> None:
    sign(folder, "first")
    change(folder)
    sign(folder, "second")
    change(folder, "0.900", "0.910")
    sign(folder, "third")
    assert problems(folder) == ""


def _entries(text: str) -> list[str]:
    return text.split("[[proof]]")


TAMPERED: dict[str, Callable[[str], str]] = {
    "a reason": lambda t: t.replace("second", "hindcast of 100 years"),
    "a name": lambda t: t.replace("P-1", "P-2", 1),
    "the first entry gone": lambda t: "[[proof]]".join([_entries(t)[0], *_entries(t)[2:]]),
    "one between gone": lambda t: "[[proof]]".join([*_entries(t)[:2], _entries(t)[3]]),
    "the last gone": lambda t: "[[proof]]".join(_entries(t)[:3]),
    "all gone": lambda t: _entries(t)[0],
    "an empty file": lambda _: "",
    "not UTF-8": lambda t: t.replace("third", "thi\udcffrd"),
    "no TOML": lambda t: t + "\n=",
    "a key of its own": lambda t: t + "\nsigned_by_all = true\n",
    "two in another order": lambda t: "[[proof]]".join(
        [_entries(t)[0], _entries(t)[2] + "\n", _entries(t)[1], _entries(t)[3]]
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_shows_and_a_new_signature_mends_it(folder: Path, how: str) -> None:
    three(folder)
    path = folder / FILE
    path.write_text(TAMPERED[how](path.read_text("utf-8")), "utf-8", errors="surrogateescape")
    assert standing(folder, load(folder)).proof is None
    assert problems(folder)
    sign(folder, "looked at again")
    found = standing(folder, load(folder))
    assert found.problems == []
    assert found.proof is not None
    assert found.proof.reason == "looked at again"


def test_the_version_written_by_hand_into_an_old_signature_is_refused(folder: Path) -> None:
    sign(folder)
    old = load(folder).rules_version
    change(folder)
    path = folder / FILE
    path.write_text(path.read_text("utf-8").replace(old, load(folder).rules_version), "utf-8")
    assert "entry 1 was edited" in problems(folder)


def test_any_words_come_back_as_they_were_said(folder: Path) -> None:
    words = 'a "quote", a \\ back\\slash, 引号“”, a\ttab; \n[[proof]]\n'
    sign(folder, words)
    proof = standing(folder, load(folder)).proof
    assert proof is not None
    assert proof.reason == " ".join(words.split())


def test_a_live_run_starts_once_without_proof_and_not_with_a_change(
    folder: Path, tmp_path: Path
) -> None:
    state = tmp_path / "var"
    assert "neither scored" in live(folder, state)
    assert "neither scored" in live(folder, state)  # again, as after a crash
    change(folder)
    with pytest.raises(Usage, match="changed since the last start"):
        live(folder, state)
    sign(folder)
    assert "P-1" in live(folder, state)
    change(folder, "0.900", "0.910")
    with pytest.raises(Usage, match="nobody scored or signed"):
        live(folder, state)


def test_taking_the_file_away_does_not_help(folder: Path, tmp_path: Path) -> None:
    sign(folder)
    live(folder, tmp_path)
    change(folder)
    (folder / FILE).unlink()
    with pytest.raises(Usage, match="the file is gone"):
        live(folder, tmp_path)
    change(folder, "0.900", "0.914")
    with pytest.raises(Usage, match="the file is gone"):
        live(folder, tmp_path)


def test_an_exercise_only_says_so(folder: Path, tmp_path: Path) -> None:
    def said() -> str:
        return threshold_gate.start(make_setup(load(folder), "exercise-a", tmp_path))

    assert "neither scored" in said()
    sign(folder)
    assert said() == ""
    change(folder)
    assert "nobody scored or signed" in said()


@pytest.mark.parametrize("words", [["run", "--no-simulator", "--port", "0"], ["detect"]])
def test_the_commands_of_a_live_run_refuse(folder: Path, tmp_path: Path, words: list[str]) -> None:
    sign(folder)
    change(folder)
    state = tmp_path / "var"
    code, text = command("--config", str(folder), "--state", str(state), *words)
    assert code == 2
    assert "a live run does not start" in text


def record(folder: Path, flooded: bool) -> list[str]:
    """A gauge that rises through its flood level, and the flood."""
    at = 1_460_000_000
    rows = ["station,quantity,time,value"]
    for n in range(600):
        level = 0.3 if n < 300 else min(1.4, 0.3 + 0.02 * (n - 300))
        when = datetime.fromtimestamp(at + 300 * n, UTC).isoformat()
        rows.append(f"plumtree,stage,{when},{level:.3f}")
    (folder / "obs.csv").write_text("\n".join(rows) + "\n", "utf-8")
    start = at + 300 * 331 if flooded else at - 90 * 86_400
    when = datetime.fromtimestamp(start, UTC).isoformat()
    (folder / "events.csv").write_text(f"area,start,end\nplumtree,{when},{when}\n", "utf-8")
    return ["--observations", str(folder / "obs.csv"), "--events", str(folder / "events.csv")]


def test_a_hindcast_is_a_proof(folder: Path, tmp_path: Path) -> None:
    sign(folder)
    change(folder)
    files = record(tmp_path, flooded=True)
    code, text = command("hindcast", str(folder), *files, "--record", "--by", "P-9")
    assert code == 0, text
    proof = standing(folder, load(folder)).proof
    assert proof is not None
    assert (proof.how, proof.by, proof.hits + proof.misses) == ("hindcast", "P-9", 1)
    assert len(proof.observations_sha256) == 64
    code, text = command("check", str(folder))
    assert code == 0
    assert f"P-9 hindcast {proof.on}" in text


def test_a_hindcast_that_judged_nothing_proves_nothing(folder: Path, tmp_path: Path) -> None:
    files = record(tmp_path, flooded=False)
    code, text = command("hindcast", str(folder), *files, "--record", "--by", "P-9")
    assert code == 1
    assert "proves nothing" in text
    assert not (folder / FILE).exists()


@pytest.mark.parametrize("words", [["--record"], ["--by", "P-9"], ["--record", "--by", " "]])
def test_a_record_and_a_name_go_together(folder: Path, tmp_path: Path, words: list[str]) -> None:
    files = record(tmp_path, flooded=True)
    assert command("hindcast", str(folder), *files, *words)[0] == 2
    assert not (folder / FILE).exists()


def test_later_fields_do_not_break_old_seals(folder: Path) -> None:
    """An entry is sealed over what it states, so that a field with a default may be added."""
    entry = Proof(rules="x", how="signed", by="a", on="2026-01-01", reason="r")
    add(folder, entry)
    assert "hits" not in (folder / FILE).read_text("utf-8")
    assert set(msgspec.to_builtins(entry)) == {"rules", "how", "by", "on", "reason"}


def test_the_shipped_district_is_signed() -> None:
    found = standing(YANQING, load(YANQING))
    assert found.problems == []
    assert found.proof is not None
    assert "不得用于实战" in found.proof.reason
