"""The tar of a packet: flat, not compressed, `EBDB_<EBDID>.xml`, `EBDS_EBDB_<EBDID>.xml`, any `EBDR_…`.
Unpacking is what a stranger can reach: nothing is written to a disk, links, folders, odd names, too
many and too large files are refused, and so is a tar that is cut off. Pure."""

import io
import re
import tarfile
from collections.abc import Sequence
from typing import NamedTuple

from dispatch.channels.platform.ebd.form import Wrong

LARGEST = 32_000_000  # bytes of a tar
FILES = 8
_HEADERS = 3 * FILES  # long names have some of their own
_NAME = re.compile(r"EBD[BRS]_[0-9A-Za-z一-鿿_.() -]{1,180}")
_MAIN = re.compile(r"EBDB_([0-9A-Za-z_-]{1,64})\.xml")
# why a packet is not read
REASONS = frozenset(
    {
        "bad_tar",
        "bad_xml",
        "too_much",
        "missing",
        "bad_signature_file",
        "odd_entry",
        "bad_frame",
    }
)


class Packet(NamedTuple):
    """name: the EBDID that its main file is named for. main: the bytes of EBDB, which are what is signed.
    signature: of EBDS; b"" where none is there. others: (name, bytes) of the rest."""

    name: str
    main: bytes
    signature: bytes = b""
    others: tuple[tuple[str, bytes], ...] = ()


def tar_name(packet: str) -> str:
    """EBDT_<EBDID>.tar"""
    return f"EBDT_{packet}.tar"


def pack(packet: Packet, at: int) -> bytes:
    """at: epoch ms, of the files; the same packet at the same time is the same bytes."""
    out = io.BytesIO()
    rows = [(f"EBDB_{packet.name}.xml", packet.main)]
    if packet.signature:
        rows.append((f"EBDS_EBDB_{packet.name}.xml", packet.signature))
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in (*rows, *packet.others):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(body), at // 1000
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def unpack(body: bytes) -> Packet:
    """Raises Wrong: too_much, bad_tar, odd_entry, missing."""
    if len(body) > LARGEST:
        raise Wrong("too_much", "bytes")
    files = _files(body)
    mains = [(m.group(1), name) for name in files if (m := _MAIN.fullmatch(name))]
    if len(mains) != 1:
        raise Wrong("missing", "EBDB")
    ident, main = mains[0]
    sign = f"EBDS_{main}"
    others = tuple((n, b) for n, b in files.items() if n not in (main, sign))
    return Packet(ident, files[main], files.get(sign, b""), others)


def _files(body: bytes) -> dict[str, bytes]:
    _count_headers(body)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:") as tar:
            while (info := tar.next()) is not None:
                name = info.name.removeprefix("./")
                if not info.isreg() or info.sparse is not None or not _NAME.fullmatch(name):
                    raise Wrong("odd_entry", _kind(info))
                if len(found) >= FILES or name in found or info.size > len(body):
                    raise Wrong("too_much" if len(found) >= FILES else "bad_tar", "files")
                part = tar.extractfile(info)
                found[name] = part.read(info.size) if part else b""
                if len(found[name]) != info.size:
                    raise Wrong("bad_tar", "cut")
    except (tarfile.TarError, EOFError, ValueError, OverflowError, UnicodeError) as e:
        raise Wrong("bad_tar", type(e).__name__) from e
    return found


def _count_headers(body: bytes) -> None:
    """What stands before a file's own header is read as deep as there are such headers: no more than some.
    Raises Wrong."""
    at = 0
    for _ in range(_HEADERS):
        head = body[at : at + tarfile.BLOCKSIZE]
        if len(head) < tarfile.BLOCKSIZE or not any(head):
            return
        try:
            size = _size(head[124:136])
        except ValueError:
            return  # whoever reads it says what is wrong
        at += tarfile.BLOCKSIZE * (1 + -(-size // tarfile.BLOCKSIZE))
    raise Wrong("too_much", "headers")


def _size(field: bytes) -> int:
    """In octal digits, or in base 256 behind a first bit. Raises ValueError."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    return int(field.partition(b"\0")[0].strip() or b"0", 8)


def _kind(info: tarfile.TarInfo) -> str:
    kinds: Sequence[tuple[bool, str]] = (
        (info.issym() or info.islnk(), "link"),
        (info.isdir(), "folder"),
        (not info.isreg(), "device"),
    )
    return next((word for hit, word in kinds if hit), "name")
