"""LoRaWAN devices of lorawan.csv as stations: each uplink as the readings that its rows name, with the battery,
the radio link and the frames that were lost beside them."""

from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from config.language import Said, Text
from config.records.devices.lorawan import (
    OBJECT,
    Codec,
    CodecField,
    LorawanRow,
    eui_of,
    field_of,
    reckoned,
)
from config.records.district import District
from ingest.decode.reading import Reading
from ingest.identify import Register, identify
from ingest.observation import Observation, Observations
from ingest.telemetry.book import REASON
from ingest.telemetry.lorawan.chirpstack import read_chirpstack
from ingest.telemetry.lorawan.frames import Counter, Frame
from ingest.telemetry.lorawan.payload import PayloadRead, PayloadValue, read_object, read_payload
from ingest.telemetry.lorawan.things_stack import read_things_stack
from ingest.telemetry.lorawan.uplink import (
    Battery,
    Event,
    GatewayClocks,
    Rejoined,
    Trouble,
    Uplink,
)
from stream import metrics
from stream.mqtt.access import LORAWAN
from stream.records import Rejected

_SAY_MS = 3_600_000  # the same trouble of the same device is told once in so long, and counted
_TOLD = 10_000
_EACH = "rssi"  # what every uplink gives
_BATTERY = ("battery", "battery_voltage")


class _Wanted(NamedTuple):
    """A row with what it means: its field, the station's quantity, value * scale + offset."""

    row: LorawanRow
    field: CodecField
    quantity: str
    scale: float
    offset: float


class _Device:
    """Of one DevEUI. head: the station that has what is told of the radio and the battery."""

    def __init__(self, codec: Codec, wanted: Sequence[_Wanted]) -> None:
        self.codec, self.head = codec, wanted[0].row.station
        self.of: dict[str, list[_Wanted]] = {}
        for one in wanted:
            self.of.setdefault(one.field.name, []).append(one)
        self.asked = {one.field.name: one.field for one in wanted}
        self.counter = Counter()
        self.charged_at = -1

    def wanted(self, value: PayloadValue) -> list[_Wanted]:
        """Rows whose field this is; of a wild tag with its channel."""
        return self.of.get(value.name, [])


def _named(field: CodecField, row: LorawanRow) -> CodecField:
    """The field by the name that the row has for it: with the channel of a wild tag."""
    return replace(field, name=row.field) if row.field else field


def _book(district: District) -> dict[str, _Device]:
    wanted: dict[str, list[_Wanted]] = {}
    for row in district.lorawan:
        quantity = district.stations[row.station].quantity
        codec = district.codecs[row.codec]
        field = field_of(codec, row, quantity)
        assert field is not None, "config.checks.devices.lorawan has asked"
        scale, offset = reckoned(row, field, quantity)
        mine = _Wanted(row, _named(field, row), quantity, scale, offset)
        wanted.setdefault(row.eui, []).append(mine)
    return {eui: _Device(district.codecs[w[0].row.codec], w) for eui, w in wanted.items()}


