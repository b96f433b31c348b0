"""JSON Schemas of every topic's records: `python -m fengsui.files.schema > docs/records.schema.json`."""

import json
from typing import Any

import msgspec

from dispatch.ledger.chain import Entered
from dispatch.records import AlertRecord, CaseRecord, DeliveryRecord
from ingest.observation import ObservationRecord
from stream.records import DeadLetter

TOPICS: dict[str, Any] = {
    "observations": ObservationRecord,
    "dead-letters": DeadLetter,
    "cases": CaseRecord,
    "alerts": AlertRecord,
    "deliveries": DeliveryRecord,
    "ledger": Entered,
}


def schema() -> str:
    """One document: a schema a topic, and the records under $defs."""
    found, parts = msgspec.json.schema_components(
        list(TOPICS.values()), ref_template="#/$defs/{name}"
    )
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fengsui records, by topic",
        "topics": dict(zip(TOPICS, found, strict=True)),
        "$defs": parts,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
