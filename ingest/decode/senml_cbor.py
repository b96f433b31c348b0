"""SenML packs in CBOR (RFC 8428 section 6) as the same lists that JSON gives: labels by name, Python's numbers.

cbor2 reads the bytes. Of its tags only those of numbers are wanted (2 and 3 whole numbers, 4 decimal
fractions): every other one it knows (dates, regular expressions, shared references …) is refused before it
makes anything.
"""

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any, NoReturn

import cbor2

from config.language import Text
from stream.limits import DEEPEST, Unreadable
from stream.records import Rejected

# RFC 8428 table 4, which is complete: no other whole number is a label
_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
# the tags that cbor2 6 makes something else of
_UNWANTED = (
    *(0, 1, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004),
    *(43000,),
)
_ITSELF = (
    b"\xd9\xd9\xf7"  # the tag of CBOR itself (RFC 8949 section 3.4.6), of which cbor2 makes tuples
)


def _refuse(*_: object) -> NoReturn:
    raise ValueError("a tag that SenML has not")


_TAGS: dict[int, Callable[..., Any]] = dict.fromkeys(_UNWANTED, _refuse)


def is_cbor(payload: bytes) -> bool:
    """A pack in CBOR begins with the head of an array (80 to 9F), or with the tag of CBOR itself; JSON with
    a bracket or a blank. EF begins a byte order mark, and nothing in CBOR."""
    return payload[:1] >= b"\x80" and payload[:1] != b"\xef"


def read_pack(payload: bytes, at_most: int) -> tuple[list[Any], list[Rejected]]:
    """The records with labels by name, and what stands behind the pack. at_most: bytes.

    Raises `Unreadable` with the byte at which reading ended."""
    if len(payload) > at_most:
        words = Text(
            f"{len(payload)} 字节：上限 {at_most}；请分批",
            f"{len(payload)} bytes: at most {at_most}; send less",
        )
        raise Unreadable("oversize", words)
    source = BytesIO(payload)
    source.seek(len(_ITSELF) if payload.startswith(_ITSELF) else 0)
    decoder = cbor2.CBORDecoder(
        source,
        read_size=1,
        semantic_decoders=_TAGS,
        max_depth=DEEPEST,
        allow_duplicate_keys=False,
    )
    try:
        pack = decoder.decode()
    except (cbor2.CBORError, RecursionError, OverflowError, MemoryError) as e:
        why = str(e) if e.__cause__ is None else str(e.__cause__)
        at = source.tell()
        # what the library says is in English
        words = Text(f"第 {at} 字节：不是完整的 CBOR", f"at byte {at}: not CBOR ({why})")
        raise Unreadable("bad_payload", words) from e
    if not isinstance(pack, list):
        raise Unreadable(
            "bad_payload", Text("SenML 应为记录的列表", "a SenML pack is a list of records")
        )
    end, behind = source.tell(), len(source.read())
    if not behind:
        return [_named(record) for record in pack], []
    words = Text(
        f"第 {end} 字节：列表之后还有 {behind} 字节",
        f"at byte {end}: {behind} bytes behind the pack",
    )
    return [_named(record) for record in pack], [Rejected("bad_payload", words)]


def _named(record: Any) -> Any:
    """A record with its labels by name; as it is where it is none."""
    if not isinstance(record, dict):
        return record
    found: dict[str, Any] = {}
    for label, value in record.items():
        if type(label) is int:
            label = _LABELS.get(label, f"label {label}"[:40])
        elif not isinstance(label, str):
            return None
        found[label] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    """A decimal fraction as a double (RFC 8428 section 6)."""
    return float(value) if isinstance(value, Decimal) else value
