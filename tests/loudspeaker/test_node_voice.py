"""Is what the loudspeaker says Mandarin? By the phonemes of whole warnings and of every place name of
the config, held against pypinyin; and what becomes of a machine whose voice is none."""

import csv
import re
import shutil
import stat
import sys
from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config.load import load
from config.records.level import HAZARD_ZH, Action, Level
from dispatch.grade import Grade
from dispatch.nodes.speech.espeak import SoundError, mandarin, phonemes
from dispatch.nodes.speech.readings import sounded
from dispatch.records import Alert
from dispatch.words.compose import Message, write
from dispatch.words.spoken import seconds
from fengsui.run.setup import default_config
from loudspeaker.command import node
from loudspeaker.voice import Speaker, Voice, level, sound
from tests.support.node_sound import job, said

T0 = 1_784_635_200_000
HOUR = 3_600_000
# Debian 12's espeak-ng 1.51 with voice cmn: 立即转移
ENGLISH = "(en)lI55f'o@55_| dZI55t'u:55_| Zj,u:55a#55nTr'i:55_| jI55t'u:55(cmn)_|"


@pytest.fixture
def voice() -> tuple[str, str]:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not here: apt-get install espeak-ng")
    return mandarin()


def names() -> list[str]:
    """Every name of the config that may be said, in Chinese characters."""
    found = set()
    for path in default_config().parent.rglob("*.csv"):
        with path.open(encoding="utf-8-sig") as f:
            for row in csv.DictReader(f):
                texts = (
                    row.get(k) or "" for k in ("name", "township", "shelter", "route", "place")
                )
                found |= {c for t in texts for c in re.findall(r"[一-鿿]+", t)}
    return sorted(found)


def warnings() -> list[str]:
    """What loudspeakers say of every hazard and level, at every hour."""
    district, found = load(default_config()), set()
    areas = list(district.areas)
    grades = ((1, 0), (2, 0), (3, 1), (4, 2))
    kinds = product(HAZARD_ZH, grades, ("alert", "update", "cancel"))
    for n, (hazard, (colour, order), kind) in enumerate(kinds):
        grade = Grade(Level(colour), Action(order))
        at = T0 + n * (HOUR + 60_000)
        alert = Alert(
            id="x", version=2, area=areas[n % len(areas)], hazard=hazard, status="actual",
            msg_type=kind, level=grade.level, action=grade.action, proposed_level=grade.level,
            proposed_action=grade.action, public=True, state="released", incident="i", sent_at=at,
            onset_at=at, expires_at=at + 6 * HOUR, reason="r",
        )  # type: ignore[arg-type]  # fmt: skip
        for was in (Grade(), Grade(Level.RED, Action.MOVE)):
            message = Message(alert, "public", "zh", was, "duty", False)
            found.add(write(district, message, "broadcast").text)
    return sorted(found)


def syllables(voice: tuple[str, str], clauses: Sequence[str]) -> list[str]:
    """What is said of each clause, without tones and stress."""
    out = phonemes(*voice, "\n\n".join(clauses))
    assert "(en)" not in out, "English in it"
    lines = [re.sub(r"[',_|: ;\d]|\([a-z-]+\)", "", line) for line in out.splitlines()]
    return [line for line in lines if line]


@cache
def pypinyin() -> Any:
    """Loaded by the test that asks it."""
    found = pytest.importorskip("pypinyin")
    # Foyukou, as the map and the column name_en have it
    found.load_phrases_dict({"佛峪口": [["fó"], ["yù"], ["kǒu"]]})
    return found


def pinyin(clauses: Sequence[str]) -> list[str]:
    they = pypinyin()
    tone = they.Style.TONE3
    return [" ".join(they.lazy_pinyin(c, style=tone, neutral_tone_with_five=True)) for c in clauses]


MORE = "凌晨两点整。零下五摄氏度。二零二五年。启动四级应急响应。到工地、高地、营地和地下室。大佛寺"


