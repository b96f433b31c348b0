"""What the node agent keeps over a loss of power: its set-up, its own keys, its memory.

The memory stands in two slots that are written in turn, each with a checksum and a number, and made
sure of by fsync: whatever is cut off in the middle, the other slot is whole.
"""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from config.language import Text, text_of
from dispatch.nodes.keys import read_secret
from dispatch.nodes.memory import Kept
from dispatch.nodes.protocol import KeySet, Kind
from dispatch.nodes.trust import NodeTrust
from stream.disk.files import make_folder, sync_folder, write_file


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a node was set up as. It never changes: another one is another folder."""

    id: str
    kind: Kind
    prefix: str  # fengsui/{run}/{district}
    root: str  # 64 hex digits


class OwnKeys(NamedTuple):
    """The node's private keys, 32 raw bytes each."""

    sign: bytes
    box: bytes

    def public(self) -> tuple[str, str]:
        """sign_key and box_key for nodes.csv."""
        sign = Ed25519PrivateKey.from_private_bytes(self.sign).public_key().public_bytes_raw()
        box = X25519PrivateKey.from_private_bytes(self.box).public_key().public_bytes_raw()
        return sign.hex(), box.hex()


class Store:
    """One node's folder. Raises ValueError naming a file that is not what it should be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder, 0o700)
        self._number = 0
        self._body = b""
        self.damaged = 0  # slots that could not be read

    def identity(self, given: Identity | None) -> Identity:
        """The node's set-up; `given` makes it at the first start and must agree later."""
        file = self._folder / "node.json"
        if file.exists():
            try:
                known = msgspec.json.decode(file.read_bytes(), type=Identity)
            except msgspec.MsgspecError as e:
                raise ValueError(f"{file}: " + text_of(e)) from e
            if given is not None and given != known:
                raise ValueError(
                    Text(
                        f"{file}: 此目录属于终端 {known.id}，{known.prefix}，根 {known.root[:16]}…：换"
                        "一个目录",
                        f"{file}: this folder is node {known.id}, {known.prefix}, root "
                        f"{known.root[:16]}…: choose another",
                    )
                )
            return known
        if given is None:
            raise ValueError(
                Text(
                    f"{file}: 尚未设置：首次启动时给 --root root.pub",
                    f"{file}: not set up: give --root root.pub at the first start",
                )
            )
        write_file(file, msgspec.json.encode(given))
        return given

    def own_keys(self) -> OwnKeys:
        """Made at the first start."""
        found = []
        for name, make in (
            ("sign", Ed25519PrivateKey.generate),
            ("box", X25519PrivateKey.generate),
        ):
            file = self._folder / f"{name}.key"
            if not file.exists():
                write_file(file, make().private_bytes_raw().hex().encode() + b"\n")
            found.append(read_secret(file))
        return OwnKeys(*found)

    def load(self, identity: Identity) -> Kept:
        """The newest whole slot; a new node's memory if there never was one."""
        slots = [self._slot(n) for n in (0, 1)]
        there = [s for s in slots if s is not None]
        if not there:
            if self.damaged:
                raise ValueError(
                    Text(
                        f"{self._folder}: 两份记忆都已损坏：换一个目录，用最新的 root.pub 重新设置",
                        f"{self._folder}: both slots are damaged: set the node up anew in another "
                        "folder, with the newest root.pub",
                    )
                )
            keys = KeySet(kind=identity.kind, version=0, issued_at=0, keys=())
            return Kept(trust=NodeTrust(root=identity.root, keys=keys))
        self._number, self._body = max(there)
        return msgspec.json.decode(self._body, type=Kept)

    def _slot(self, n: int) -> tuple[int, bytes] | None:
        file = self._folder / f"memory-{n}"
        if not file.exists():
            return None
        head, _, body = file.read_bytes().partition(b"\n")
        number, _, digest = head.partition(b" ")
        if digest.decode("ascii", "replace") != _digest(number, body):
            self.damaged += 1
            return None
        return int(number), body

    def save(self, kept: Kept) -> bool:
        """True when it is on the disk and was not before."""
        body = msgspec.json.encode(kept)
        if body == self._body:
            return False
        number = str(self._number + 1).encode()
        file = self._folder / f"memory-{(self._number + 1) % 2}"
        fresh = not file.exists()
        with file.open("wb") as f:
            f.write(number + b" " + _digest(number, body).encode() + b"\n" + body)
            f.flush()
            os.fsync(f.fileno())
        if fresh:
            sync_folder(self._folder)
        self._number, self._body = self._number + 1, body
        return True


def _digest(number: bytes, body: bytes) -> str:
    return hashlib.sha256(number + b"\n" + body).hexdigest()
