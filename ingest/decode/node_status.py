"""A loudspeaker's word on itself: `P/node/{node}/status`, one JSON object of quantities.

`{"time": SECONDS OR RFC 3339, "battery": 93.0, "mains": 1, "door": 0, "volume": 90}`; each becomes a
reading of the node. `time` may be missing, as in any reading.
"""

from typing import Any

import msgspec

from config.language import Text
from ingest.decode.reading import JSON_BYTES, Reading
from stream.limits import Unreadable, read_json
from stream.records import Rejected

_MOST = 32  # quantities in one message
_AN_OBJECT = Text(
    "应为一个对象：docs/nodes.md, status", "an object expected: docs/en/nodes.md, status"
)
_any = msgspec.json.Decoder()


def decode_status(node: str, payload: bytes) -> list[Reading | Rejected]:
    """Readings of the node `node`, or why there are none."""
    try:
        found: Any = read_json(payload, _any, JSON_BYTES)
    except Unreadable as e:
        return [Rejected(e.reason, e.words)]
    if not isinstance(found, dict) or len(found) > _MOST:
        return [Rejected("bad_payload", _AN_OBJECT)]
    time = found.pop("time", None)
    return [Reading(station=node, quantity=q, value=v, time=time) for q, v in found.items()]