class OfNetworks:
    """live: what is simulated there is no measurement. counts: are all uplinks of a device heard here? Where
    several ingests share them nobody knows what is lost. last: the newest frame counter of each station that
    the log has."""

    def __init__(
        self,
        district: District,
        register: Register,
        *,
        live: bool,
        counts: bool = True,
        last: Mapping[str, int] | None = None,
    ) -> None:
        self._register, self._live, self._counts = register, live, counts
        self._devices = _book(district)
        for device in self._devices.values():
            device.counter = Counter((last or {}).get(device.head, -1))
        self._clocks = GatewayClocks()
        self._told: dict[tuple[str, str], int] = {}
        self._less: Counts[str] = Counts()

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to; nothing without devices."""
        return tuple(writes for writes, _ in LORAWAN.values()) if self._devices else ()

    def take(
        self, suffix: Sequence[str], payload: bytes, now: int
    ) -> list[Observation | Rejected] | None:
        """One message by the levels of its topic; None where it is of no network server."""
        match suffix:
            case ["application", _, "device", device, "event", event]:
                events = read_chirpstack(device, event, payload, self._clocks)
            case ["v3", _, "devices", device, *more] if more:
                events = read_things_stack(device, "/".join(more), payload, self._clocks)
            case _:
                return None
        return [one for event_ in events for one in self._one(event_, now)]

    def told_less(self) -> dict[str, int]:
        """Since the last time: what had been told before and was only counted."""
        found = dict(self._less)
        self._less.clear()
        return found

    def _one(self, event: Event, now: int) -> Iterable[Observation | Rejected]:
        if isinstance(event, Rejected):
            return [event]
        device = self._devices.get(eui_of(event.eui))
        if device is None:
            return self._stranger(event.eui, now)
        match event:
            case Rejoined():
                device.counter.joined()
                return []
            case Battery():
                return self._battery(device, event, now)
            case Trouble():
                words = f"{device.head}: {event.eui} " + event.words
                return self._once(event.eui, event.code, Rejected("network_error", words), now)
        return self._uplink(device, event, now)

    def _once(self, eui: str, what: str, why: Rejected, now: int) -> list[Rejected]:
        """The same again within the hour is counted alone."""
        key = (eui, what)
        if now - self._told.get(key, now - _SAY_MS) < _SAY_MS:
            self._less[why.reason] += 1
            return []
        if len(self._told) >= _TOLD:
            self._told.clear()
        self._told[key] = now
        return [why]

    def _stranger(self, eui: str, now: int) -> list[Rejected]:
        words = Text(
            f"DevEUI {eui[:40]!r} 未登记：请加进 lorawan.csv",
            f"DevEUI {eui[:40]!r} is not registered: add it to lorawan.csv",
        )
        return self._once(eui[:40], "", Rejected("unknown_station", words), now)

    def _battery(
        self, device: _Device, told: Battery, now: int
    ) -> Iterator[Observation | Rejected]:
        """The Things Stack says the last one with every uplink: it counts once."""
        if told.at_ms is not None and told.at_ms == device.charged_at:
            return
        device.charged_at = -1 if told.at_ms is None else told.at_ms
        yield self._reading(device.head, "battery", told.percent, told.at_ms, "", None, now)

    def _uplink(self, device: _Device, up: Uplink, now: int) -> Iterator[Observation | Rejected]:
        if up.simulated and self._live:
            words = Text("模拟的上行，不是测量", "a simulated uplink, no measurement")
            yield Rejected("simulated", f"{device.head}: {up.eui} " + words)
            return
        at = now if up.at_ms is None else up.at_ms
        frame = device.counter.take(up.session, up.f_cnt, hash((up.port, up.data)), at)
        if frame.again:
            metrics.REPEATED.inc()
            return
        yield from self._measured(device, up, now)
        yield from self._link(device, up, frame, now)

    def _measured(self, device: _Device, up: Uplink, now: int) -> Iterator[Observation | Rejected]:
        """What the payload holds. A frame without one carries commands of the network alone."""
        codec = device.codec
        if codec.ports and up.port not in codec.ports:
            if up.data:
                yield from self._once(up.eui, f"fPort {up.port}", _other_port(device, up), now)
            return
        if codec.form == OBJECT:
            if up.object is None:
                if up.data:
                    yield from self._once(up.eui, OBJECT, _undecoded(device, up), now)
                return
            read = read_object(codec, device.asked if codec.name == OBJECT else {}, up.object)
        elif not up.data:
            return
        else:
            read = read_payload(codec, up.data)
        yield from self._values(device, up, read, now)
        for fault in read.faults:
            who = f"{device.head}: {up.eui} {codec.name} "
            where = Text(f"第 {fault.at} 字节：", f"at byte {fault.at}: ")
            if codec.form == OBJECT:
                where = Text("", "")
            yield Rejected(
                REASON.get(fault.code, "bad_payload"), who + where + Text(fault.zh, fault.en)
            )

    def _values(
        self, device: _Device, up: Uplink, read: PayloadRead, now: int
    ) -> Iterator[Observation | Rejected]:
        """Each for the rows that want it; a piece with a time of its own has that, and no frame's number, for
        it may be said again in another frame."""
        for value in read.fields:
            wanted = device.wanted(value)
            if value.value is None:
                self._less["missing"] += len(wanted)
                continue
            own = value.time_s is not None
            at = round(value.time_s * 1000) if value.time_s is not None else up.at_ms
            marked, seq = ("", None) if own else (up.marked, up.f_cnt)
            for one in wanted:
                reckoned_ = value.value * one.scale + one.offset
                yield self._reading(one.row.station, one.quantity, reckoned_, at, marked, seq, now)
            if value.field.gives in _BATTERY and not own:
                yield self._reading(
                    device.head, value.field.gives, value.value, at, marked, seq, now
                )

    def _link(
        self, device: _Device, up: Uplink, frame: Frame, now: int
    ) -> Iterator[Observation | Rejected]:
        loss = frame.loss if self._counts else None
        for quantity, value in (("rssi", up.rssi), ("snr", up.snr), ("frame_loss", loss)):
            if value is not None:
                yield self._reading(
                    device.head, quantity, value, up.at_ms, up.marked, up.f_cnt, now
                )

    def _reading(
        self,
        station: str,
        quantity: str,
        value: float,
        at_ms: int | None,
        marked: str,
        seq: int | None,
        now: int,
    ) -> Observation | Rejected:
        time = None if at_ms is None else at_ms / 1000
        reading = Reading(value=value, time=time, seq=seq)
        found = identify(self._register, reading, station, quantity, now)
        if marked and isinstance(found, Observation) and not found.test:
            return replace(found, test=marked)
        return found


def _other_port(device: _Device, up: Uplink) -> Rejected:
    known = ", ".join(map(str, device.codec.ports))
    words: Said = Text(
        f"端口 {up.port} 的报文不读：{device.codec.name} 只读 {known}",
        f"port {up.port} is not read: {device.codec.name} reads {known} alone",
    )
    return Rejected("other_port", f"{device.head}: {up.eui} " + words)


def _undecoded(device: _Device, up: Uplink) -> Rejected:
    words = Text(
        "网络服务器没有解码：给设备配上编解码器，或换一种编码",
        "the network server has not decoded it: give the device a codec there, or name another one here",
    )
    return Rejected("bad_payload", f"{device.head}: {up.eui} " + words)


def newest_counters(records: Iterable[Observations]) -> dict[str, int]:
    """The frame counter of each station's newest uplink, of what the log has."""
    found: dict[str, tuple[int, int]] = {}
    for record in records:
        for o in record.items if _EACH in record.quantity else ():
            if o.quantity == _EACH and o.seq is not None:
                found[o.station] = max(found.get(o.station, (-1, -1)), (o.observed_at, o.seq))
    return {station: seq for station, (_, seq) in found.items()}
