"""espeak-ng as a voice.

Which of its voices says Mandarin is asked of the voice, not of its name: Debian 12's (1.51) reads
Chinese with its voice cmn as "li four, ji two" in English, with exit status 0. Each text asks anew, by
the phonemes of characters that are known.
"""

import io
import re
import shutil
import subprocess
import wave

import numpy as np
import numpy.typing as npt

from config.language import Text
from dispatch.nodes.speech.readings import sounded

RATE = 22_050  # samples a second, of espeak-ng
_SPEAK_S = 60
# the first is that of 1.50 and newer, the second of older ones and of 1.52, where it is right again
_VOICES = ("cmn-latn-pinyin", "cmn")
_KNOWN = "立即转移"  # li4 ji2 zhuan3 yi2; the third tone may be said half
_KNOWN_SAID = re.compile(r"li51tS;i35ts\.ua214?nji35")
_STRESS = re.compile(r"[',_|:\s]")
Samples = npt.NDArray[np.float32]


class SoundError(Exception):
    """It cannot be said; the text says what is missing."""


def phonemes(tool: str, voice: str, text: str) -> str:
    """What a voice of espeak-ng would say, in its own alphabet, a line each clause; "" if it has none."""
    try:
        done = subprocess.run(  # noqa: S603  # the text goes in as data
            [tool, "-v", voice, "-x", "-q", "--stdin"],
            input=text.encode(), capture_output=True, timeout=_SPEAK_S,
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def mandarin() -> tuple[str, str]:
    """espeak-ng and its voice that reads Mandarin. Raises SoundError."""
    tool = shutil.which("espeak-ng")
    if tool is None:
        raise SoundError(
            Text(
                "espeak-ng 未安装：apt-get install espeak-ng",
                "espeak-ng is not installed: apt-get install espeak-ng",
            )
        )
    for voice in _VOICES:
        said = _STRESS.sub("", phonemes(tool, voice, _KNOWN))
        if _KNOWN_SAID.fullmatch(said):
            return tool, voice
    raise SoundError(
        Text(
            f"不能播音：espeak-ng 没有一个嗓音把 {_KNOWN} 读成普通话（{'、'.join(_VOICES)}）："
            "apt-get install espeak-ng espeak-ng-data",
            f"cannot sound: no voice of espeak-ng reads {_KNOWN} as Mandarin "
            f"({', '.join(_VOICES)}): apt-get install espeak-ng espeak-ng-data",
        )
    )


def spoken_wav(text: str, rate: int, lang: str = "zh") -> Samples:
    """The text once, by espeak-ng, at `rate` words a minute as it counts. Raises SoundError."""
    tool, voice = mandarin()  # where Mandarin is not well, nothing of it is believed
    words = sounded(text) if lang == "zh" else text
    voice = voice if lang == "zh" else "en"
    try:
        done = subprocess.run(  # noqa: S603  # the text goes in as data
            [tool, "-v", voice, "-s", str(rate), "--stdin", "--stdout"],
            input=words.encode(), capture_output=True, timeout=_SPEAK_S, check=True,
        )  # fmt: skip
        # its length stands in the header only when it writes a file: the rest of the stream is it
        head = done.stdout.index(b"data") + 8
    except (subprocess.SubprocessError, OSError, ValueError) as e:
        raise SoundError(
            Text(f"espeak-ng 出错：{type(e).__name__}", f"espeak-ng failed: {type(e).__name__}")
        ) from e
    with wave.open(io.BytesIO(done.stdout)) as w:
        rate_of = w.getframerate()
    found = np.frombuffer(done.stdout[head:][: (len(done.stdout) - head) // 2 * 2], "<i2")
    if rate_of != RATE:
        raise SoundError(
            Text(
                f"espeak-ng 的采样率是 {rate_of} Hz，应为 {RATE}",
                f"espeak-ng speaks at {rate_of} Hz, expected {RATE}",
            )
        )
    return found.astype(np.float32) / 32768.0


def as_wav(samples: Samples, rate: int = RATE) -> bytes:
    """A file of 16 bit, mono, of `rate` samples a second; what is louder than full scale is cut off there."""
    out = io.BytesIO()
    with wave.open(out, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
