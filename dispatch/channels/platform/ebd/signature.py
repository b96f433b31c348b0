"""The signature file EBDS, and the 74 bytes in it: 4 bytes time or counter, 6 bytes number of the
certificate (BCD), 64 bytes r ‖ s (SM2 over SM3, GB/T 32918.2), as a captured file and the header of the
SJJ1313/1507 cipher device agree on. What is signed is the EBDB file, byte for byte. Whether the time
and the certificate's number are signed too is known nowhere: they are not, here. Pure."""

import base64
import binascii
import re
from typing import NamedTuple

from dispatch.channels.platform.ebd.form import Form, Wrong
from dispatch.channels.platform.ebd.tree import Node, read, write

BLOCK = 74
LARGEST = 16_384  # bytes of the file: it is read before anybody has proved to be the platform
_SERIAL = re.compile(r"\d{1,12}")


class Block(NamedTuple):
    """time: four bytes as a number; serial: 12 decimal digits; rs: 64 bytes."""

    time: int
    serial: str
    rs: bytes


class SignatureFile(NamedTuple):
    """packet: the EBDID that it is for."""

    packet: str
    block: Block


def block_of(raw: bytes) -> Block:
    """Raises Wrong: bad_signature_file."""
    if len(raw) != BLOCK:
        raise Wrong("bad_signature_file", f"{len(raw)} bytes")
    serial = raw[4:10].hex()
    if not serial.isdigit():
        raise Wrong("bad_signature_file", "BCD")
    return Block(int.from_bytes(raw[:4], "big"), serial, raw[10:])


def block_bytes(block: Block) -> bytes:
    """The 74 bytes. Raises ValueError for a serial of more than 12 digits, or another length of rs."""
    if not _SERIAL.fullmatch(block.serial) or len(block.rs) != BLOCK - 10:
        raise ValueError(block.serial)
    serial = bytes.fromhex(block.serial.rjust(12, "0"))
    return (block.time % (1 << 32)).to_bytes(4, "big") + serial + block.rs


def write_signature(form: Form, packet: str, raw: bytes, issuer: str) -> bytes:
    """The EBDS file of these 74 bytes. issuer: up to 12 digits. Raises Wrong."""
    block = block_of(raw)
    value = base64.b64encode(raw).decode()
    related: Node = ("RelatedEBD", [("EBDID", packet)])
    if form.layout == "short":
        rows: list[Node] = [
            ("Version", "1"),
            related,
            ("CertSN", block.serial),
            ("SignatureAlgorithm", "SM2-SM3"),
        ]
    else:
        cert: list[Node] = [
            ("CertType", "1"),
            ("IssuerID", issuer.rjust(12, "0")),
            ("CertSN", block.serial),
        ]
        rows = [
            ("Version", "1.0"),
            related,
            ("SignatureCert", cert),
            ("SignatureTime", f"{block.time:08x}"),
            ("DigestAlgorithm", "SM3"),
            ("SignatureAlgorithm", "SM2"),
        ]
    return write(("Signature", [*rows, ("SignatureValue", value)]))


def read_signature(body: bytes) -> SignatureFile:
    """Either layout. Raises Wrong: too_much, bad_xml, bad_signature_file."""
    if len(body) > LARGEST:
        raise Wrong("too_much", "bytes")
    root = read(body)
    if root.name != "Signature":
        raise Wrong("bad_signature_file", "Signature")
    text = "".join(root.said("SignatureValue").split())
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise Wrong("bad_signature_file", "base64") from e
    return SignatureFile(root.said("RelatedEBD", "EBDID"), block_of(raw))
