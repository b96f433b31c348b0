"""What the environment says to a process: secrets that stand in no file of the district, and what is wrong
with how a program was called."""

import os
from collections.abc import Mapping
from pathlib import Path

from config.language import LANGUAGES, Language, Text, choose


class Usage(Exception):
    """The person asked for something that cannot be done; the text says what to do instead."""


def language() -> Language:
    """What the people at this terminal read: FENGSUI_LANG, zh, en or both; Chinese where it is not set.

    Raises `Usage`."""
    wish = os.environ.get("FENGSUI_LANG", "")
    for one in LANGUAGES:
        if wish == one:
            return one
    if wish:
        raise Usage(f"FENGSUI_LANG={wish}: zh | en | both")
    return "zh"


def spoken(said: object) -> str:
    """What is said, in the language of this terminal; in Chinese where FENGSUI_LANG names none of ours,
    since what must be said is said all the same."""
    try:
        return choose(said, language())
    except Usage:
        return choose(said, "zh")


def secret(variable: str) -> str:
    """A setting that may hold a password: from the environment, or from the file that VARIABLE_FILE
    names. Raises `Usage`."""
    path = os.environ.get(f"{variable}_FILE", "")
    if not path:
        return os.environ.get(variable, "")
    try:
        found = Path(path).read_text().strip()
    except OSError as e:
        raise Usage(
            Text(
                f"{variable}_FILE={path}: 读不到：{e.strerror}",
                f"{variable}_FILE={path}: cannot be read: {e.strerror}",
            )
        ) from e
    if not found:
        raise Usage(Text(f"{variable}_FILE={path}: 是空的", f"{variable}_FILE={path}: is empty"))
    return found


def secret_at(where: str, environment: Mapping[str, str] = os.environ) -> str:
    """A password, token or key of a carrier or a device: the district's folder says where it is, `env:NAME`
    or `file:/PATH`, never what. "" for "".

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
