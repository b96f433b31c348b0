"""The node agent's voice: siren, then the text by espeak-ng, to a player's standard input or into
a folder of WAV files.

One without a voice that says Mandarin sounds its siren and is failed.

The whole sound is made first, cut at the watchdog's limit and measured; so nothing can sound longer
than it may, whatever becomes of the agent. A player that reads a pipe falls silent when the agent
dies. `played` needs the player's good end and a level: by default the signal's own (the line), or
what `--measure` says while it plays (a microphone, a current clamp).
"""

import contextlib
import queue
import shlex
import shutil
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.language import Said, Text, each, text_of
from dispatch.nodes.judgement import PLAY_MS
from dispatch.nodes.memory import Job
from dispatch.nodes.speech.espeak import RATE, Samples, SoundError, as_wav, mandarin, spoken_wav

_SIREN_S, _TEST_S, _PAUSE_S = 3.0, 0.5, 0.8
_LINE, _MEASURED = Text("线路", "line"), Text("实测", "measured")
_SILENT = 0.01  # of full scale (RMS): below it nobody hears anything
_LONGEST = 120  # characters of what is told of how a text went


class Outcome(NamedTuple):
    """How a text went."""

    job: str
    sounded: bool
    detail: Text


class Voice(NamedTuple):
    """player: a command that plays a WAV from its standard input; "": files into `sink`. measure: a
    command that prints a level from 0 to 1 as its last word while it plays."""

    player: str
    sink: Path | None
    measure: str = ""
    rate: int = 220  # words a minute, as espeak-ng counts: 4.3 Chinese characters a second


def found_player() -> str:
    """What this machine has; "" if nothing."""
    if shutil.which("aplay"):
        return "aplay -q -"
    return "play -q -t wav -" if shutil.which("play") else ""


def siren(seconds: float) -> Samples:
    """A tone that rises and falls between 500 and 1,000 Hz once a second."""
    t = np.arange(int(seconds * RATE), dtype=np.float64) / RATE
    frequency = 750.0 - 250.0 * np.cos(2 * np.pi * t)
    return (0.8 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE)).astype(np.float32)


def sound(job: Job, rate: int) -> Samples:
    """Everything a job says, at its volume, no longer than the watchdog allows. Raises SoundError."""
    parts = [_siren_of(job)] if job.siren else []
    if job.text:
        once = spoken_wav(job.text, rate)
        pause = np.zeros(int(_PAUSE_S * RATE), np.float32)
        parts += [once, pause] * job.repeat
    return _whole(parts, job)


def _siren_of(job: Job) -> Samples:
    return siren(_TEST_S if job.source == "self_test" else _SIREN_S)


def _whole(parts: list[Samples], job: Job) -> Samples:
    whole = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return whole[: PLAY_MS * RATE // 1000] * np.float32(job.volume / 100)


def level(samples: Samples) -> float:
    """RMS, of full scale."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


class Speaker:
    """Says one job at a time in a thread; what became of it waits in `take`."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._outcomes: queue.Queue[Outcome] = queue.Queue()
        self._playing: tuple[str, threading.Event] | None = None
        self._threads: list[threading.Thread] = []
        self.can_say = True  # there is a voice; asked now and at each job
        with contextlib.suppress(SoundError):
            mandarin()
            return
        self.can_say = False

    def play(self, job: Job) -> None:
        self.stop()
        stop = threading.Event()
        self._playing = (job.id, stop)
        work = threading.Thread(target=self._work, args=(job, stop), daemon=True, name="voice")
        self._threads = [*(t for t in self._threads if t.is_alive()), work]
        work.start()

    def stop(self, job: str = "") -> None:
        """Be silent; an outcome of what is stopped does not come."""
        if self._playing is not None and job in ("", self._playing[0]):
            self._playing[1].set()
            self._playing = None

    def close(self) -> None:
        """Be silent, and wait until no program of this voice is at work."""
        self.stop()
        for thread in self._threads:
            thread.join()

    def take(self) -> list[Outcome]:
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._outcomes.get_nowait())
        return found

    def _work(self, job: Job, stop: threading.Event) -> None:
        mute: Said = ""
        detail: Said
        try:
            try:
                if job.source == "self_test":
                    mandarin()
                if stop.is_set():  # no voice and no player starts for what nobody shall hear
                    return
                samples = sound(job, self._voice.rate)
            except SoundError as e:  # a siren without words wakes people all the same
                mute, samples = text_of(e), _whole([_siren_of(job)] if job.siren else [], job)
            if stop.is_set():
                return
            sounded, detail = self._say(job, samples, stop) if samples.size else (False, "")
        except (OSError, ValueError) as e:
            sounded, detail = False, text_of(e)
        self.can_say = not mute
        if not stop.is_set():
            words = text_of(each(mute or detail, lambda half: half[:_LONGEST]))
            self._outcomes.put(Outcome(job.id, sounded and not mute, words))

    def _say(self, job: Job, samples: Samples, stop: threading.Event) -> tuple[bool, Said]:
        body, seconds, line = as_wav(samples), samples.size / RATE, level(samples)
        if not self._voice.player:
            assert self._voice.sink is not None
            self._voice.sink.mkdir(parents=True, exist_ok=True)
            (self._voice.sink / f"{job.id}.wav").write_bytes(body)
            return line >= _SILENT, _sounded(seconds, _LINE, f"{line:.2f}, WAV")
        measuring = None
        if self._voice.measure:
            measuring = subprocess.Popen(  # noqa: S603  # the operator's own command
                shlex.split(self._voice.measure), stdout=subprocess.PIPE
            )
        code = _fed(self._voice.player, body, seconds + 10, stop)
        what = _LINE
        if measuring is not None:
            line, what = _measured(measuring), _MEASURED
        if code != 0:
            return False, Text(f"播放器出错：{code}", f"the player ended with {code}")
        return line >= _SILENT, _sounded(seconds, what, f"{line:.2f}")


def _sounded(seconds: float, what: Text, value: str) -> Text:
    return Text(f"{seconds:.1f} s，{what.zh} {value}", f"{seconds:.1f} s, {what.en} {value}")


def _fed(player: str, body: bytes, limit_s: float, stop: threading.Event) -> int:
    """Give the player its WAV and wait for its end: exit code. Stopped or too slow: killed."""
    process = subprocess.Popen(  # noqa: S603  # the operator's own command
        shlex.split(player), stdin=subprocess.PIPE
    )
    assert process.stdin is not None

    def feed() -> None:
        with contextlib.suppress(BrokenPipeError):
            assert process.stdin is not None
            process.stdin.write(body)
            process.stdin.close()

    threading.Thread(target=feed, daemon=True, name="feed").start()
    waited = 0.0
    while process.poll() is None and waited < limit_s and not stop.wait(0.05):
        waited += 0.05
    if process.poll() is None:
        process.kill()
    return process.wait()


def _measured(process: "subprocess.Popen[bytes]") -> float:
    """The last word of what a measuring command printed until now; 0 if it is no number."""
    process.terminate()
    try:
        out, _ = process.communicate(timeout=5)
        return float(out.split()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        process.kill()
        return 0.0