@pytest.mark.parametrize("what", ["warnings", "names"])
@pytest.mark.servers
def test_every_syllable_is_the_one_of_the_dictionary(voice: tuple[str, str], what: str) -> None:
    if voice[1] != "cmn-latn-pinyin":
        pytest.skip("this voice reads pinyin as English, so nothing can be compared")
    texts = [*warnings(), MORE] if what == "warnings" else names()
    clauses = sorted({c for t in texts for c in re.findall(r"[一-鿿]+", t)})
    assert len(clauses) > 100
    heard = syllables(voice, [sounded(c) for c in clauses])
    wanted = syllables(voice, pinyin(clauses))
    assert len(heard) == len(wanted) == len(clauses)
    wrong = {c: (h, w) for c, h, w in zip(clauses, heard, wanted, strict=True) if h != w}
    assert wrong == {}


@pytest.mark.servers
def test_a_camp_is_a_place_and_an_adverb_stays_one(voice: tuple[str, str]) -> None:
    assert sounded("河边营地，地下室") == "河边营帝，帝下室"
    assert sounded("迅速地离开工地") == "迅速地离开工帝"
    if voice[1] == "cmn-latn-pinyin":
        assert "t@" in phonemes(*voice, "营地"), "else the table is no longer needed"


@pytest.mark.servers
def test_the_time_of_a_warning_is_known_within_a_tenth(voice: tuple[str, str]) -> None:
    texts = warnings()[::16]
    rate = Voice("", None).rate
    said_s = [sound(job(text=t, siren=False), rate).size / 22_050 - 0.8 for t in texts]
    assert sum(said_s) == pytest.approx(sum(map(seconds, texts)), rel=0.1)


# --- a machine whose voice is no Mandarin


def espeak_that_says(folder: Path, phonemes_: str) -> str:
    """A program of that name, which says `phonemes_` of anything and ends well."""
    folder.mkdir()
    tool = folder / "espeak-ng"
    tool.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.read()\nprint({phonemes_!r})\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return str(folder)


@pytest.mark.parametrize(
    "wrong", [ENGLISH, "", "l'i51_| tS;'i35_|", "l'i55_| tS;'i55_| ts.'ua55n_| j'i55_|"]
)
@pytest.mark.servers
def test_a_voice_that_is_no_mandarin_is_refused_and_the_siren_sounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("PATH", espeak_that_says(tmp_path / "bin", wrong))
    with pytest.raises(SoundError, match="cannot sound"):
        mandarin()
    speaker = Speaker(Voice("", tmp_path / "wav"))
    assert not speaker.can_say, "known at the start"
    speaker.play(job())
    outcome = said(speaker)
    assert not outcome.sounded, "never `played`"
    assert "不能播音" in outcome.detail.zh
    assert (tmp_path / "wav" / "c1.wav").stat().st_size > 3 * 2 * 22_050, "a siren of 3 s"
    speaker.play(job(id="test", text="", source="self_test"))
    assert not said(speaker).sounded, "the self-test fails"


@pytest.mark.servers
def test_whoever_sets_a_node_up_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", espeak_that_says(tmp_path / "bin", ENGLISH))
    args = ["--id", "N001", "--broker", "mqtt://127.0.0.1:1", "--sink", str(tmp_path / "wav")]
    args += ["--root", "00" * 32, "--folder", str(tmp_path / "n")]
    done = CliRunner().invoke(node, args)
    assert done.exit_code != 0
    assert "cannot sound" in f"{done.output}{done.exception}"
    assert not (tmp_path / "n").exists()


@pytest.mark.servers
def test_with_a_voice_the_self_test_passes_and_says_so(
    tmp_path: Path, voice: tuple[str, str]
) -> None:
    speaker = Speaker(Voice("", tmp_path))
    assert speaker.can_say
    speaker.play(job(text="", source="self_test", volume=20))
    assert said(speaker).sounded
    assert level(sound(job(siren=False), 220)) > 0.03
