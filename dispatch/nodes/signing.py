"""Ed25519 keys that sign. Working one out from its 32 bytes costs more than a signature: the last few stay."""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@lru_cache(maxsize=4)
def signer(private: bytes) -> Ed25519PrivateKey:
    """Of 32 raw bytes. Raises ValueError."""
    return Ed25519PrivateKey.from_private_bytes(private)


@lru_cache(maxsize=4)
def public_half(private: bytes) -> bytes:
    """32 raw bytes. Raises ValueError."""
    return signer(private).public_key().public_bytes_raw()
