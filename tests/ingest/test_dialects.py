"""What a gateway may bring is what the broker lets it write."""

from ingest.stage import DECODERS
from ingest.telemetry.gateway import DIALECTS as FRAMES
from stream.mqtt.access import DIALECTS


def test_every_payload_of_a_gateway_has_a_reader_and_a_right() -> None:
    assert (*DECODERS, *FRAMES) == DIALECTS
