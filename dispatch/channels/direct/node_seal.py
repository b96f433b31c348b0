"""A signed message as it goes to one node."""

import os

from config.language import Text, text_of
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
        words = Text("终端密钥不对：", "the node's key is wrong: ") + text_of(e)
        raise SendError(f"nodes.csv: {node.id}: box_key: " + words, permanent=True) from e
