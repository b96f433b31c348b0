"""Signed commands: a node obeys what was signed for it, once, in time, and nothing else."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from dispatch.nodes.protocol import MAX_BYTES, Command, Envelope, Refused, judged, opened, sign
from tests.support.examples import examples

KEY = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw()
COMMAND = Command(
    id="k1",
    node="N001",
    alert="x",
    version=2,
    area="A01",
    level=Level.RED,
    action=Action.MOVE,
    msg_type="update",
    kind="exercise",
    text="（演练）立即转移",
    repeat=5,
    volume=100,
    issued_at=1000,
    expires_at=2000,
)


def heard(payload: bytes, **changes: Any) -> Command | Refused:
    kind = changes.pop("kind", "exercise")
    found = opened(payload, Command, kind, [changes.pop("public", PUBLIC)])
    if isinstance(found, Refused):
        return found
    known: dict[str, Any] = {"node": "N001", "now_at": 1500, "seen": set(), "highest_version": {}}
    reason = judged(found, **{**known, **changes})
    return Refused(reason, found) if reason else found


def test_a_signed_command_is_obeyed() -> None:
    assert heard(sign(KEY, COMMAND)) == COMMAND
    assert sign(KEY, COMMAND) == sign(KEY, COMMAND)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"node": "N002"}, "wrong_node"),
        ({"kind": "live"}, "wrong_kind"),
        ({"now_at": 2000}, "expired"),
        ({"seen": {"k1"}}, "seen"),
        ({"seen": {"k1"}, "now_at": 9000}, "seen"),  # it may still tell what became of it
        ({"highest_version": {"x": 3}}, "older_version"),
        ({"public": Ed25519PrivateKey.generate().public_key().public_bytes_raw()}, "bad_signature"),
    ],
)
def test_what_is_not_obeyed(changes: dict[str, Any], reason: str) -> None:
    found = heard(sign(KEY, COMMAND), **changes)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert (found.message is None) == (reason == "bad_signature")


@pytest.mark.parametrize("highest", [{"x": 2}, {"x": 1}, {"y": 9}])
def test_the_same_or_a_lower_highest_version_is_no_reason(highest: dict[str, int]) -> None:
    assert heard(sign(KEY, COMMAND), highest_version=highest) == COMMAND


def test_a_command_cannot_be_changed_or_moved() -> None:
    envelope = msgspec.json.decode(sign(KEY, COMMAND), type=Envelope)
    for field, value in (("node", "N002"), ("text", "解除"), ("expires_at", 9000), ("version", 9)):
        other = msgspec.json.encode(msgspec.structs.replace(COMMAND, **{field: value}))
        forged = msgspec.json.encode(
            Envelope(what="command", body=msgspec.Raw(other), signature=envelope.signature)
        )
        found = heard(forged, node="N002" if field == "node" else "N001")
        assert found == Refused("bad_signature")


def test_a_signature_over_the_bare_bytes_is_no_command() -> None:
    body = msgspec.json.encode(COMMAND)
    bare = Ed25519PrivateKey.from_private_bytes(KEY).sign(body).hex()
    forged = msgspec.json.encode(Envelope(what="command", body=msgspec.Raw(body), signature=bare))
    assert heard(forged) == Refused("bad_signature")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"[]",
        b'{"what":"command","body":{},"signature":"zz"}',
        b"{" * 3000,
        b'{"what":"command","body":1,"signature":""}',
        b" " * (MAX_BYTES + 1),
    ],
)
def test_rubbish_is_refused(payload: bytes) -> None:
    found = heard(payload)
    assert isinstance(found, Refused)
    assert found.reason in ("bad_payload", "bad_signature")


@examples(200)
@given(st.integers(0, 10_000), st.integers(0, 255), st.binary(max_size=3))
def test_any_change_of_any_byte_is_noticed(place: int, value: int, more: bytes) -> None:
    payload = bytearray(sign(KEY, COMMAND))
    place %= len(payload)
    payload[place] = value
    payload[place:place] = more
    found = heard(bytes(payload))
    # outside the signed bytes a change may be mere spelling; then the command is the very same
    assert isinstance(found, Refused) or found == COMMAND


def test_signed_rubbish_is_refused() -> None:
    body = b'{"id":"k1"}'
    signature = Ed25519PrivateKey.from_private_bytes(KEY).sign(
        b"fengsui command 1 exercise\n" + body
    )
    envelope = Envelope(what="command", body=msgspec.Raw(body), signature=signature.hex())
    assert heard(msgspec.json.encode(envelope)) == Refused("bad_payload")
