"""The rooms of the source tree as a table of docs/architecture.md: one line each, from what the room's
`__init__` says of itself. `python -m tests.support.rooms` writes the table anew."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
_HEAD = (
    "| 房间 room | 里面有什么，改它要注意什么 what belongs there, and what to mind when it is touched |\n"
    "|---|---|\n"
)
_ROW = re.compile(r"^\| `[a-z_/]+/` \| .* \|\n", re.MULTILINE)


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
    """The same rows as they stand on the page."""
    return "".join(_ROW.findall(PAGE.read_text("utf-8").partition(_HEAD)[2]))


if __name__ == "__main__":
    before, head, after = PAGE.read_text("utf-8").partition(_HEAD)
    PAGE.write_text(before + head + rooms() + _ROW.sub("", after), "utf-8")
