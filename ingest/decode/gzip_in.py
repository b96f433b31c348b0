"""What comes packed by gzip (RFC 1952), whether or not anybody says so. Pure."""

import zlib

from config.language import Text
from ingest.decode.xml import Wrong

_GZIP = b"\x1f\x8b"
_BITS = 31  # a gzip head and the largest window


def unpacked(body: bytes, most: int) -> bytes:
    """The bytes themselves where they are not packed; of packed ones at most `most` + 1, so that whoever
    reads them refuses what is too long. Raises `Wrong` for a damaged pack."""
    if not body.startswith(_GZIP):
        return body
    inflate = zlib.decompressobj(_BITS)
    try:
        plain = inflate.decompress(body, most + 1)
    except zlib.error as e:
        raise Wrong("bad_payload", Text(f"gzip 损坏：{e}", f"the gzip is damaged: {e}")) from e
    if len(plain) <= most and not inflate.eof:
        raise Wrong("bad_payload", Text("gzip 不完整", "the gzip is not whole"))
    return plain
