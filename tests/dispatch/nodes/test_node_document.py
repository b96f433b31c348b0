"""docs/nodes.md against the program: its test vectors, its topics, its words."""

from pathlib import Path
from typing import get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from config.records.level import Action, Level
from config.records.quantity import OF_NODES
from dispatch.nodes.judgement import PLAY_MS, RED_FLOOR
from dispatch.nodes.protocol import (
    MAX_BYTES,
    Beacon,
    Clause,
    Command,
    Hello,
    KeySet,
    Mandate,
    NodeAck,
    NodeReport,
    Noted,
    Refusal,
    SelfTest,
    TrustedKey,
    sign,
)
from dispatch.nodes.seal import seal, unsealed
from tests.support.node_hands import public_of

DOCUMENT = (Path(__file__).parents[3] / "docs" / "nodes.md").read_text("utf-8")
ROOT, SENDER, BOX, ONCE = (bytes([n]) * 32 for n in (1, 2, 3, 4))


def vectors() -> dict[str, str]:
    """What stands in the document, made by the program."""
    keys = KeySet(kind="live", version=1, issued_at=0, keys=(TrustedKey(public=public_of(SENDER)),))
    command = Command(
        id="k1", node="N001", alert="x", version=1, area="A01", level=Level.RED,
        action=Action.MOVE, msg_type="alert", kind="live", text="立即转移", repeat=2, volume=90,
        issued_at=1_784_635_200_000, expires_at=1_784_638_800_000,
    )  # fmt: skip
    beacon = Beacon(kind="live", beacon_at=1_784_635_200_000, nonce="0a0b0c0d0e0f0001")
    box = X25519PrivateKey.from_private_bytes(BOX).public_key().public_bytes_raw()
    return {
        "root": public_of(ROOT),
        "sender": public_of(SENDER),
        "box": box.hex(),
        "keys": sign(ROOT, keys).decode(),
        "command": sign(SENDER, command).decode(),
        "beacon": sign(SENDER, beacon).decode(),
        "sealed": seal(box, "N001", sign(SENDER, beacon), ONCE).decode(),
    }


def test_the_vectors_are_the_programs() -> None:
    for name, text in vectors().items():
        assert text in DOCUMENT, f"{name}: docs/nodes.md has another: {text}"
    beacon, sealed = vectors()["beacon"].encode(), vectors()["sealed"].encode()
    assert unsealed(BOX, "N001", sealed) == beacon


def test_every_field_word_and_limit_is_in_the_document() -> None:
    forms = (Beacon, Clause, Command, Hello, KeySet, Mandate, NodeAck, Noted, NodeReport, SelfTest)
    names = {f.name for form in (*forms, TrustedKey) for f in msgspec.structs.fields(form)}
    words = {*names, *get_args(Refusal), *OF_NODES}
    missing = sorted(w for w in words if f"`{w}`" not in DOCUMENT)
    assert not missing
    for number in (MAX_BYTES, PLAY_MS // 1000, RED_FLOOR):
        assert f"{number:,}" in DOCUMENT or str(number) in DOCUMENT
