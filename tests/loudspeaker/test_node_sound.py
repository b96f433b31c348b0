"""The node agent's voice with real sound: a warning's own words by espeak-ng, how long, how loud."""

import io
import shutil
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from config.load import load
from config.records.level import Action, Level
from dispatch.grade import Grade
from dispatch.nodes.judgement import PLAY_MS
from dispatch.nodes.mandate import Grant, mandate
from dispatch.nodes.speech.espeak import SoundError, as_wav
from dispatch.records import Alert
from dispatch.words.compose import Message, write
from fengsui.run.setup import default_config
from loudspeaker.gauge import Gauge, parsed, sensed
from loudspeaker.store import Identity, Store
from loudspeaker.voice import Speaker, Voice, level, siren, sound
from tests.support.node_sound import T0, job, said

RATE = 22_050


@pytest.fixture
def espeak() -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not here: apt-get install espeak-ng")


def warning(area: str) -> str:
    """The words that the stage address gives the loudspeakers of an area."""
    alert = Alert(
        id="x", version=1, area=area, hazard="flash_flood", status="actual", msg_type="alert",
        level=Level.RED, action=Action.MOVE, proposed_level=Level.RED, proposed_action=Action.MOVE,
        public=True, state="released", incident="i", sent_at=T0, onset_at=T0,
        expires_at=T0 + 6 * 3_600_000, reason="r",
    )  # fmt: skip
    message = Message(alert, "public", "zh", Grade(), "duty", False)
    return write(load(default_config()), message, "broadcast").text


@pytest.mark.servers
def test_a_real_warning_takes_about_twenty_seconds_and_is_not_silent(espeak: None) -> None:
    texts = [warning(area) for area in ("A01", "A02", "A05")]
    lengths = []
    for text in texts:
        samples = sound(job(text=text, siren=False), 220)
        lengths.append(samples.size / RATE)
        assert level(samples) > 0.03
        # the speech fills it: no second-long holes
        second = np.array([level(s) for s in np.array_split(samples, max(1, samples.size // RATE))])
        assert (second > 0.005).mean() > 0.8
    assert all(12 <= s <= 22 for s in lengths), (lengths, texts)
    district = load(default_config())
    grant = Grant(by="u", reason="r", granted_at=T0, until_at=T0 + 1)
    own = mandate(district, district.nodes["N001"], grant, "live", T0)
    assert own is not None
    assert 12 <= sound(job(text=own.move_text, siren=False), 220).size / RATE <= 25


@pytest.mark.servers
def test_the_siren_comes_first_and_the_volume_is_kept(espeak: None) -> None:
    loud, quiet = sound(job(), 220), sound(job(volume=20), 220)
    assert level(quiet) == pytest.approx(level(loud) * 0.2, rel=0.01)
    assert level(loud[: 3 * RATE]) == pytest.approx(level(siren(3.0)), rel=0.01)
    with wave.open(io.BytesIO(as_wav(loud))) as w:
        assert (w.getnchannels(), w.getsampwidth(), w.getframerate()) == (1, 2, RATE)
        assert w.getnframes() == loud.size


@pytest.mark.servers
def test_nothing_is_longer_than_the_watchdog_allows(espeak: None) -> None:
    samples = sound(job(text="立即转移，" * 100, repeat=10), 220)
    assert samples.size == PLAY_MS * RATE // 1000


@pytest.mark.servers
def test_played_needs_a_player_that_ended_well_and_a_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tone = job(text="")  # the siren alone needs no voice
    python = sys.executable
    reads = f"{python} -c 'import sys; sys.stdin.buffer.read()'"
    for voice, sounded, words in (
        (Voice(reads, None), True, "line"),
        (Voice(f"{python} -c 'import sys; sys.exit(3)'", None), False, "ended with 3"),
        (Voice("/no/such/player", None), False, "No such file"),
        (Voice("", tmp_path), True, "WAV"),
        (Voice(reads, None, f"{python} -uc 'print(0.2); import time; time.sleep(9)'"), False, ""),
    ):
        speaker = Speaker(voice)
        speaker.play(tone)
        found = said(speaker)
        if words:
            assert found.sounded is sounded and words in found.detail.en
    assert (tmp_path / "c1.wav").stat().st_size > 100_000
    silent = Speaker(Voice("", tmp_path))
    silent.play(job(text="", volume=0))
    assert not said(silent).sounded
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SoundError, match="apt-get install espeak-ng"):
        sound(job(), 220)


@pytest.mark.servers
def test_stopped_it_falls_silent_at_once(tmp_path: Path) -> None:
    player = f"{sys.executable} -c 'import time; time.sleep(60)'"
    speaker = Speaker(Voice(player, None))
    speaker.play(job(text=""))
    speaker.stop("another")
    speaker.stop("c1")
    speaker.play(job(id="c2", text="", source="self_test"))
    speaker.close()
    assert speaker.take() == []


# --- gauge, sensors, memory


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"0.2\n", ("rain", 2)),
        (b'{"quantity": "stage", "value": 1.234}', ("stage", 1234)),
        (b'{"value": 3}', ("rain", 30)),
        (b"wet", None),
        (b'{"quantity": "mood", "value": 1}', None),
        (b'{"quantity": ["rain"], "value": 1}', None),
        (b"true", None),
        (b"1e400", None),
        (b"NaN", None),
        (b"[" * 5000, None),
    ],
)
def test_lines_of_a_gauge(line: bytes, found: tuple[str, int] | None) -> None:
    assert parsed(line) == found


