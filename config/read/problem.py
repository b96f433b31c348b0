"""What is wrong in a district's folder: file, row, column, and what to do."""

from typing import NamedTuple


class Problem(NamedTuple):
    """A fault in a district's folder: where it is, what is wrong, what to do."""

    file: str
    row: int  # 1 is the header; 0 where rows make no sense
    column: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = self.file + (f":{self.row}" if self.row else "")
        where += f":{self.column}" if self.column else ""
        return f"{where}: {self.message}" + (f" — {self.hint}" if self.hint else "")


def problem(file: str, row: int, column: str, message: str, hint: str = "") -> Problem:
    return Problem(file, row, column, message, hint)
