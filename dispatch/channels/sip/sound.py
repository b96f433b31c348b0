"""What a call says, as a telephone carries it: 8 kHz, 16 bit, mono. The text, then how to confirm it, then
silence in which the key is awaited; as often as there is time for."""

import hashlib
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from config.language import Text, zh
from config.records.devices.trunk import Trunk
from dispatch.nodes.speech.espeak import RATE, Samples, SoundError, as_wav, spoken_wav
from dispatch.proving.codes import asking
from dispatch.words.spoken import telephone

TELEPHONE = 8_000  # samples a second, G.711
_PROMPTS = Path(__file__).parents[2] / "words" / "templates" / "call.toml"
# a far end's jitter buffer loses the first tenth of a second (findings of two baresips)
_LEAD_S, _PAUSE_S, _AFTER_S = 0.6, 0.4, 0.3
_PEAK = 0.7
_SPOKEN_S, _SILENT = 0.1, 0.02  # espeak-ng says marks and pictures alone as a breath


class UnspeakableError(SoundError):
    """It is the text's fault, and no voice's."""


class Spoken(NamedTuple):
    """wav: the whole of it. From its begin to the text's first end: heard_s; to the end of the wait for the
    key after it: once_s. thanks: another."""

    wav: bytes
    heard_s: float
    once_s: float
    whole_s: float
    thanks: bytes
    thanks_s: float


def code_of(key: str) -> str:
    """Two digits for this message, never one twice: a hand that slips does not make it."""
    n = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)
    first = 2 + n % 8  # 1 is what everybody presses
    second = 2 + (first - 2 + 1 + n // 8 % 7) % 8
    return f"{first}{second}"


def without_code(text: str, lang: str, code: str) -> str:
    """A text without the sentence that asks for the code, which the prompt says."""
    said: Literal["zh", "en"] = "en" if lang == "en" else "zh"
    figures = " ".join(code) if said == "en" else telephone(code)
    return text.replace(zh(asking("", said, "voice", figures)), "")


def spoken(text: str, lang: str, trunk: Trunk, digits: str, coded: bool = False) -> Spoken:
    """coded: `digits` are a code, which the prompt says. Raises SoundError where no voice can say it."""
    words = _prompts()["en" if lang == "en" else "zh"]
    said = telephone("-".join(digits)) if lang != "en" else " ".join(digits)
    body, prompt, thanks = (
        _said(words_, trunk.rate, lang)
        for words_ in (text, words["code" if coded else "key"].format(digits=said), words["thanks"])
    )
    if np.count_nonzero(np.abs(body) > _SILENT) < _SPOKEN_S * RATE / 4:
        raise UnspeakableError(
            Text("正文没有能念出的字", "the text has nothing that can be spoken")
        )
    lead, pause, wait = (_silence(s) for s in (_LEAD_S, _PAUSE_S, float(trunk.wait_s)))
    once = [body, pause, prompt, wait]
    samples = np.concatenate([lead, *once * trunk.times])
    end = np.concatenate([_silence(_AFTER_S), thanks, _silence(_AFTER_S)])
    return Spoken(
        as_wav(narrow(samples), TELEPHONE),
        (lead.size + body.size) / RATE,
        (lead.size + sum(x.size for x in once)) / RATE,
        samples.size / RATE,
        as_wav(narrow(end), TELEPHONE),
        end.size / RATE,
    )


@lru_cache(maxsize=32)
def _said(words: str, rate: int, lang: str) -> Samples:
    """One text goes to many people, each with figures of their own behind it."""
    return spoken_wav(words, rate, lang)


def narrow(samples: Samples) -> Samples:
    """At 8 kHz, nothing above 4: the spectrum without its upper part. Its ends are silent."""
    if not samples.size:
        return samples
    wanted = round(samples.size * TELEPHONE / RATE)
    spectrum = np.fft.rfft(samples.astype(np.float64))[: wanted // 2 + 1]
    found = np.fft.irfft(spectrum, wanted) * (wanted / samples.size)
    peak = float(np.max(np.abs(found))) or 1.0
    return (found * (_PEAK / peak)).astype(np.float32)


def silence(seconds: float) -> bytes:
    """What is sent until somebody picks up."""
    return as_wav(np.zeros(int(seconds * TELEPHONE), np.float32), TELEPHONE)


def _silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.float32)


@cache
def _prompts() -> dict[str, dict[str, str]]:
    return tomllib.loads(_PROMPTS.read_text("utf-8"))
