"""How far a group is behind."""

from stream.log.port import Log


def unread(log: Log, topic: str, group: str) -> int:
    """Records of a topic that the group has not read. Raises Unavailable."""
    return sum(unread_by_partition(log, topic, group))


def unread_by_partition(log: Log, topic: str, group: str) -> list[int]:
    """The same, a partition each. A log may have an offset without a record, as Kafka's markers of transactions
    are: where nothing but those is left, nothing is. Else it is at most so many. Raises Unavailable."""
    found = []
    places = zip(log.ends(topic), log.positions(topic, group), strict=True)
    for partition, (end, at) in enumerate(places):
        some = at < end and log.read(topic, partition, at, 1)
        found.append(end - at if some else 0)
    return found
