"""Passwords, tokens and keys of carriers: the district's folder says where they are, never what."""

import os
from collections.abc import Mapping
from pathlib import Path

from config.language import Text


def secret(where: str, environment: Mapping[str, str] = os.environ) -> str:
    """The secret at `env:NAME` or `file:/PATH`; "" for "".

    Raises ValueError, naming the place and never what stands there.
    """
    kind, _, place = where.partition(":")
    if not where:
        return ""
    if kind == "env":
        found = environment.get(place, "")
        if not found:
            raise ValueError(
                Text(f"环境变量 {place} 未设", f"the environment variable {place} is not set")
            )
        return found
    if kind != "file":
        raise ValueError(
            Text(
                "密钥写成 env:NAME 或 file:/PATH",
                "a secret is written as env:NAME or file:/PATH",
            )
        )
    try:
        found = Path(place).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        why = type(e).__name__
        raise ValueError(
            Text(f"读不了密钥文件 {place}：{why}", f"cannot read {place}: {why}")
        ) from None
    if not found:
        raise ValueError(Text(f"密钥文件 {place} 是空的", f"{place} is empty"))
    return found
