"""The source of another revision of this tree, to be measured beside it."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from config.language import Text
from stream.environment import Usage

T = TypeVar("T")
TREE = Path(__file__).parents[2]


def tree_of(revision: str, folder: Path) -> Path:
    """The source of a revision, under `folder`. Raises `Usage`."""
    git = ["git", "-C", str(TREE), "archive", "--format=tar", revision]
    done = subprocess.run(git, capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip()
        what = Text("取不到这一版：", "that revision cannot be had: ")
        raise Usage(f"--against {revision!r}: " + what + words)
    tree = folder / "tree"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(tree, filter="data")
    return tree


def of_tree(tree: Path, program: str, *words: str) -> Any:
    """What a program of bench/load prints as JSON, in a process that has the source of `tree`. Raises
    RuntimeError with what it said last."""
    command = [sys.executable, "-P", str(TREE / "bench" / "load" / program), str(tree), *words]
    env = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tree, env=env, check=False)
    if done.returncode:
        raise RuntimeError(f"{tree.name}: {done.stderr[-1500:]}")
    return json.loads(done.stdout)


def in_turns(turn: Callable[[Path], T], there: Path, rounds: int) -> list[tuple[T, T]]:
    """Of this tree and of the one `there`, a pair each round; who begins changes."""
    pairs = []
    for n in range(rounds):
        order = (TREE, there) if n % 2 else (there, TREE)
        took = {tree: turn(tree) for tree in order}
        pairs.append((took[TREE], took[there]))
    return pairs
