"""What a stage says on standard error: one line of text, or of JSON with FENGSUI_LOG_FORMAT=json.

For what operators must know (a server is away, a stage joins again); records of the line itself
stand in the log, and metrics in `stream.metrics`.
"""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable

from config.language import Said
from stream.environment import spoken

# what would begin a line of its own, colour a terminal or turn the writing round
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """In one line, with what no reader sees written out: a name from outside, of a file or a carrier, must not
    speak in our place."""
    return _UNSEEN.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)


def say(stage: str, what: Said, **fields: object) -> None:
    """`what` in the language of FENGSUI_LANG; `fields` go only into JSON (topic, partition, …), never a
    person's data."""
    words = visible(spoken(what))
    if os.environ.get("FENGSUI_LOG_FORMAT") == "json":
        moment = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        line = json.dumps(
            {
                "time": f"{stamp}.{int(moment % 1 * 1000):03d}Z",
                "stage": stage,
                "say": words,
                **fields,
            },
            ensure_ascii=False,
        )
    else:
        line = f"fengsui {stage}: {words}"
    print(line, file=sys.stderr, flush=True)


class Seldom:
    """The same words at most once in `every_s`, and then how often: for what anybody outside can bring
    about again and again, so that no journal fills a disk. Any thread."""

    _MOST = 1000  # different words that are remembered

    def __init__(self, every_s: float = 60.0, now: Callable[[], float] = time.monotonic) -> None:
        self._every_s, self._now = every_s, now
        self._lock = threading.Lock()
        self._said: dict[Said, tuple[float, int]] = {}  # since when, how often held back

    def __call__(self, stage: str, what: Said) -> None:
        """`say`, unless it was just said."""
        held = self._held(what)
        if held is not None:
            say(stage, what + f" (+{held})" if held else what)

    def lets(self, what: Said) -> bool:
        """Whether it may be said now."""
        return self._held(what) is not None

    def _held(self, what: Said) -> int | None:
        now = self._now()
        with self._lock:
            at, held = self._said.get(what, (now - self._every_s, 0))
            if now - at < self._every_s:
                self._said[what] = at, held + 1
                return None
            if len(self._said) >= self._MOST:
                self._said.clear()
            self._said[what] = now, 0
            return held
