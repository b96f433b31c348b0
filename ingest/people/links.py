"""Personal links: who holds the token is that person. A file of hashes beside the contact store; the
token itself is shown once, to whoever makes the link, and stands nowhere.
"""

import hashlib
import secrets
from pathlib import Path

import msgspec

from config.language import Text
from stream.disk.files import make_folder, write_file

FILE = "people-links.json"
_DAY_MS = 86_400_000
SOON_MS = 14 * _DAY_MS  # so long before its end everybody is told


class Link(msgspec.Struct, frozen=True):
    """hash: SHA-256 of the token, in hex."""

    hash: str
    until_at: int


_decoder = msgspec.json.Decoder(dict[str, Link])


class Links:
    """folder: where the contact store stands. Every look-up reads the file, so that a link that is
    revoked is dead at once, in whichever process."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def read(self) -> dict[str, Link]:
        """By person. Raises ValueError naming the file when it is spoilt."""
        try:
            return _decoder.decode(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as e:
            raise ValueError(
                Text(
                    f"{self._file}: {e}：删去后重发链接",
                    f"{self._file}: {e}: delete it, make links anew",
                )
            ) from e

    def make(self, person: str, now: int, days: int) -> str:
        """A new token for `person`; an older one of theirs is dead."""
        token = secrets.token_urlsafe(16)
        self._write({**self.read(), person: Link(_hash(token), now + days * _DAY_MS)})
        return token

    def renew(self, person: str, now: int, days: int) -> bool:
        """The same token for so long from now; False when there was none, or it is over: whoever has
        lost it gets a new one."""
        links = self.read()
        if person not in links or links[person].until_at <= now:
            return False
        link = Link(links[person].hash, now + days * _DAY_MS)
        self._write({**links, person: link})
        return True

    def ending(self, now: int) -> list[str]:
        """Who has a link that ends soon or is over."""
        return sorted(p for p, link in self.read().items() if link.until_at <= now + SOON_MS)

    def revoke(self, person: str) -> bool:
        """False when there was none."""
        links = self.read()
        if links.pop(person, None) is None:
            return False
        self._write(links)
        return True

    def holder(self, token: str, now: int) -> str | None:
        """Whose token it is; "" for one that is over, None for one that never was or was revoked."""
        found = _hash(token)
        for person, link in self.read().items():
            if link.hash == found:
                return person if now < link.until_at else ""
        return None

    def _write(self, links: dict[str, Link]) -> None:
        make_folder(self._file.parent)
        write_file(self._file, msgspec.json.encode(links))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
