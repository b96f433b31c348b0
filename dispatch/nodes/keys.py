"""The keys of a run: made at the first start, kept in the run's own state folder under `keys/`.

- `root.key`, `root.pub`: signs key sets and nothing else; the public half is what a node is given
  when it is set up. Take `root.key` off this machine when the nodes are in place: send never needs it.
- `sender.key`, `sender.pub`: signs commands.
- `desk.key`, `desk.pub`: signs what people decide at the console (dispatch/signatures/signers.py).
- `ledger.key`, `ledger.pub`: signs the ledger's heads (dispatch/ledger/writer.py).
- `keyset.json`: the newest key set as it is sent to the nodes, signed by the root.

An exercise has its own folder and so its own keys: a real loudspeaker refuses an exercise's command
even if it should ever hear one. Key files hold 32 bytes as hex, secret ones with mode 0600.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.language import Text
from dispatch.nodes.protocol import KeySet, Kind, Refused, TrustedKey, opened, sign
from stream.disk.files import create_file, make_folder, write_file

_NO_KEY = Text("不是密钥：应为 64 位十六进制", "is not a key: 64 hex digits expected")


class Keys(NamedTuple):
    """Raw 32-byte keys of the sender, and where the public one lies."""

    private: bytes
    public: bytes
    public_file: Path


class Ring:
    """The sender's key and the nodes' key set as they stand in the folder now; read again when they
    have been changed by `fengsui keys`."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        self._folder, self._kind = folder, kind
        self._stamp: tuple[int, ...] = ()
        self.refresh()

    def refresh(self) -> bool:
        """True if something is new. Raises ValueError naming the file."""
        place = self._folder / "keys"
        files = [place / "sender.key", place / "keyset.json"]
        stamp = tuple(map(_changed_at, files))
        if stamp == self._stamp and all(stamp):
            return False
        keys = sender_keys(self._folder)
        self.payload, self.keys = key_set(self._folder, self._kind)
        lasting = [k.public for k in self.keys.keys if k.until_at is None]
        if keys.public.hex() not in lasting and _adopt(place, lasting):
            keys = sender_keys(self._folder)
        if keys.public.hex() not in lasting:
            raise ValueError(
                Text(
                    f"{files[0]}: 终端不认此密钥：放回原来的，或 `fengsui keys rotate`",
                    f"{files[0]}: the nodes' key set does not name this key: put the right one "
                    "back, or run `fengsui keys rotate`",
                )
            )
        self.private = keys.private
        self._stamp = tuple(f.stat().st_mtime_ns for f in files)
        return True


def _changed_at(file: Path) -> int:
    """0 if it is not there."""
    try:
        return file.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0


def sender_keys(folder: Path) -> Keys:
    """The sender's keys of the run whose state folder this is; made when there are none.

    Raises ValueError naming the file if it is not a key, or if others may read it.
    """
    return pair_of(folder, "sender")


def root_keys(folder: Path) -> Keys:
    """The root key pair. It is made only where nothing was ever signed by one. Raises ValueError."""
    place = folder / "keys"
    if not (place / "root.key").exists() and (place / "root.pub").exists():
        raise ValueError(
            f"{place / 'root.key'}: "
            + Text(
                "不在此机：此事须把它带来（--root FILE）",
                "is not on this machine: bring it back for this act (--root FILE)",
            )
        )
    return pair_of(folder, "root")


def key_set(folder: Path, kind: Kind) -> tuple[bytes, KeySet]:
    """The newest key set, signed and plain; made at the first start. Raises ValueError."""
    file = folder / "keys" / "keyset.json"
    if not file.exists():
        public = TrustedKey(public=sender_keys(folder).public.hex())
        first = KeySet(kind=kind, version=1, issued_at=0, keys=(public,))
        write_file(file, sign(root_keys(folder).private, first))
    payload, root = file.read_bytes(), read_key(folder / "keys" / "root.pub")
    found = opened(payload, KeySet, kind, [root])
    if isinstance(found, Refused):
        whose = Text("不是根密钥所签", "not signed by root.pub")
        raise ValueError(f"{file}: {found.reason}: " + whose)
    return payload, found


