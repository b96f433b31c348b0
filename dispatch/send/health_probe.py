"""Asks every way out, every few minutes, whether it is there, so that a dead one is known before the
flood. What it finds goes into the log when it is news, and as a sign of life now and then."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from config.language import Said, each
from dispatch.channels import Channel
from dispatch.channels.failover import Carriers
from dispatch.channels.rate_and_breaker import Health
from dispatch.records import RouteHealth
from dispatch.send.workers import Sender
from stream.metrics import PROBED_AT, ROUTE_UP

_SIGN_MS = 600_000  # how often a way that stays as it is is told of
Found = list[tuple[str, bool, Said]]


class Prober:
    """broker: probes the loudspeakers' MQTT broker. clock: the run's, epoch ms.
    platforms: each tells whether a broadcast platform's heart-beats come."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        broker: Callable[[], Found],
        sender: Sender,
        clock: Callable[[], int],
        platforms: Iterable[Callable[[], Found]] = (),
    ) -> None:
        self._ways: list[tuple[str, Callable[[], Found]]] = [("broadcast", broker)]
        self._ways += [("broadcast_platform", probe) for probe in platforms]
        for name, channel in channels.items():
            if isinstance(channel, Carriers):
                self._ways.append((name, channel.probe))
                channel.told = self._traffic(name)
        self._sender, self._clock = sender, clock
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], RouteHealth] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, every_s: float) -> None:
        """Probe now, and every so often."""
        self._thread = threading.Thread(target=self._work, args=(every_s,), name="prober")
        self._thread.start()

    def close(self) -> None:
        """Ends after the probe under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def probe(self) -> None:
        """Ask everyone once. Raises only what is a fault of the program."""
        if self._sender.box is None:
            return  # another member sends
        for channel, ask in self._ways:
            for carrier, up, words in ask():
                self._take(channel, carrier, up, words, "probe")
        PROBED_AT.set(time.time())

    def _work(self, every_s: float) -> None:
        wait_s = 1.0  # the partition is not ours yet at once
        try:
            while not self._stop.wait(wait_s):
                self.probe()
                wait_s = every_s if self._sender.box is not None else 1.0
        except BaseException as e:  # noqa: BLE001  # the stage ends with it: blind is not well
            self._sender.failed = e

    def _traffic(self, channel: str) -> Callable[[str, Health, Said], None]:
        def told(carrier: str, health: Health, words: Said) -> None:
            self._take(channel, carrier, health == "up", words, "traffic")

        return told

    def _take(self, channel: str, carrier: str, up: bool, words: Said, by: str) -> None:
        ROUTE_UP.labels(channel, carrier).set(int(up))
        found = RouteHealth(
            channel=channel,
            carrier=carrier,
            up=up,
            checked_at=self._clock(),
            by="probe" if by == "probe" else "traffic",
            detail=each(words, lambda half: half[:200]),
        )
        with self._lock:
            last = self._last.get((channel, carrier))
            stale = last is None or found.checked_at - last.checked_at >= _SIGN_MS
            if not stale and last is not None and last.up == up:
                return
            self._last[channel, carrier] = found
        self._sender.tell(found)
