"""A message that only one node can read. Pure: the one-time key comes from the caller.

X25519 with a one-time key, HKDF-SHA256, ChaCha20-Poly1305 (RFC 7748, 5869, 8439), as in ECIES. What
is sealed is a whole signed message, so that a seal gives secrecy and nothing else: who speaks is
still proved by the signature inside. On the wire: `{"sealed": HEX}`, 32 bytes of the one-time public
key and the sealed bytes. A one-time key makes every derived key new, so the nonce is twelve zeros.
"""

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stream.limits import Unreadable, read_json

_NONCE = bytes(12)
_LIMIT = 40_000  # hex of the largest message, and the seal


class _Sealed(msgspec.Struct, frozen=True):
    sealed: str


_sealed = msgspec.json.Decoder(_Sealed)


def seal(node_public: bytes, node: str, message: bytes, one_time: bytes) -> bytes:
    """`message` for `node`, whose X25519 key is `node_public`. one_time: 32 random bytes, never
    used again. Raises ValueError if `node_public` is no key."""
    private = X25519PrivateKey.from_private_bytes(one_time)
    public = private.public_key().public_bytes_raw()
    shared = private.exchange(X25519PublicKey.from_public_bytes(node_public))
    key = _key(shared, public + node_public)
    box = ChaCha20Poly1305(key).encrypt(_NONCE, message, node.encode())
    return msgspec.json.encode(_Sealed((public + box).hex()))


def unsealed(node_private: bytes, node: str, payload: bytes) -> bytes | None:
    """The message inside; the payload itself if it is not sealed; None if it is sealed for somebody
    else or broken."""
    if not payload.startswith(b'{"sealed":') or len(payload) > _LIMIT:
        return payload
    try:
        box = bytes.fromhex(read_json(payload, _sealed, _LIMIT).sealed)
        private = X25519PrivateKey.from_private_bytes(node_private)
        public = private.public_key().public_bytes_raw()
        shared = private.exchange(X25519PublicKey.from_public_bytes(box[:32]))
        key = _key(shared, box[:32] + public)
        return ChaCha20Poly1305(key).decrypt(_NONCE, box[32:], node.encode())
    except (Unreadable, ValueError, InvalidTag):
        return None


def _key(shared: bytes, context: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"fengsui seal 1\n" + context).derive(shared)