def renew(folder: Path, kind: Kind, at: int, root_private: bytes, overlap_ms: int) -> KeySet:
    """A new sender's key; the one before counts for `overlap_ms` more (0: not at all from the
    moment a node hears of it). Raises ValueError."""
    _, before = key_set(folder, kind)
    fresh = Ed25519PrivateKey.generate()
    public = TrustedKey(public=fresh.public_key().public_bytes_raw().hex())
    old = sender_keys(folder).public.hex()
    others = [
        TrustedKey(public=k.public, until_at=_sooner(k.until_at, at + overlap_ms))
        for k in before.keys
        if overlap_ms and (k.public == old or k.until_at is not None) and _lasts(k, at)
    ]
    # written before the set that names it: a crash in between loses no key (see _adopt)
    place = folder / "keys"
    write_file(place / "sender.next", fresh.private_bytes_raw().hex().encode() + b"\n")
    found = _next(folder, before, at, (public, *others), root_private)
    _adopt(place, [public.public])
    return found


def _adopt(place: Path, lasting: Sequence[str]) -> bool:
    """Put the sender's next key in its place if the nodes' set names it."""
    fresh = place / "sender.next"
    if not fresh.exists():
        return False
    key = Ed25519PrivateKey.from_private_bytes(read_secret(fresh))
    if key.public_key().public_bytes_raw().hex() not in lasting:
        return False
    fresh.replace(place / "sender.key")
    return True


def revoke(folder: Path, kind: Kind, at: int, root_private: bytes, key: str) -> KeySet:
    """A set without the key whose hex begins with `key`; if it is the sender's own, with a new one.
    Raises ValueError."""
    _, before = key_set(folder, kind)
    gone = [k for k in before.keys if k.public.startswith(key)]
    if len(gone) != 1 or not key:
        names = ", ".join(k.public[:16] for k in before.keys)
        raise ValueError(Text(f"{key!r}: 不是其中一个：{names}", f"{key!r}: is not one of {names}"))
    if gone[0].public == sender_keys(folder).public.hex():
        return renew(folder, kind, at, root_private, 0)
    rest = tuple(k for k in before.keys if k is not gone[0])
    return _next(folder, before, at, rest, root_private)


def _next(
    folder: Path, before: KeySet, at: int, keys: tuple[TrustedKey, ...], root_private: bytes
) -> KeySet:
    public = Ed25519PrivateKey.from_private_bytes(root_private).public_key().public_bytes_raw()
    if public != read_key(folder / "keys" / "root.pub"):
        other = Text("根密钥不符", "is of another root key")
        raise ValueError(f"{folder / 'keys' / 'root.pub'}: " + other)
    found = msgspec.structs.replace(
        before, version=before.version + 1, issued_at=at, keys=keys, root=""
    )
    write_file(folder / "keys" / "keyset.json", sign(root_private, found))
    return found


def _lasts(key: TrustedKey, at: int) -> bool:
    return key.until_at is None or at < key.until_at


def _sooner(until_at: int | None, limit: int) -> int:
    return limit if until_at is None else min(until_at, limit)


def pair_of(folder: Path, name: str) -> Keys:
    """`keys/NAME.key` and `.pub` of a run's folder; made when there are none. Raises ValueError."""
    place = folder / "keys"
    make_folder(place, 0o700)
    secret, public_file = place / f"{name}.key", place / f"{name}.pub"
    if not secret.exists():
        create_file(secret, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode() + b"\n")
    private = read_secret(secret)
    public = public_of(private)
    if not public_file.exists() or read_key(public_file) != public:
        write_file(public_file, public.hex().encode() + b"\n")
    return Keys(private, public, public_file)


def public_of(private: bytes) -> bytes:
    """The public half, 32 raw bytes."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def read_secret(file: Path) -> bytes:
    """A private key that only its owner may read. Raises ValueError naming the file."""
    try:
        mode = file.stat().st_mode
    except OSError as e:
        why = Text(f"读不到：{e.strerror}", f"cannot be read: {e.strerror}")
        raise ValueError(f"{file}: " + why) from e
    if mode & 0o077:
        words = Text(
            "别人可读；请 chmod 600，或换一把",
            "others may read the key; run chmod 600 on it, or replace it",
        )
        raise ValueError(f"{file}: " + words)
    return read_key(file)


def read_key(file: Path) -> bytes:
    """32 bytes from hex. Raises ValueError naming the file."""
    try:
        key = bytes.fromhex(file.read_text().strip())
    except (ValueError, UnicodeDecodeError) as e:
        raise ValueError(f"{file}: " + _NO_KEY) from e
    if len(key) != 32:
        raise ValueError(f"{file}: " + _NO_KEY)
    return key
