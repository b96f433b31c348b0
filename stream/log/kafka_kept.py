"""What Kafka really has of a record when it says that it has it, asked of the brokers, and made so.

A broker acknowledges from its page cache: with one copy a loss of power takes everything back that it
had not written by itself. `flush.messages=1` has it sync each append before it answers (`flush.ms`
alone does nothing: who looks at it is the broker's scheduler, by default never). It must stand on three
kinds of topics or it promises nothing: on ours; on `__transaction_state`, for a commit is answered when it
stands there, before the topics know of it; and on `__consumer_offsets`, for a position that went back
has the records after it done twice. On all of ours alike: were readings lost and positions kept, the
readings that come next would stand at offsets that count as read.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

from kafka import errors as ke
from kafka.admin import ConfigResource, ConfigResourceType

from stream.log.kafka_clients import Admin
from stream.log.kafka_url import INTERNAL, kafka_place
from stream.log.port import Kept

COPIES = 3  # so many on machines of their own need not sync
SYNCED = {"flush.messages": "1"}
_ASKED = ("flush.messages", "min.insync.replicas")
_MADE_S = 20.0


def kept(admin: Any, topics: Collection[str]) -> Kept:
    """Of these topics and Kafka's own. Raises KafkaError."""
    there = [t for t in (*topics, *INTERNAL) if t in set(admin.list_topics())]
    if not there:
        return Kept(0, 0, unknown=tuple(topics))
    copies = min(
        len(part["replica_nodes"])
        for topic in admin.describe_topics(there)
        for part in topic["partitions"]
    )
    settings = _settings(admin, there)
    told = [t for t in there if len(settings[t]) == len(_ASKED)]
    return Kept(
        copies,
        min((int(settings[t]["min.insync.replicas"]) for t in told), default=0),
        tuple(t for t in told if settings[t]["flush.messages"] != "1"),
        tuple(t for t in (*topics, *INTERNAL) if t not in told),
    )


def kept_at(url: str, prefix: str) -> Kept | None:
    """Of the topics that begin so; None where there are none yet. It makes nothing. Raises KafkaError and
    OSError."""
    admin = Admin(**kafka_place(url).options)
    try:
        ours = [t for t in admin.list_topics() if t.startswith(prefix)]
        return kept(admin, ours) if ours else None
    finally:
        admin.close()


def _settings(admin: Any, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Their values, a broker's default among them; none of a topic whose settings we may not see."""
    asked = [
        ConfigResource(ConfigResourceType.TOPIC, topic, dict.fromkeys(_ASKED)) for topic in topics
    ]
    found = admin.describe_configs(asked, config_filter="all").get("topic", {})
    return {t: {k: v["value"] for k, v in found.get(t, {}).items()} for t in topics}


def sync(admin: Any, topics: Collection[str]) -> None:
    """Each append to these and to Kafka's own is on a disk before it is acknowledged; Kafka's own
    are waited for, which a new broker makes when they are first asked for. What we have no right to is
    left as it is: `kept` tells. Raises KafkaError."""
    _have_made(admin)
    set_flush(admin, dict.fromkeys((*topics, *INTERNAL), SYNCED["flush.messages"]))


def flush_of(admin: Any, topics: Iterable[str]) -> dict[str, str]:
    """`flush.messages` of these, a broker's default among them. Raises KafkaError."""
    found = _settings(admin, topics)
    return {t: values["flush.messages"] for t, values in found.items() if values}


def set_flush(admin: Any, values: Mapping[str, str]) -> None:
    """topic -> `flush.messages`. Raises KafkaError."""
    set_configs(admin, "flush.messages", values)


def set_configs(admin: Any, name: str, values: Mapping[str, str]) -> None:
    """topic -> its setting of that name. Raises KafkaError."""
    wanted = [
        ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})
        for topic, value in values.items()
    ]
    admin.alter_configs(wanted, raise_on_unknown=False)


def unset(admin: Any, name: str, values: Mapping[str, str]) -> list[str]:
    """Of these the topics whose setting of that name is still another, or may not be seen by this user: a
    broker that refuses a change does not always say so. It is waited for. Raises KafkaError."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, t, {name: None}) for t in values]
    until = time.monotonic() + _MADE_S
    while True:
        found = admin.describe_configs(asked, config_filter="all").get("topic", {})
        held = {t: found.get(t, {}).get(name, {}).get("value") for t in values}
        left = [t for t, v in values.items() if held[t] != v]
        if not left or not any(held.values()) or time.monotonic() > until:
            return left
        time.sleep(0.2)


def _have_made(admin: Any) -> None:
    """Whoever asks for a coordinator has its topic made."""
    until = time.monotonic() + _MADE_S
    while not set(INTERNAL) <= set(admin.list_topics()) and time.monotonic() < until:
        with suppress(ke.KafkaError):
            admin.list_group_offsets("fengsui")
        with suppress(ke.KafkaError):
            admin.describe_transactions(["fengsui"])
        time.sleep(0.1)
