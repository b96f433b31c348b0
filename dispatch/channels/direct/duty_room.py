"""Notices for the duty room: a line on its screen and in a file that outlives the screen."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from dispatch.channels import SendError, SendResult, unwritten
from dispatch.records import Delivery, Route
from stream.disk.files import append
from stream.environment import spoken


class Console:
    """show: called with each line, or None. file: JSON lines, one a notice."""

    def __init__(self, file: Path, show: Callable[[str], None] | None = None) -> None:
        self._file = file
        self._show = show
        self._lock = threading.Lock()

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        """`delivered` once the line is on disk, with or without a screen."""
        title, text = spoken(route.title), spoken(route.text)
        row = {
            "key": key,
            "queued_at": delivery.queued_at,
            "status": delivery.status,
            "alert": delivery.alert,
            "version": delivery.version,
            "area": delivery.area,
            "recipient": delivery.recipient,
            "title": title,
            "text": text,
        }
        line = msgspec.json.encode(row) + b"\n"
        try:
            with self._lock:
                append(self._file, line)
        except OSError as e:
            raise SendError(unwritten(self._file.name, e.strerror)) from e
        if self._show is not None:
            self._show(f"{title} {text}".strip())
        return SendResult("delivered")
