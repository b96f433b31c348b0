"""A signed message as it goes to one node."""

import os

from config.records.district import Node
from dispatch.channels import SendError
from dispatch.nodes.seal import seal


def addressed(node: Node, payload: bytes) -> bytes:
    """A signed message as it goes to this node: sealed where nodes.csv names its key. Raises
    SendError."""
    if not node.box_key:
        return payload
    try:
        return seal(bytes.fromhex(node.box_key), node.id, payload, os.urandom(32))
    except ValueError as e:
        raise SendError(f"终端密钥不对 nodes.csv: {node.id}: box_key: {e}", permanent=True) from e
