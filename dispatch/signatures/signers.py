"""The file of a run that says whose signatures count for decisions (`signers.json`), and the keys that
sign: a desk's beside it, an officer's own, sealed with a passphrase.

The file holds public keys only, yet who can write it decides: it lies in the run's `keys/`, or for a
live run whose stages share no folder where FENGSUI_SIGNERS says. It only grows: a key that is revoked
keeps its line with an end, so that what it signed before stays right.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from config.language import Text, text_of
from dispatch.nodes.keys import pair_of, read_key
from dispatch.records import Decision
from dispatch.signatures.proof import Era, Signer, Trust, signed
from stream.disk.files import create_file, make_folder, write_file
from stream.oplog import say

FILE = "signers.json"
_NOT_SEALED = Text(
    "不是封口的钥匙：`fengsui signer make`", "is no sealed key: `fengsui signer make`"
)
_NOT_ED25519 = Text(
    "不是 Ed25519 钥匙：`fengsui signer make`", "is no Ed25519 key: `fengsui signer make`"
)
Sign = Callable[[Decision], Decision]  # raises ValueError saying why nothing is signed
_decoder = msgspec.json.Decoder(Trust)


class Signers:
    """The file as it stands now, read again when it changed."""

    def __init__(self, folder: Path, run: str, district: str) -> None:
        self.file = folder / FILE
        self._nobody = Trust(district=district, eras=(Era(since=0, run=run),))
        self._stamp: tuple[int, int] = (0, 0)
        self._trust = self._nobody

    def trust(self) -> Trust:
        """Nobody's signature counts while there is no file, or none that can be read."""
        try:
            stat = self.file.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._trust, self._stamp = read(self.file, self._nobody.district), stamp
        except FileNotFoundError:
            self._trust, self._stamp = self._nobody, (0, 0)
        except (OSError, ValueError) as e:
            nobody = Text(
                "；修好以前谁的签名都不算", "; nobody's signature counts until it is mended"
            )
            say("decide", text_of(e) + nobody)
            self._trust, self._stamp = self._nobody, (0, 0)
        return self._trust


