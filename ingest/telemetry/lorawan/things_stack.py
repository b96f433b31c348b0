"""Messages of The Things Stack v3 as JSON: `v3/APPLICATION@TENANT/devices/DEVICE/up` and others. Pure.

Fields: The Things Stack's documentation, Data Formats, and api/ttn/lorawan/v3. Empty fields are left out.
Of a gateway's times `gps_time` is a satellite clock's, `time` "of undefined accuracy".
"""

from typing import Any

import msgspec

from config.language import Text
from config.records.devices.lorawan import eui_of
from ingest.decode.reading import JSON_BYTES
from ingest.telemetry.lorawan.uplink import (
    Battery,
    Event,
    GatewayClocks,
    Rejoined,
    Trouble,
    Uplink,
    best,
    count,
    heard_at,
    raw,
    when,
)
from stream.limits import Unreadable, read_json
from stream.records import Rejected

_HEARD = ("up", "join", "down/failed")
_NAME_LENGTH = 60


class _Ids(msgspec.Struct):
    device_id: str = ""
    dev_eui: str = ""
    dev_addr: str = ""


class _Message(msgspec.Struct):
    session_key_id: str = ""
    f_port: int = 0
    f_cnt: int = 0
    frm_payload: Any = None
    decoded_payload: Any = None
    decoded_payload_warnings: list[Any] = []  # msgspec copies it
    rx_metadata: list[Any] = []
    received_at: Any = None
    app_s_key: Any = None
    last_battery_percentage: Any = None


class _Up(msgspec.Struct):
    end_device_ids: _Ids | None = None
    received_at: Any = None
    uplink_message: _Message | None = None
    simulated: bool = False
    down_failed: Any = None


_up = msgspec.json.Decoder(_Up)


def read_things_stack(
    device: str, event: str, payload: bytes, clocks: GatewayClocks | None = None
) -> list[Event]:
    """One message. device: of its topic, The Things Stack's own name of it; clocks: what is known of the
    gateways'. Nothing where it is of no use."""
    if event not in _HEARD:
        return []
    named = device[:_NAME_LENGTH]
    try:
        found = read_json(payload, _up, JSON_BYTES)
    except Unreadable as e:
        return [Rejected(e.reason, f"{named}: " + e.words)]
    ids = found.end_device_ids
    if ids is None or not ids.dev_eui:
        words = Text(
            f"{named}: 没有 dev_eui，在 The Things Stack 给设备写上",
            f"{named}: there is no dev_eui, give the device one in The Things Stack",
        )
        return [Rejected("bad_payload", words)]
    if ids.device_id and ids.device_id != device:
        words = Text(
            f"主题是 {named!r}，内容是 {ids.device_id[:_NAME_LENGTH]!r}",
            f"the topic says {named!r}, the message {ids.device_id[:_NAME_LENGTH]!r}",
        )
        return [Rejected("bad_payload", words)]
    eui = eui_of(ids.dev_eui)
    if event == "join":
        return [Rejoined(eui)]
    if event == "down/failed":
        return [_failed(eui, found.down_failed)]
    if found.uplink_message is None:
        words = Text(f"{eui}: 没有 uplink_message", f"{eui}: there is no uplink_message")
        return [Rejected("bad_payload", words)]
    return _uplink(eui, ids, found, found.uplink_message, clocks or GatewayClocks())


def _failed(eui: str, given: Any) -> Trouble:
    error = given.get("error") if isinstance(given, dict) else None
    name = error.get("name") if isinstance(error, dict) else None
    code = name[:_NAME_LENGTH] if isinstance(name, str) else "?"
    return Trouble(
        eui, f"down_failed {code}", Text(f"下行失败：{code}", f"a downlink failed: {code}")
    )


def _gateway(reception: dict[str, Any]) -> str:
    ids = reception.get("gateway_ids")
    return str(ids.get("gateway_id", ids.get("eui", "")))[:64] if isinstance(ids, dict) else ""


def _uplink(
    eui: str, ids: _Ids, found: _Up, message: _Message, known: GatewayClocks
) -> list[Event]:
    if message.app_s_key is not None:
        words = Text(
            f"{eui}: 载荷仍加密（skip_payload_crypto）",
            f"{eui}: still encrypted (skip_payload_crypto)",
        )
        return [Rejected("bad_payload", words)]
    data = raw(eui, message.frm_payload)
    if isinstance(data, Rejected):
        return [data]
    gateways = [r for r in message.rx_metadata if isinstance(r, dict)]
    server = [when(message.received_at), when(found.received_at)]
    server += [when(r.get("received_at")) for r in gateways]
    satellites = [when(r.get("gps_time")) for r in gateways]
    clocks = [(_gateway(r), when(r.get("time"))) for r in gateways]
    at, marked = heard_at(server, satellites, known.prompt(clocks, server))
    rssi, snr = best([(count(r.get("rssi")), count(r.get("snr"))) for r in gateways])
    session = message.session_key_id or ids.dev_addr
    out: list[Event] = [
        Uplink(
            eui, session, message.f_cnt, message.f_port, data, message.decoded_payload, at, marked,
            rssi, snr, found.simulated,
        )
    ]  # fmt: skip
    if isinstance(charge := message.last_battery_percentage, dict):
        out.append(Battery(eui, count(charge.get("value")), when(charge.get("received_at"))))
    if message.decoded_payload_warnings:
        said = "; ".join(str(w)[:100] for w in message.decoded_payload_warnings[:3])
        out.append(Trouble(eui, "decoded_payload_warnings", said))
    return out