def test_only_new_lines_count(tmp_path: Path) -> None:
    path = tmp_path / "gauge"
    path.write_text("9.9\n")
    gauge = Gauge(str(path), "N001")
    got: list[object] = []
    until = time.monotonic() + 120
    while not (got and gauge.bad) and time.monotonic() < until:
        with path.open("a") as f:
            f.write("0.4\nrubbish\n")
        time.sleep(0.1)
        got += gauge.take()
    gauge.close()
    assert set(got) == {("rain", 4)} and gauge.bad > 0


@pytest.mark.servers
def test_sensors_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    told_by = tmp_path / "sensors"

    def told(text: str) -> dict[str, float]:
        told_by.write_text(text)
        found = sensed(f"cat {told_by}")
        return {k: v for k, v in found.items() if k in ("door", "volume")}

    assert told('{"door": 1, "volume": 80, "mood": 3}') == {"door": 1.0, "volume": 80.0}
    assert told("no json") == told("[1]") == told('{"door": "open"}') == {}
    assert "door" not in sensed("/no/such/command")


def test_a_slot_cut_off_in_the_middle_leaves_the_other(tmp_path: Path) -> None:
    given = Identity(id="N001", kind="live", prefix="fengsui/live/d", root="00" * 32)
    store = Store(tmp_path)
    assert store.identity(given) == given
    kept = store.load(given)
    for n in range(1, 5):
        kept.tested_at = n
        assert store.save(kept) and not store.save(kept)
    newest = tmp_path / "memory-0"
    whole = newest.read_bytes()
    for cut in range(0, len(whole), 7):
        newest.write_bytes(whole[:cut])
        fresh = Store(tmp_path)
        assert fresh.load(given).tested_at == 3
    newest.write_bytes(whole)
    assert Store(tmp_path).load(given).tested_at == 4
    for slot in (0, 1):
        (tmp_path / f"memory-{slot}").write_bytes(b"1 x\n{}")
    with pytest.raises(ValueError, match="both slots"):
        Store(tmp_path).load(given)


def test_a_folder_belongs_to_one_node(tmp_path: Path) -> None:
    given = Identity(id="N001", kind="live", prefix="fengsui/live/d", root="00" * 32)
    with pytest.raises(ValueError, match="--root"):
        Store(tmp_path).identity(None)
    Store(tmp_path).identity(given)
    assert Store(tmp_path).identity(None) == given
    keys = Store(tmp_path).own_keys()
    assert Store(tmp_path).own_keys() == keys and len(set(keys.public())) == 2
    assert all((tmp_path / f"{n}.key").stat().st_mode & 0o077 == 0 for n in ("sign", "box"))
    other = Identity(id="N002", kind="live", prefix="fengsui/live/d", root="00" * 32)
    with pytest.raises(ValueError, match="belongs|is node N001"):
        Store(tmp_path).identity(other)
