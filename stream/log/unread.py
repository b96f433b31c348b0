"""How far a group is behind."""

from stream.log.port import Log


def unread(log: Log, topic: str, group: str) -> int:
    """Records of a topic that the group has not read. A log may have an offset without a record, as Kafka's
    markers of transactions are: where nothing but those is left, nothing is. Else it is at most so many.
    Raises Unavailable."""
    found = 0
    places = zip(log.ends(topic), log.positions(topic, group), strict=True)
    for partition, (end, at) in enumerate(places):
        if at < end and log.read(topic, partition, at, 1):
            found += end - at
    return found
