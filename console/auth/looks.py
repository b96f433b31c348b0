"""Who looked at which picture, and when: each look is an entry of the record (console/auth/record.py).

The same picture that the same user is shown again within a minute is one look: a page asks again whenever it is
drawn.
"""

import sqlite3
import threading
from time import monotonic

from config.language import Text
from console.auth.accounts import Users
from stream.oplog import Seldom

PICTURE = "picture"  # as the record calls it
_AGAIN_S = 60.0
_MOST = 20_000  # looks of the last minute that are remembered


class Looks:
    """Any thread."""

    def __init__(self, users: Users) -> None:
        self._users, self._seldom = users, Seldom()
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], float] = {}

    def note(self, at: int, who: str, digest: str, of: str) -> None:
        """at: ms; of: what is known of the picture, its camera and time. A record that cannot be written is
        told in the journal: the picture is shown, for a warning may hang on it."""
        now = monotonic()
        with self._lock:
            if now - self._last.get((who, digest), -_AGAIN_S) < _AGAIN_S:
                return
            if len(self._last) >= _MOST:
                self._last = {k: t for k, t in self._last.items() if now - t < _AGAIN_S}
            if self.must_note(at, who, digest, of):
                self._last[who, digest] = now

    def must_note(self, at: int, who: str, digest: str, of: str) -> bool:
        """Every time; whether it is on record."""
        try:
            self._users.note(at, who, PICTURE, f"{digest} {of}".strip())
        except sqlite3.Error as e:
            words = Text(
                f"看图没有记下：{who} {digest} {e}",
                f"a look at a picture is not on record: {who} {digest} {e}",
            )
            self._seldom("console", words)
            return False
        return True
