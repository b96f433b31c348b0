"""The source of another revision of this tree, to be measured beside it."""

import io
import subprocess
import tarfile
from pathlib import Path

from config.language import Text
from stream.environment import Usage

_TREE = Path(__file__).parents[2]


def tree_of(revision: str, folder: Path) -> Path:
    """The source of a revision, under `folder`. Raises `Usage`."""
    git = ["git", "-C", str(_TREE), "archive", "--format=tar", revision]
    done = subprocess.run(git, capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip()
        what = Text("取不到这一版：", "that revision cannot be had: ")
        raise Usage(f"--against {revision!r}: " + what + words)
    tree = folder / "tree"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(tree, filter="data")
    return tree
