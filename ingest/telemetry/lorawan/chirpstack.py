"""Events of ChirpStack v4 as JSON: `application/APPLICATION/device/DEV_EUI/event/EVENT`. Pure.

Fields: chirpstack-docs, integrations/events, and api/proto/integration. Protobuf's JSON leaves zero, false and
empty fields out. `time` of an uplink is that of the first gateway with a satellite clock, else of the server
(chirpstack/src/uplink/helpers.rs), so `nsTime` of the receptions, where it stands, is the server's.
"""

from typing import Any

import msgspec

from config.language import Said, Text
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

_QUIET = ("ack", "txack", "location", "integration")
_FORMER = Text(
    "像 ChirpStack v3 的格式：这里只认 v4", "this looks like ChirpStack v3: v4 is read here"
)
_BINARY = Text(
    "；ChirpStack 的 [integration.mqtt] 要写 json=true",
    "; [integration.mqtt] of ChirpStack wants json=true",
)
_NAME_LENGTH = 60


class _Device(msgspec.Struct, rename="camel"):
    dev_eui: str = ""


class _Event(msgspec.Struct, rename="camel"):
    """Fields of all events; each has some."""

    device_info: _Device | None = None
    time: Any = None
    dev_addr: str = ""
    f_cnt: int = 0
    f_port: int = 0
    data: Any = None
    object: Any = None
    rx_info: list[Any] = []  # msgspec copies it
    battery_level: Any = None
    battery_level_unavailable: bool = False
    external_power_source: bool = False
    level: str = ""
    code: str = ""
    description: str = ""


_event = msgspec.json.Decoder(_Event)


def read_chirpstack(
    device: str, event: str, payload: bytes, clocks: GatewayClocks | None = None
) -> list[Event]:
    """One message. device: of its topic; clocks: what is known of the gateways'. Nothing where it is of no use
    here."""
    if event in _QUIET:
        return []
    try:
        found = read_json(payload, _event, JSON_BYTES)
    except Unreadable as e:
        binary = payload.lstrip()[:1] != b"{"
        return [
            Rejected(e.reason, f"{device[:_NAME_LENGTH]}: " + e.words + (_BINARY if binary else ""))
        ]
    if found.device_info is None:
        former = b'"applicationID"' in payload or b'"devEUI"' in payload
        words: Said = _FORMER if former else Text("没有 deviceInfo", "there is no deviceInfo")
        return [Rejected("bad_payload", f"{device[:_NAME_LENGTH]}: " + words)]
    eui = eui_of(found.device_info.dev_eui)
    if eui != eui_of(device):
        words = Text(
            f"主题是 {device[:_NAME_LENGTH]!r}，内容是 {eui[:_NAME_LENGTH]!r}",
            f"the topic says {device[:_NAME_LENGTH]!r}, the message {eui[:_NAME_LENGTH]!r}",
        )
        return [Rejected("bad_payload", words)]
    return _meant(eui, event, found, clocks or GatewayClocks())


def _meant(eui: str, event: str, found: _Event, known: GatewayClocks) -> list[Event]:
    match event:
        case "up":
            return [_uplink(eui, found, known)]
        case "join":
            return [Rejoined(eui)]
        case "status":
            return _battery(eui, found)
        case "log" if found.level == "ERROR":
            code = found.code[:_NAME_LENGTH] or "UNKNOWN"
            return [Trouble(eui, code, f"{code}: {found.description[:200]}")]
    return []


def _battery(eui: str, found: _Event) -> list[Event]:
    """A level of zero is left out too; on mains, and where the device cannot tell, there is none."""
    if found.battery_level_unavailable or found.external_power_source:
        return []
    return [Battery(eui, count(found.battery_level), when(found.time))]


def _gateway_time(reception: dict[str, Any]) -> Any:
    return reception.get("gwTime", reception.get("time"))


def _uplink(eui: str, found: _Event, known: GatewayClocks) -> Uplink | Rejected:
    data = raw(eui, found.data)
    if isinstance(data, Rejected):
        return data
    gateways = [r for r in found.rx_info if isinstance(r, dict)]
    ours = [when(r.get("nsTime")) for r in gateways]
    server = ours if any(t is not None for t in ours) else [when(found.time)]
    # only a gateway with a satellite receiver knows the time since the GPS epoch; without one its
    # gwTime may be that of its own clock (chirpstack-concentratord, time_fallback)
    exact = [when(_gateway_time(r)) for r in gateways if r.get("timeSinceGpsEpoch")]
    plain = [r for r in gateways if not r.get("timeSinceGpsEpoch")]
    clocks = [(str(r.get("gatewayId", ""))[:64], when(_gateway_time(r))) for r in plain]
    at, marked = heard_at(server, exact, known.prompt(clocks, server))
    rssi, snr = best([(count(r.get("rssi")), count(r.get("snr"))) for r in gateways])
    return Uplink(
        eui, found.dev_addr, found.f_cnt, found.f_port, data, found.object, at, marked, rssi, snr
    )
