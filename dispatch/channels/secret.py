"""Passwords, tokens and keys of carriers: the district's folder says where they are, never what."""

import os
from collections.abc import Mapping
from pathlib import Path


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
            raise ValueError(f"环境变量未设 the environment variable {place} is not set")
        return found
    if kind != "file":
        raise ValueError("密钥写成 a secret is written as env:NAME or file:/PATH")
    try:
        found = Path(place).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise ValueError(f"读不了密钥文件 cannot read {place}: {type(e).__name__}") from None
    if not found:
        raise ValueError(f"密钥文件为空 {place} is empty")
    return found
