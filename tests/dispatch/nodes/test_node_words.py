"""What the duty room reads of a loudspeaker's answer is one language at a time."""

import re
from typing import Any, get_args

import msgspec
import pytest

from config.language import Said, en, zh
from dispatch.channels.status_words import NODE
from dispatch.nodes.protocol import NodeAck, Refusal
from dispatch.records import Receipt
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import Box
from dispatch.send.receipts import Receipts
from stream.mqtt.client import Message
from stream.records import decode
from tests.support.outbox import RULES, T0, delivery, routes


def told(**said: Any) -> Said:
    """The detail of the receipt that an answer becomes. said: fields of the answer, as they stand on
    the wire."""
    box = Box()
    apply(RULES, box, delivery(recipient="N001", routes=routes("loudspeaker")))
    (key,) = box.keys
    payload = msgspec.json.encode({"node": "N001", "id": key, "at": T0, **said})
    receipts = Receipts("p", False, lambda: T0)
    (out,) = receipts.records(box, [Message("p/node/N001/ack", payload, 1, 1)])
    receipt = decode(msgspec.json.Decoder(Receipt).decode, out.value)
    assert isinstance(receipt, Receipt), out
    return receipt.detail


@pytest.mark.parametrize("code", get_args(Refusal))
def test_a_refusals_code_is_worded_by_the_county(code: str) -> None:
    said = told(state="refused", detail=code)
    assert not re.search("[a-z]", zh(said)), said
    assert re.search("[a-z]", en(said)) and not re.search("[\u4e00-\u9fff]", en(said)), said


@pytest.mark.parametrize("state", sorted(set(NODE) - {"refused"}))
def test_what_a_box_says_in_both_is_shown_in_one(state: str) -> None:
    said = told(state=state, detail="8.1 秒，线路 0.31", detail_en="8.1 s, line 0.31", battery=88.0)
    assert zh(said).endswith("8.1 秒，线路 0.31，电量 88 %") and state not in zh(said), said
    assert en(said).endswith("8.1 s, line 0.31, battery 88 %"), said
    assert not re.search("[\u4e00-\u9fff]", en(said)), said


def test_a_box_that_was_installed_years_ago_has_one_text_for_both() -> None:
    said = told(state="failed", detail="播放器出错：3")
    assert "播放器出错：3" in zh(said) and "播放器出错：3" in en(said)
    old = msgspec.json.decode(
        b'{"node":"N001","id":"k","state":"played","at":1,"detail":"x"}', type=NodeAck
    )
    assert old.detail_en == ""
