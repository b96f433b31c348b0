"""A SeedLink server's packets, by ObsPy's client: the connection comes back by itself and goes on behind the
last packet, so that a break of the line loses nothing that the server still has.

Four things of that client (ObsPy 1.5.1) are met here: without a time-out of its own it cannot connect at all,
and with one it ends by itself when nothing comes for so long; a server that has closed is noticed only when
the network time-out has passed, so that is short; a server that cannot be reached raises out of `collect`;
and a station without a selector is refused.
"""

import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from config.language import Text
from ingest.waveform.records import clock_of, obspy
from ingest.waveform.seconds import Piece
from stream.oplog import say
from stream.pace.retry import Retry

_NET_TIMEOUT_S, _NET_DELAY_S = 20, 1
_HELD = 2_000  # packets that wait for us; then reading stops and the server keeps the rest


class Packet(NamedTuple):
    """station: "NET.STA", whose numbers `seq` counts."""

    station: str
    seq: int
    piece: Piece


class SeedLink:
    """address: HOST:PORT. channels: "NET.STA.LOC.CHA". resume: station -> the last packet that is done with."""

    def __init__(self, address: str, channels: Sequence[str], resume: Mapping[str, int]) -> None:
        obspy()
        from obspy.clients.seedlink.client.seedlinkconnection import SeedLinkConnection

        class Link(SeedLinkConnection):  # type: ignore[misc]  # its library has no types
            def is_connected(self, timeout: float | None = 1.0) -> bool:
                return bool(super().is_connected(1.0 if timeout is None else timeout))

        logging.getLogger("obspy.clients.seedlink").setLevel(logging.CRITICAL)  # told by `say`
        self._stop = threading.Event()
        self._found: queue.Queue[Packet] = queue.Queue(_HELD)
        self._link: Any = Link()
        self._link.set_sl_address(address)
        self._link.set_net_timeout(_NET_TIMEOUT_S)
        self._link.set_net_delay(_NET_DELAY_S)
        self.address = address
        at = f"SeedLink {address}"
        self._closed = Text(f"{at}: 服务器断开", f"{at}: closed by the server")
        wanted: dict[str, list[str]] = {}
        for channel in channels:
            network, station, location, code = channel.split(".")
            wanted.setdefault(f"{network}.{station}", []).append(f"{location}{code}")
        for name, selectors in wanted.items():
            network, station = name.split(".")
            last = resume.get(name, -1)
            self._link.add_stream(network, station, " ".join(dict.fromkeys(selectors)), last, None)
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Packet | None:
        """The next packet, None when none came in time."""
        try:
            return self._found.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Ends the connection; what was not taken is asked for again the next time."""
        self._stop.set()
        self._link.terminate()

    def _collect(self) -> None:
        from obspy.clients.seedlink.slpacket import SLPacket

        retry = Retry("geophones", self._stop, most_s=30.0)
        while not self._stop.is_set():
            try:
                packet = self._link.collect()
            except Exception as e:  # noqa: BLE001  # whatever it meets, the next attempt may not
                self._link.disconnect()
                if retry.wait(f"SeedLink {self.address}: {e}"):
                    return
                continue
            if not isinstance(packet, SLPacket):  # the server ended it
                if retry.wait(self._closed):
                    return
                continue
            retry.answered()
            self._hand_over(packet)

    def _hand_over(self, packet: Any) -> None:
        try:
            trace, seq = packet.get_trace(), packet.get_sequence_number()
        except Exception as e:  # noqa: BLE001  # a record that cannot be read must not end the stream
            wrong = Text(f"坏的 miniSEED 记录：{e}", f"a miniSEED record that cannot be read: {e}")
            say("geophones", wrong)
            return
        stats = trace.stats
        piece = Piece(
            f"{stats.network}.{stats.station}.{stats.location.strip()}.{stats.channel}",
            stats.starttime.ns,
            float(stats.sampling_rate),
            trace.data.astype("float64"),
            clock_of(packet.msrecord),
        )
        while not self._stop.is_set():
            try:
                self._found.put(Packet(f"{stats.network}.{stats.station}", seq, piece), timeout=0.5)
            except queue.Full:
                continue
            return
