"""CAP 1.2 messages for other systems: one signed, validated XML file a warning version, the feeds
(Atom and RSS), and the message on MQTT.

`accepted` means that the file and the feeds are on disk and the broker has the message. A version
that is there already is left as it is: what was published does not change.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from config.language import text_of
from config.records.district import District
from dispatch.cap.feed import FEED, RSS, atom, link, rss
from dispatch.cap.message import Reference, build, identifier, read_reference
from dispatch.cap.wis2 import notification, topic
from dispatch.channels import NOT_BY_MQTT, SendError, SendResult, unread, unwritten
from dispatch.records import Delivery, Route
from dispatch.words.wording import wording
from stream.disk.files import SHARED, make_folder, write_file


def _unsigned(body: bytes) -> bytes:
    return body


class Cap:
    """folder: where the files go; those of a former process are found there. sign: see
    `dispatch.cap.signing`. publish(topic, payload) returns when the broker has it and raises OSError;
    prefix: `fengsui/{run}/{district}`."""

    def __init__(
        self,
        district: District,
        folder: Path,
        sign: Callable[[bytes], bytes] = _unsigned,
        publish: Callable[[str, bytes], None] | None = None,
        prefix: str = "",
    ) -> None:
        self._district = district
        self._folder = folder
        self._sign = sign
        self._mqtt, self._prefix = publish, prefix
        self._lock = threading.Lock()
        wording(district.folder, district.version)  # as they are now, and were checked
        make_folder(folder)
        self._published: dict[str, tuple[Reference, str]] = {}
        for file in sorted(folder.glob("*.xml")):
            try:
                self._published[file.stem] = read_reference(file.read_bytes())
            except ValueError:
                continue  # not a message of ours: it is not published, and warnings go on

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        body = self.message(delivery, route)
        if self._mqtt is not None:
            place = f"{self._prefix}/cap/{delivery.area}/{delivery.hazard}"
            try:
                # not retained: one that is over must not greet whoever comes later
                self._mqtt(place, body)
                self._announce(delivery, body)
            except OSError as e:
                raise SendError(NOT_BY_MQTT + text_of(e)) from e
        return SendResult("accepted", identifier(self._district, delivery))

    def _announce(self, delivery: Delivery, body: bytes) -> None:
        """To WMO's information system, where the district has a centre there. Raises OSError."""
        channels = self._district.channels
        if self._mqtt is None or not channels.wis2.centre_id or delivery.status != "actual":
            return
        href = link(self._district, f"{identifier(self._district, delivery)}.xml")
        told = notification(channels.wis2, body, href)
        if told is not None:
            self._mqtt(topic(channels.wis2), told)

    def message(self, delivery: Delivery, route: Route) -> bytes:
        """The message as it is published, in the feeds on return. Raises SendError."""
        name = identifier(self._district, delivery)
        with self._lock:
            if name not in self._published:
                self._publish(name, delivery, route)
            messages = self._published.values()
            self._write(FEED, atom(self._district, messages))
            self._write(RSS, rss(self._district, messages))
        try:
            return (self._folder / f"{name}.xml").read_bytes()
        except OSError as e:
            raise SendError(unread(name, e.strerror)) from e

    def _publish(self, name: str, delivery: Delivery, route: Route) -> None:
        try:
            body = build(self._district, delivery, route, self._earlier(delivery))
        except ValueError as e:
            raise SendError(text_of(e), permanent=True) from e
        body = self._sign(body)
        self._write(f"{name}.xml", body)
        self._published[name] = read_reference(body)

    def _earlier(self, delivery: Delivery) -> list[Reference]:
        """Published messages of earlier versions of this alert."""
        stem = identifier(self._district, delivery).rpartition("-")[0]
        names = [f"{stem}-{version}" for version in range(1, delivery.version)]
        return [self._published[n][0] for n in names if n in self._published]

    def _write(self, name: str, body: bytes) -> None:
        try:
            write_file(self._folder / name, body, SHARED)
        except OSError as e:
            raise SendError(unwritten(name, e.strerror)) from e
