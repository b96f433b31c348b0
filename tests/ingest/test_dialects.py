"""What a gateway may bring is what the broker lets it write."""

from ingest.decode.dialects import DECODERS
from ingest.telemetry.gateway import DIALECTS as FRAMES
from stream.mqtt.access import DIALECTS


def test_every_payload_of_a_gateway_has_a_reader_and_a_right() -> None:
    read, may = {*DECODERS, *FRAMES}, set(DIALECTS)
    assert len(DIALECTS) == len(may), "DIALECTS of stream/mqtt/access.py has a name twice"
    assert not read - may, f"missing in DIALECTS of stream/mqtt/access.py: {read - may}"
    assert not may - read, f"missing in DECODERS of ingest/decode/dialects.py: {may - read}"
