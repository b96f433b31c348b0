"""What `fengsui status` says of the radio links of LoRaWAN devices. Pure."""

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from config.language import Said, Text, joined
from config.records.district import District
from config.records.quantity import QUANTITIES
from console.model.view import View
from dispatch.words.local_time import local

MOST = 20  # devices that are listed, the worst first
LOSS, BATTERY = 10.0, 20.0  # %: from here on somebody should go and look
_AND = Text("，", ", ")


class _Link(NamedTuple):
    """Of one device, in the units of the quantities; None: not heard."""

    station: str
    loss: float | None
    battery: float | None
    volts: float | None
    rssi: float | None
    snr: float | None
    heard_at: int

    @property
    def weak(self) -> bool:
        """Should somebody go and look?"""
        low = self.battery is not None and self.battery <= BATTERY
        return low or (self.loss is not None and self.loss >= LOSS)


def link_lines(view: View, district: District) -> Iterator[Said]:
    """How many devices are heard, then each with what is lost, its signal and battery: those that need
    somebody first, then by their loss."""
    stations = list({row.eui: row.station for row in reversed(district.lorawan)}.values())
    if not stations:
        return
    links = [_link(s, view) for s in stations if s in view.links]
    weak = sum(link.weak for link in links)
    losses = [link.loss for link in links if link.loss is not None]
    lost_zh = f"，丢帧中位数 {median(losses):.0f} %" if losses else ""
    lost_en = f", median loss {median(losses):.0f} %" if losses else ""
    yield Text(
        f"LoRaWAN 设备：{len(links)}/{len(stations)} 听到过，{weak} 台要去看{lost_zh}",
        f"LoRaWAN devices: {len(links)}/{len(stations)} heard, {weak} need a look{lost_en}",
    )
    links.sort(key=lambda link: (not link.weak, -(link.loss or 0.0), link.station))
    for link in links[:MOST]:
        yield _line(link, district)
    if (more := len(links) - MOST) > 0:
        yield Text(f"  另 {more} 台", f"  {more} more")


def _link(station: str, view: View) -> _Link:
    said = view.links[station]

    def of(quantity: str) -> float | None:
        found = said.get(quantity)
        return None if found is None else QUANTITIES[quantity].amount(found[1])

    at = max(at for at, _ in said.values())
    return _Link(
        station, of("frame_loss"), of("battery"), of("battery_voltage"), of("rssi"), of("snr"), at
    )


def _line(link: _Link, district: District) -> Text:
    parts: list[Text] = []
    if link.loss is not None:
        parts.append(Text(f"丢帧 {link.loss:.0f} %", f"loss {link.loss:.0f} %"))
    if link.rssi is not None and link.snr is not None:
        signal = f"{link.rssi:.0f} dBm / {link.snr:.1f} dB"
        parts.append(Text(f"信号 {signal}", f"signal {signal}"))
    if link.battery is not None:
        parts.append(Text(f"电量 {link.battery:.0f} %", f"battery {link.battery:.0f} %"))
    if link.volts is not None:
        parts.append(Text(f"电池 {link.volts:.2f} V", f"battery {link.volts:.2f} V"))
    when = local(link.heard_at, district.timezone)
    parts.append(Text(f"最后 {when}", f"last {when}"))
    mark = "! " if link.weak else "  "
    return f"  {mark}{link.station}: " + joined(parts, _AND)
