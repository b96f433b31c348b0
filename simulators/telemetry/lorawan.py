"""A LoRaWAN device behind its network server: an uplink as ChirpStack v4 and The Things Stack v3 publish it,
with the fields of their documentation, where zero and empty ones are left out."""

import base64
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from stream.mqtt.client import Mqtt

_APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"


class Reception(NamedTuple):
    """A gateway that heard an uplink. gps_ms: by its satellite clock, clock_ms: by its own; None: it says
    nothing."""

    gateway: str = "0016c001f153a14c"
    rssi: float = -97
    snr: float = 7.5
    gps_ms: int | None = None
    clock_ms: int | None = None


class Radioed(NamedTuple):
    """One frame. at_ms: when the network server has it."""

    eui: str
    data: bytes
    at_ms: int
    f_cnt: int = 0
    port: int = 1
    receptions: Sequence[Reception] = (Reception(),)
    object: Any = None
    session: str = "00189440"
    more: dict[str, Any] = {}  # noqa: RUF012  # fields beside those


def chirpstack(sent: Radioed) -> tuple[str, bytes]:
    """Topic and payload."""
    eui = sent.eui.lower()
    heard = [
        {
            "gatewayId": r.gateway, "uplinkId": 4217106255, "gwTime": _time(r.gps_ms),
            "nsTime": _time(sent.at_ms), "rssi": r.rssi, "snr": r.snr, "context": "E3OWOQ==",
            "metadata": {"region_name": "cn470_10", "region_common_name": "CN470"},
            "crcStatus": "CRC_OK",
        }
        for r in sent.receptions
    ]  # fmt: skip
    exact = next((r.gps_ms for r in sent.receptions if r.gps_ms is not None), sent.at_ms)
    event = {
        "deduplicationId": f"3ac7e3c4-4401-4b8d-9386-{sent.at_ms % 2**48:012x}",
        "time": _time(exact),
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242", "tenantName": "Yanqing",
            "applicationId": _APPLICATION, "applicationName": "levels",
            "deviceProfileName": "class A", "deviceName": eui, "devEui": eui,
        },
        "devAddr": sent.session, "adr": True, "dr": 1, "fCnt": sent.f_cnt, "fPort": sent.port,
        "data": base64.b64encode(sent.data).decode(), "object": sent.object, "rxInfo": heard,
        "txInfo": {"frequency": 486300000},
    }  # fmt: skip
    topic = f"application/{_APPLICATION}/device/{eui}/event/up"
    return topic, json.dumps(_without_zeros(event) | sent.more).encode()


def things_stack(sent: Radioed) -> tuple[str, bytes]:
    """Topic and payload."""
    device = f"eui-{sent.eui.lower()}"
    heard = [
        {
            "gateway_ids": {"gateway_id": f"gw-{r.gateway}", "eui": r.gateway.upper()},
            "time": _time(r.gps_ms if r.clock_ms is None else r.clock_ms), "gps_time": _time(r.gps_ms),
            "timestamp": 2463457000, "rssi": r.rssi, "channel_rssi": r.rssi, "snr": r.snr,
            "received_at": _time(sent.at_ms),
        }
        for r in sent.receptions
    ]  # fmt: skip
    message = {
        "session_key_id": base64.b64encode(sent.session.encode()).decode(),
        "f_port": sent.port, "f_cnt": sent.f_cnt,
        "frm_payload": base64.b64encode(sent.data).decode(), "decoded_payload": sent.object,
        "rx_metadata": heard, "settings": {"frequency": "486300000", "timestamp": 2463457000},
        "received_at": _time(sent.at_ms), "consumed_airtime": "0.056576s",
    }  # fmt: skip
    up = {
        "end_device_ids": {
            "device_id": device, "application_ids": {"application_id": "levels"},
            "dev_eui": sent.eui.upper(), "join_eui": "800000000000000C", "dev_addr": "00BCB929",
        },
        "correlation_ids": ["as:up:01E6K7C4ZRQ7T9R714MA74YQWK"],
        "received_at": _time(sent.at_ms + 200), "uplink_message": message,
    }  # fmt: skip
    return f"v3/levels@ttn/devices/{device}/up", json.dumps(_without_zeros(up) | sent.more).encode()


SERVERS = {"chirpstack": chirpstack, "things-stack": things_stack}


def _time(ms: int | None) -> str | None:
    if ms is None:
        return None
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}000000Z"


def _without_zeros(value: Any) -> Any:
    """As protobuf's JSON has it; what a codec has read is a Struct, and keeps its zeros."""
    if isinstance(value, list):
        return [_without_zeros(v) for v in value]
    if not isinstance(value, dict):
        return value
    kept = ("object", "decoded_payload")
    return {
        k: v if k in kept else _without_zeros(v)
        for k, v in value.items()
        if v is not None and (k in kept or v not in (0, "", False, [], {}))
    }


def main() -> None:
    """`python -m simulators.telemetry.lorawan chirpstack|things-stack DEV_EUI PORT HEX [MQTT-URL]`: one uplink
    of this payload, the first of a session, published; without a URL it is printed."""
    if len(sys.argv) < 5 or sys.argv[1] not in SERVERS:
        raise SystemExit(main.__doc__)
    now = int(time.time() * 1000)
    data = bytes.fromhex(sys.argv[4])
    sent = Radioed(sys.argv[2], data, now, port=int(sys.argv[3]), session=f"{now % 2**32:08x}")
    topic, payload = SERVERS[sys.argv[1]](sent)
    print(topic, payload.decode(), sep="\n")
    if len(sys.argv) > 5:
        mqtt = Mqtt(sys.argv[5], "lorawan-trial")
        mqtt.wait_connected()
        mqtt.publish(topic, payload)
        done = mqtt.flush()
        mqtt.close()
        print("published" if done else "the broker has not confirmed it")


if __name__ == "__main__":
    main()
