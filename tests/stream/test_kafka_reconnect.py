"""How soon a Kafka that was away is asked again."""

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from stream.log.kafka_url import kafka_place

JAVA_S_MS = 1_000  # reconnect.backoff.max.ms of Kafka's own clients


@pytest.mark.parametrize("client", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_every_client_asks_a_broker_that_is_away_as_often_as_java_s_do(client: type) -> None:
    """kafka-python's own longest wait is half a minute, in which the line stands though the broker is back."""
    own = client.DEFAULT_CONFIG  # type: ignore[attr-defined]
    options = {**own, **kafka_place("kafka://127.0.0.1:9092").options}
    assert own["reconnect_backoff_max_ms"] > JAVA_S_MS
    assert options["reconnect_backoff_max_ms"] <= JAVA_S_MS
    assert options.keys() <= own.keys() | {"bootstrap_servers"}
