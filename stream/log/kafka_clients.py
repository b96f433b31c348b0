"""kafka-python's clients, which end when they cannot begin.

Its constructors start a thread and ask the servers for their metadata. Where no server answers they
raise, and the thread with its sockets goes on as long as the process (3.0.12): one more at each try
of a stage that waits for its server.
"""

from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer
from kafka import errors as ke

from stream.log.port import Owners

_END_MS = 5_000


class Admin(KafkaAdminClient):  # type: ignore[misc]
    """See `KafkaAdminClient`."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except BaseException:
            _end(self)
            raise

    def owners(self, group_id: str, topic: str, partitions: int) -> Owners:
        """Who has which partition of the topic, by Kafka's names. A broker tells of nobody while it hands
        partitions out, and does not know since when one is nobody's. Raises KafkaError."""
        found = self.describe_groups([group_id])[group_id]
        if found["error"] and found["group_state"] != "Dead":  # what nobody has joined yet is dead
            raise ke.KafkaError(found["error"])
        held, standby = [""] * partitions, []
        for member in found["members"]:
            own = member["member_id"].removeprefix(f"{member['client_id']}-")[:8]
            who = "/".join((member["client_id"], member["client_host"].lstrip("/"), own))
            parts = _parts(member["member_assignment"], topic)
            for part in parts:
                held[part] = who
            if not parts:
                standby.append(who)
        moving = found["group_state"] not in ("Stable", "Empty", "Dead")
        return Owners(tuple(held), tuple(sorted(standby)), moving=moving)


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


def _parts(assignment: Any, topic: str) -> list[int]:
    """The partitions of a topic in a member's share, which is empty before it was given one."""
    return [p for of in (assignment or {}).get("assigned_partitions", ()) if of["topic"] == topic
            for p in of["partitions"]]  # fmt: skip
