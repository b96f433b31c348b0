"""Who reads what a gateway brings: the last level of its topic, and the function that reads such a payload.

The same names stand in `stream.mqtt.access.DIALECTS`, of which the broker's rights are made; frames of
telemetry stations have their own reader (`ingest.telemetry.gateway`). Pure.
"""

from collections.abc import Callable

from ingest.decode.nowcast import decode_nowcast
from ingest.decode.reading import Reading, decode_json
from ingest.decode.senml import decode_senml
from stream.records import Rejected

# payload, the time of its receipt (ms) -> what it says
Decoder = Callable[[bytes, int], list[Reading | Rejected]]

DECODERS: dict[str, Decoder] = {
    "json": lambda payload, _: decode_json(payload),
    "senml": decode_senml,
    "nowcast": decode_nowcast,
}
