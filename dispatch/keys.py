"""The sender's Ed25519 key pair: made at the first run, kept in the run's own state folder.

An exercise has its own folder and so its own key: a real loudspeaker refuses an exercise's command
even if it should ever hear one. Files: `keys/sender.key` (32 bytes as hex, mode 0600) and
`keys/sender.pub` (32 bytes as hex, to be copied to the nodes).
"""

import os
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Keys(NamedTuple):
    """Raw 32-byte keys, and where the public one lies."""

    private: bytes
    public: bytes
    public_file: Path


def sender_keys(folder: Path) -> Keys:
    """The keys of the run whose state folder this is; made when there are none.

    Raises ValueError naming the file if it is not a key, or if others may read it.
    """
    place = folder / "keys"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret, public_file = place / "sender.key", place / "sender.pub"
    if not secret.exists():
        _create(secret, Ed25519PrivateKey.generate().private_bytes_raw())
    if secret.stat().st_mode & 0o077:
        raise ValueError(f"{secret}: others may read the key; run chmod 600 on it, or replace it")
    private = read_key(secret)
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    if not public_file.exists() or read_key(public_file) != public:
        fresh = public_file.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(public.hex() + "\n")
        fresh.replace(public_file)
    return Keys(private, public, public_file)


def read_key(file: Path) -> bytes:
    """32 bytes from hex. Raises ValueError naming the file."""
    try:
        key = bytes.fromhex(file.read_text().strip())
    except (ValueError, UnicodeDecodeError) as e:
        raise ValueError(f"{file} is not a key: 64 hex digits expected") from e
    if len(key) != 32:
        raise ValueError(f"{file} is not a key: 64 hex digits expected")
    return key


def _create(file: Path, key: bytes) -> None:
    """Whole or not at all, and the first of two processes wins."""
    fresh = file.with_suffix(f".{os.getpid()}.tmp")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as f:
        f.write(key.hex() + "\n")
        f.flush()
        os.fsync(f.fileno())
    try:
        os.link(fresh, file)
    except FileExistsError:
        return  # another process made one meanwhile: that one counts
    finally:
        fresh.unlink()
