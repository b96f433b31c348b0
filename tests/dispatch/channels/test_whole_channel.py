"""A channel is whole or `check` refuses it: half of one would send by other ways instead, or besides."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from config.records.channels import ADDRESS_COLUMN, Carrier
from dispatch.channels import declared
from dispatch.channels.status_words import FINAL
from dispatch.words.channel_names import CHANNEL_WORDS
from fengsui.run.setup import default_config

ROOT = Path(__file__).parents[3]


def test_every_channel_of_today_is_whole() -> None:
    assert list(declared.half_made()) == []


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (ADDRESS_COLUMN, "ADDRESS_COLUMN"),
        (declared._KINDS, "_KINDS"),
        (FINAL, "FINAL"),
        (CHANNEL_WORDS, "CHANNEL_WORDS"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_one_that_a_table_lacks_is_refused_and_the_table_named(
    table: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = load(default_config())
    monkeypatch.delitem(table, "email")
    found = [p for p in declared.problems(district) if p.column == "email"]
    assert len(found) == 1
    assert found[0].hint.endswith(name)


def test_one_that_has_only_an_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    district = load(default_config())
    monkeypatch.setitem(ADDRESS_COLUMN, "semaphore", "id")
    hints = " ".join(p.hint for p in declared.problems(district) if p.column == "semaphore")
    for place in ("Carrier.channel", "_KINDS", "FINAL", "PROOFS", "CHANNEL_WORDS"):
        assert place in hints


@pytest.mark.parametrize(
    ("table", "name", "place"),
    [(declared._KINDS, "email", "_KINDS"), (declared._SCHEMES, "smtp", "_SCHEMES")],
)
def test_a_row_of_a_channel_that_is_half_made_ends_no_check(
    table: dict[str, Any], name: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = load(default_config())
    row = Carrier(
        name="m", channel="email", kind="smtp", url="smtp://127.0.0.1:25", sender="a@b.example"
    )
    channels = msgspec.structs.replace(district.channels, carrier=(row,))
    asked = msgspec.structs.replace(district, channels=channels)
    assert declared.problems(asked) == []
    monkeypatch.delitem(table, name)
    assert any(p.hint.endswith(place) for p in declared.problems(asked))


def test_the_pages_have_a_name_for_each() -> None:
    text = (ROOT / "console" / "static" / "tables.js").read_text("utf-8")
    line = next(x for x in text.splitlines() if x.startswith("export const CHANNEL"))
    assert set(re.findall(r"(\w+): \[", line)) == set(FINAL) == set(CHANNEL_WORDS)
