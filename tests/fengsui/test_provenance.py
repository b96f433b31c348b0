"""What somebody else made of a statement of provenance, or of a key, is refused in words, whatever it is."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fengsui.files.provenance import (
    PREDICATE,
    STATEMENT,
    TYPE,
    Wrong,
    commit_of,
    opened,
    spoken_for,
)

_KEY = Ed25519PrivateKey.generate()
_PEM = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
_DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
# a key of a kind that nobody knows (OID 1.2.3.4)
_ODD = b"-----BEGIN PUBLIC KEY-----\nMAwwBwYDKgMEBQADAQA=\n-----END PUBLIC KEY-----\n"


def signed(payload: bytes) -> bytes:
    sig = base64.b64encode(_KEY.sign(spoken_for(TYPE, payload))).decode()
    body = base64.b64encode(payload).decode()
    signatures = [{"keyid": "", "sig": sig}]
    return json.dumps({"payloadType": TYPE, "payload": body, "signatures": signatures}).encode()


@pytest.mark.parametrize(
    ("body", "pem"),
    [
        (_DEEP, _PEM),
        (b'{"payloadType":"\xff"}', _PEM),
        (signed(b"{}"), _ODD),
        (signed(b"{}"), b""),
        (signed(_DEEP), _PEM),
        (signed(b'{"_type":"\xff"}'), _PEM),
        (b"", _PEM),
    ],
    ids=["deep", "not UTF-8", "odd key", "no key", "signed deep", "signed not UTF-8", "empty"],
)
def test_it_is_refused_in_words(body: bytes, pem: bytes) -> None:
    with pytest.raises(Wrong):
        opened(body, pem)


@pytest.mark.parametrize("built", [[], None, "x", {"externalParameters": [1]}])
def test_a_statement_that_names_no_commit_says_so(built: object) -> None:
    said = {
        "_type": STATEMENT, "subject": [], "predicateType": PREDICATE, "predicate": {"buildDefinition": built}
    }  # fmt: skip
    assert commit_of(opened(signed(json.dumps(said).encode()), _PEM)) == "?"
