"""What the environment says to a process: secrets that stand in no file, and what is wrong with how a
program was called."""

import os
from pathlib import Path


class Usage(Exception):
    """The person asked for something that cannot be done; the text says what to do instead."""


def secret(variable: str) -> str:
    """A setting that may hold a password: from the environment, or from the file that VARIABLE_FILE
    names. Raises `Usage`."""
    path = os.environ.get(f"{variable}_FILE", "")
    if not path:
        return os.environ.get(variable, "")
    try:
        found = Path(path).read_text().strip()
    except OSError as e:
        raise Usage(f"{variable}_FILE={path}: 读不到 cannot be read: {e.strerror}") from e
    if not found:
        raise Usage(f"{variable}_FILE={path}: 是空的 is empty")
    return found