def read(file: Path, district: str) -> Trust:
    """Raises ValueError naming the file, OSError."""
    try:
        found = _decoder.decode(file.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise ValueError(
            f"{file}: " + Text("不是签名人名单：", "is no list of signers: ") + str(e)
        ) from e
    if found.district != district or not found.eras:
        raise ValueError(
            Text(
                f"{file}: 是 {found.district!r} 的，不是 {district!r} 的",
                f"{file}: is of {found.district!r}, not {district!r}",
            )
        )
    return found


def put(folder: Path, trust: Trust) -> None:
    """Write the file, whatever was there. Raises OSError."""
    make_folder(folder, 0o700)
    write_file(folder / FILE, _written(trust))


def begin(folder: Path, run: str, district: str, handled: int) -> None:
    """Make the file where there is none. handled: where decide stands in `cases`: what it handled
    before there were proofs stays as it is, what comes after must be signed. Raises OSError."""
    make_folder(folder, 0o700)
    if not (folder / FILE).exists():
        first = Trust(district=district, eras=(Era(since=handled, run=run),))
        create_file(folder / FILE, _written(first))


def fit(folder: Path, district: str, end: int) -> None:
    """A list that begins behind the end of `cases` is of a log that is no more: then all must be
    signed. Raises OSError, ValueError."""
    if read(folder / FILE, district).now.since <= end:
        return

    def make(trust: Trust) -> Trust:
        return msgspec.structs.replace(trust, eras=(following(trust, 0, trust.now.run),))

    with changing(folder / FILE, district) as change:
        change(make)


def following(trust: Trust, since: int, run: str) -> Era:
    """The era after the last: the same keys sign, and those that were revoked do not."""
    signers = tuple(
        s if s.until is None else msgspec.structs.replace(s, until=since) for s in trust.now.signers
    )
    return Era(since=since, run=run, signers=signers)


@contextmanager
def changing(file: Path, district: str) -> Iterator[Callable[[Callable[[Trust], Trust]], Trust]]:
    """One who changes the file at a time. What is given is called with what makes the new list of the
    old, and writes it."""
    with (file.parent / f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def change(make: Callable[[Trust], Trust]) -> Trust:
            found = make(read(file, district))
            write_file(file, _written(found))
            return found

        yield change


def _written(trust: Trust) -> bytes:
    return msgspec.json.format(msgspec.json.encode(trust), indent=1) + b"\n"


def _with(trust: Trust, signers: tuple[Signer, ...]) -> Trust:
    last = msgspec.structs.replace(trust.now, signers=signers)
    return msgspec.structs.replace(trust, eras=(*trust.eras[:-1], last))


def enrol(file: Path, district: str, signer: Signer) -> None:
    """Let this key sign from now on. Raises ValueError: it is there, for somebody, or was revoked."""

    def make(trust: Trust) -> Trust:
        if old := [s for s in trust.now.signers if s.key == signer.key]:
            whose = old[0].officer or Text("值班台 ", "desk ") + old[0].name
            told = Text("已登记给 ", "is registered already, for ")
            raise ValueError(f"{signer.key[:16]}…: " + told + whose)
        return _with(trust, (*trust.now.signers, signer))

    with changing(file, district) as change:
        change(make)


def retire(file: Path, district: str, begins: str, handled: int, at: int) -> Signer:
    """The one key whose hex begins so counts no more. handled: where decide stands in `cases`: nothing
    behind it counts. at: epoch ms, for people. Raises ValueError."""
    gone: list[Signer] = []

    def make(trust: Trust) -> Trust:
        found = [s for s in trust.now.signers if begins and s.key.startswith(begins)]
        if len(found) != 1 or found[0].until is not None:
            known = ", ".join(s.key[:16] for s in trust.now.signers if s.until is None) or "-"
            raise ValueError(
                Text(f"{begins!r}: 不是其中一把：{known}", f"{begins!r}: is not one of {known}")
            )
        gone.append(msgspec.structs.replace(found[0], until=handled, until_at=at))
        return _with(trust, tuple(gone[0] if s is found[0] else s for s in trust.now.signers))

    with changing(file, district) as change:
        change(make)
    return gone[0]


class Desk:
    """A desk's key (`keys/desk.key` of its folder), which signs for whoever the desk let in. It
    registers itself where it may write the list."""

    def __init__(
        self, folder: Path, signers: Path, run: str, district: str, handled: Callable[[], int]
    ) -> None:
        self._folder, self._file = folder, signers / FILE
        self._run, self._district, self._handled = run, district, handled

    def sign(self, decision: Decision) -> Decision:
        """Raises ValueError: the key cannot be read, was revoked, or could not be registered."""
        return signed(decision, self.ready(), self._run, self._district)

    def ready(self) -> bytes:
        """The private key, registered. Raises ValueError."""
        keys = pair_of(self._folder, "desk")
        public = keys.public.hex()
        handled = 0 if self._file.exists() else self._handled()  # raises Unavailable
        try:
            if not self._file.exists():
                begin(self._file.parent, self._run, self._district, handled)
            known = [s for s in read(self._file, self._district).now.signers if s.key == public]
            if not known:
                enrol(self._file, self._district, Signer(key=public, name="desk"))
        except OSError as e:
            raise ValueError(
                Text(
                    f"{self._file}: 本台的钥匙没有登记（{e.strerror}）：请在 decide 的机器上 `fengsui signer "
                    f"add --desk {public}`",
                    f"{self._file}: this desk's key is not registered ({e.strerror}): on the machine "
                    f"of decide: `fengsui signer add --desk {public}`",
                )
            ) from e
        if known and known[0].until is not None:
            raise ValueError(
                Text(
                    f"{keys.public_file}: 已撤销：`fengsui signer desk --new` 造一把新的",
                    f"{keys.public_file}: was revoked: `fengsui signer desk --new` makes another",
                )
            )
        return keys.private

    def public(self) -> str:
        """The public key, hex."""
        return pair_of(self._folder, "desk").public.hex()

    def renew(self, at: int) -> str:
        """A new key in place of the old one, which counts no more. The public one, hex."""
        old = self.public()
        secret = self._folder / "keys" / "desk.key"
        write_file(secret, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode() + b"\n")
        self.ready()
        signers = read(self._file, self._district).now.signers
        if any(s.key == old and s.until is None for s in signers):
            retire(self._file, self._district, old, self._handled(), at)
        return self.public()


def make_officer_key(file: Path, passphrase: str) -> str:
    """A new key of an officer, sealed, for their own eyes (mode 0600). The public one, hex. Raises
    ValueError: the file is there."""
    if file.exists():
        there = Text("已有此文件，不覆盖", "is there already and is not overwritten")
        raise ValueError(f"{file}: " + there)
    key = Ed25519PrivateKey.generate()
    sealed = BestAvailableEncryption(passphrase.encode())
    make_folder(file.parent, 0o700)
    create_file(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    return key.public_key().public_bytes_raw().hex()


def officer_key(file: Path, passphrase: str) -> bytes:
    """The private key, 32 raw bytes. Raises ValueError: another passphrase, no key, others may read it."""
    try:
        mode, body = file.stat().st_mode, file.read_bytes()
    except OSError as e:
        why = Text(f"读不到：{e.strerror}", f"cannot be read: {e.strerror}")
        raise ValueError(f"{file}: " + why) from e
    if mode & 0o077:
        raise ValueError(f"{file}: " + Text("别人可读：chmod 600", "others may read it: chmod 600"))
    try:
        key = load_pem_private_key(body, passphrase.encode())
    except (TypeError, UnsupportedAlgorithm) as e:
        raise ValueError(f"{file}: " + _NOT_SEALED) from e
    except ValueError as e:
        shut = Text("打不开，口令不对？", "cannot be opened, another passphrase?")
        raise ValueError(f"{file}: " + shut) from e
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file}: " + _NOT_ED25519)
    return key.private_bytes_raw()


def public_key(text: str) -> str:
    """A public key as people hand it over: 64 hex digits, or a file of them. Raises ValueError."""
    if os.path.sep in text or text.endswith(".pub"):
        return read_key(Path(text)).hex()
    found = text.strip().lower()
    if len(found) != 64 or any(c not in "0123456789abcdef" for c in found):
        raise ValueError(
            f"{text!r}: "
            + Text(
                "不是公钥：64 位十六进制，或其文件",
                "is no public key: 64 hex digits, or a file of them",
            )
        )
    return found
