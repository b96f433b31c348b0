"""Frames of telemetry stations that a gateway brings over MQTT, as they are."""

from config.language import Text
from config.records.district import District
from ingest.identify import Register, not_its_own
from ingest.observation import Observation
from ingest.pictures import keep_picture
from ingest.telemetry.codec.said import Broken
from ingest.telemetry.desk import Desk, finder_of
from stream.disk.blobs import FrameStore
from stream.mqtt.client import Mqtt
from stream.records import Rejected

DIALECTS = ("sl651", "szy206")
_NONE = Text("没有 telemetry.csv：没有一个站址登记", "no telemetry.csv: no address is registered")


class OfGateways:
    """prefix: of the run's topics."""

    def __init__(
        self, district: District, register: Register, frames: FrameStore, prefix: str
    ) -> None:
        self._register, self._prefix = register, prefix
        self._desk = Desk(
            district,
            register,
            lambda p, now: keep_picture(register, frames, p.station, str(p.at_ms), p.body, now),
        )
        self._replies: list[tuple[str, bytes]] = []

    def take(self, gateway: str, payload: bytes, now: int) -> list[Observation | Rejected]:
        """One message: a frame, or several. A station that is not the gateway's own is not heard, nor
        answered."""
        if not self._desk.book:
            return [Rejected("unknown_station", _NONE)]
        found: list[Observation | Rejected] = []
        for late in self._desk.late(now):
            found += late.letters
        finder = finder_of(payload)
        for one in [*finder.feed(payload), *finder.rest()]:
            if isinstance(one, Broken):
                found += self._desk.broken(one).letters
                continue
            heard = self._desk.hear(one, f"mqtt {gateway}", now)
            wrong = [
                w for o in heard.found if (w := not_its_own(self._register, gateway, o.station))
            ]
            found += [*heard.letters, *(wrong or heard.found)]
            if heard.reply and not wrong:
                self._replies.append((f"{self._prefix}down/{gateway}", heard.reply))
        return found

    def answer(self, mqtt: Mqtt) -> None:
        """What came is in the log: the gateways hand on what the stations wait for."""
        for topic, reply in self._replies:
            mqtt.publish(topic, reply)
        if self._replies:
            mqtt.flush(0.0)  # forgets what the broker has
        self._replies.clear()

    def told_less(self) -> dict[str, int]:
        """See `Desk.told_less`."""
        return dict(self._desk.told_less())
