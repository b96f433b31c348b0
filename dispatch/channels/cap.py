"""CAP 1.2 messages for other systems: one validated XML file a warning version, and the feed.

`accepted` means that the file and the feed are on disk. A version that is there already is left as
it is: what was published does not change.
"""

import threading
from pathlib import Path

from config.district import District
from dispatch.alert import Delivery, Route
from dispatch.cap_feed import FEED, feed, write_file
from dispatch.cap_xml import Reference, build, identifier, read_reference
from dispatch.channels import SendError, Told


class Cap:
    """folder: where the files go; those of a former process are found there."""

    def __init__(self, district: District, folder: Path) -> None:
        self._district = district
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._published: dict[str, tuple[Reference, str]] = {}
        for file in sorted(folder.glob("*.xml")):
            try:
                self._published[file.stem] = read_reference(file.read_bytes())
            except ValueError:
                continue  # not a message of ours: it is not published, and warnings go on

    def send(self, delivery: Delivery, route: Route, key: str) -> Told:
        name = identifier(self._district, delivery)
        with self._lock:
            if name not in self._published:
                self._publish(name, delivery, route)
            self._write(FEED, feed(self._district, self._published.values()))
        return Told("accepted", name)

    def _publish(self, name: str, delivery: Delivery, route: Route) -> None:
        try:
            body = build(self._district, delivery, route, self._earlier(delivery))
        except ValueError as e:
            raise SendError(str(e), permanent=True) from e
        self._write(f"{name}.xml", body)
        self._published[name] = read_reference(body)

    def _earlier(self, delivery: Delivery) -> list[Reference]:
        """Published messages of earlier versions of this alert."""
        stem = identifier(self._district, delivery).rpartition("-")[0]
        names = [f"{stem}-{version}" for version in range(1, delivery.version)]
        return [self._published[n][0] for n in names if n in self._published]

    def _write(self, name: str, body: bytes) -> None:
        try:
            write_file(self._folder / name, body)
        except OSError as e:
            raise SendError(f"{name}: {e.strerror}") from e
