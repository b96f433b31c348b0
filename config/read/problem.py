"""What is wrong in a district's folder: file, row, column, and what to do."""

from typing import NamedTuple

from config.language import Said, Text, joined


class Problem(NamedTuple):
    """A fault in a district's folder: where it is, what is wrong, what to do."""

    file: str
    row: int  # 1 is the header; 0 where rows make no sense
    column: str
    message: Said
    hint: Said = ""

    @property
    def text(self) -> Text:
        """The place, what is wrong and what to do, as one line."""
        where = self.file + (f":{self.row}" if self.row else "")
        where += f":{self.column}" if self.column else ""
        line = joined((where, self.message), ": ")
        return joined((line, self.hint), " — ") if self.hint else line

    def __str__(self) -> str:
        return str(self.text)


def problem(file: str, row: int, column: str, message: Said, hint: Said = "") -> Problem:
    return Problem(file, row, column, message, hint)


def unknown_name(name: str) -> Text:
    """A name that stands in no row."""
    return Text(f"{name!r} 不存在", f"{name!r} does not exist")


def out_of_range(value: object) -> Text:
    """A number beyond its bounds; the hint says which."""
    return Text(f"{value} 越界", f"{value} is out of range")


def stands_twice(what: object) -> Text:
    """What may stand once."""
    return Text(f"{what} 重复", f"{what} stands twice")


def no_hazard(name: str) -> Text:
    return Text(f"{name!r} 不是灾种", f"{name!r} is no hazard")
