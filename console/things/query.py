"""Query options of SensorThings 1.1 (OGC 18-088, section 9.3, after OData 4.0): $filter, $orderby, $top, $skip,
$count, $select, $expand with options of its own. Whatever else is asked is refused by its name."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from config.language import Text
from console.things.filters import Expression, parse

TOP, MOST_TOP = 100, 1000
_LONGEST = 4000  # signs of one option
_DEEPEST = 5  # of $expand
_MOST = 10**9
_NAME = re.compile(r"@?[A-Za-z_][A-Za-z0-9_.@]*(?:/[A-Za-z_@][A-Za-z0-9_.@]*)*")
# OData and SensorThings have them, and we do not
_LATER = (
    "$search",
    "$apply",
    "$compute",
    "$resultFormat",
    "$format",
    "$skiptoken",
    "$levels",
    "$skipfilter",
)


class Unanswered(Exception):
    """status: of HTTP. words: what is wrong, with the name of the option."""

    def __init__(self, status: int, words: Text) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Query(NamedTuple):
    """What is asked of a set. select: (): everything. expand: navigation -> what is asked of it."""

    top: int = TOP
    skip: int = 0
    counted: bool = False
    order: tuple[tuple[str, bool], ...] = ()  # (path, descending)
    select: tuple[str, ...] = ()
    filter: Expression | None = None
    expand: tuple[tuple[str, "Query"], ...] = ()
    given: tuple[tuple[str, str], ...] = ()  # as it came, for the link to the next page


def query(options: Iterable[tuple[str, str]], depth: int = 0) -> Query:
    """Raises Unanswered."""
    found = Query()
    seen: set[str] = set()
    for name, value in options:
        key = name.strip()
        if key in seen:
            raise Unanswered(400, Text(f"{key} 写了两次", f"{key} stands twice"))
        if len(value) > _LONGEST:
            raise Unanswered(400, Text(f"{key} 太长", f"{key} is too long"))
        seen.add(key)
        found = _with(found, key, value.strip(), depth)
        found = found._replace(given=(*found.given, (key, value)))
    return found


def _with(found: Query, key: str, value: str, depth: int) -> Query:
    match key:
        case "$top":
            return found._replace(top=min(_whole(key, value), MOST_TOP))
        case "$skip":
            return found._replace(skip=_whole(key, value))
        case "$count":
            if value.lower() not in ("true", "false"):
                raise Unanswered(400, Text("$count 应为 true 或 false", "$count is true or false"))
            return found._replace(counted=value.lower() == "true")
        case "$orderby":
            return found._replace(order=tuple(_order(value)))
        case "$select":
            names = tuple(n.strip() for n in value.split(","))
            if any(not _NAME.fullmatch(n) for n in names):
                raise Unanswered(
                    400, Text(f"$select 不能用 {value[:60]!r}", f"$select: {value[:60]!r}")
                )
            return found._replace(select=names)
        case "$filter":
            return found._replace(filter=_filter(value))
        case "$expand":
            return found._replace(expand=tuple(_expand(value, depth + 1)))
    if key in _LATER:
        raise Unanswered(501, Text(f"没有做 {key}", f"{key} is not built here"))
    known, shown = "$filter, $orderby, $top, $skip, $count, $select, $expand", repr(key[:60])
    words = f"不认识选项 {shown}；有 {known}", f"unknown option {shown}; there are {known}"
    raise Unanswered(400, Text(*words))


def _whole(key: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Unanswered(
            400, Text(f"{key} 应为非负整数", f"{key} must be a whole number, not negative")
        )
    return min(int(value), _MOST)


def _order(value: str) -> Iterator[tuple[str, bool]]:
    for part in value.split(","):
        path, _, way = part.strip().partition(" ")
        way = way.strip().lower()
        if not _NAME.fullmatch(path) or way not in ("", "asc", "desc"):
            raise Unanswered(
                400, Text(f"$orderby 不能用 {part[:60]!r}", f"$orderby: {part[:60]!r}")
            )
        yield path, way == "desc"


def _filter(value: str) -> Expression:
    try:
        return parse(value)
    except NotImplementedError as e:
        shown = str(e)[:60]
        raise Unanswered(
            501, Text(f"$filter 没有做 {shown}", f"$filter: {shown} is not built here")
        ) from e
    except ValueError as e:
        shown = str(e)[:60]
        raise Unanswered(
            400, Text(f"$filter 读不懂：{shown}", f"$filter cannot be read: {shown}")
        ) from e


def _expand(value: str, depth: int) -> Iterator[tuple[str, Query]]:
    if depth > _DEEPEST:
        raise Unanswered(
            400, Text(f"$expand 超过 {_DEEPEST} 层", f"$expand is deeper than {_DEEPEST}")
        )
    for part in _pieces(value, ","):
        head, bracket, rest = part.partition("(")
        if bracket and not rest.endswith(")"):
            raise Unanswered(400, Text("$expand 括号不成对", "$expand: brackets do not match"))
        first, *deeper = head.strip().split("/")
        inner = rest[:-1] if bracket else ""
        if not _NAME.fullmatch(first):
            raise Unanswered(400, Text(f"$expand 不能用 {part[:60]!r}", f"$expand: {part[:60]!r}"))
        if deeper:  # Datastreams/Observations is Datastreams($expand=Observations)
            inner = f"$expand={'/'.join(deeper)}" + (f"({inner})" if inner else "")
        pairs = [p.partition("=")[::2] for p in _pieces(inner, ";")] if inner else []
        yield first, query(pairs, depth)


def _pieces(text: str, between: str) -> Iterator[str]:
    """Cut where no bracket and no quote is open."""
    level, quoted, start = 0, False, 0
    for n, c in enumerate(text):
        if c == "'":
            quoted = not quoted
        elif not quoted:
            level += (c == "(") - (c == ")")
            if c == between and level == 0:
                yield text[start:n].strip()
                start = n + 1
    if level or quoted:
        raise Unanswered(
            400, Text("$expand 括号或引号不成对", "$expand: brackets or quotes do not match")
        )
    yield text[start:].strip()
