"""The rooms of the source tree as a table of docs/en/architecture.md: one line each, from what the room's
`__init__` says of itself. `python -m tests.support.rooms` writes the table anew. Docstrings are English, so
the Chinese page has the same rows in words of its own: a new room gets one that asks to be written."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "en" / "architecture.md"
CHINESE = ROOT / "docs" / "architecture.md"
_HEAD = "| Room | What belongs there, and what to mind when it is touched |\n|---|---|\n"
_HEAD_ZH = "| 房间 | 里面有什么，改它要注意什么 |\n|---|---|\n"
_ROW = re.compile(r"^\| `([a-z_/]+)/` \| (.*) \|\n", re.MULTILINE)
TO_WRITE = "（待写）"


def rooms() -> str:
    """Every folder two deep, and the first paragraph of its docstring, as rows of Markdown."""
    rows = []
    for path in sorted((*ROOT.glob("[a-z]*/__init__.py"), *ROOT.glob("[a-z]*/*/__init__.py"))):
        name = path.parent.relative_to(ROOT).as_posix()
        if name.split("/")[0] != "tests" and "node_modules" not in name:
            said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            words = " ".join(said.split("\n\n")[0].split())
            rows.append(f"| `{name}/` | {words} |\n")
    return "".join(rows)


def written() -> str:
    """The same rows as they stand on the English page."""
    return "".join(row[0] for row in _ROW.finditer(PAGE.read_text("utf-8").partition(_HEAD)[2]))


def chinese() -> dict[str, str]:
    """What the Chinese page says of each room, in its order."""
    return dict(_ROW.findall(CHINESE.read_text("utf-8").partition(_HEAD_ZH)[2]))


def _lay(page: Path, head: str, rows: str) -> None:
    before, head, after = page.read_text("utf-8").partition(head)
    page.write_text(before + head + rows + _ROW.sub("", after), "utf-8")


if __name__ == "__main__":
    said = chinese()
    names = [name for name, _ in _ROW.findall(rooms())]
    _lay(PAGE, _HEAD, rooms())
    _lay(CHINESE, _HEAD_ZH, "".join(f"| `{n}/` | {said.get(n, TO_WRITE)} |\n" for n in names))
