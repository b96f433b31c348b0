"""kafka-python's clients, which end when they cannot begin.

Its constructors start a thread and ask the servers for their metadata. Where no server answers they
raise, and the thread with its sockets goes on as long as the process (3.0.12): one more at each try
of a stage that waits for its server.
"""

from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer

_END_MS = 5_000


class Admin(KafkaAdminClient):  # type: ignore[misc]
    """See `KafkaAdminClient`."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except BaseException:
            _end(self)
            raise


class Reader(KafkaConsumer):  # type: ignore[misc]
    """See `KafkaConsumer`."""

    def __init__(self, *topics: str, **options: Any) -> None:
        try:
            super().__init__(*topics, **options)
        except BaseException:
            _end(self)
            raise


def _end(client: Any) -> None:
    """The thread of a client that did not begin."""
    if (net := getattr(client, "_net", None)) is not None:
        net.stop(timeout_ms=_END_MS)
