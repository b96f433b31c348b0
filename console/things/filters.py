"""$filter: comparisons of properties with numbers, texts and times, `and`, `or`, `not`, brackets, and the
functions on texts that users use. Of an interval its end is compared: that is when it counts here."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from stream.limits import moment

_TOKEN = re.compile(
    r"\s*(?:(?P<time>\d{4}-\d\d-\d\d(?:[Tt][\d:.]+(?:[Zz]|[+-]\d\d:?\d\d)?)?(?:/\S+?(?=[)\s,]|$))?)"
    r"|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>[@A-Za-z_][A-Za-z0-9_.@]*(?:/[@A-Za-z_][A-Za-z0-9_.@]*)*)"
    r"|(?P<sign>[(),]))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
    "contains": lambda a, b: b in a,
    "substringof": lambda a, b: a in b,
}
_ARITHMETIC = ("add", "sub", "mul", "div", "mod", "in", "has")
_DEEPEST = 30
TIMES = ("phenomenonTime", "resultTime")
Resolve = Callable[[str], Any]


class Literal(NamedTuple):
    value: Any


class Path(NamedTuple):
    name: str


class Compare(NamedTuple):
    sign: str
    left: "Literal | Path"
    right: "Literal | Path"


class Call(NamedTuple):
    name: str
    left: "Literal | Path"
    right: "Literal | Path"


class Both(NamedTuple):
    parts: tuple["Expression", ...]


class Either(NamedTuple):
    parts: tuple["Expression", ...]


class Not(NamedTuple):
    part: "Expression"


Expression = Compare | Call | Both | Either | Not


def parse(text: str) -> Expression:
    """Raises ValueError with the place, and NotImplementedError with the name of what is not built."""
    reader = _Reader(list(_tokens(text)))
    found = reader.either(0)
    if reader.at < len(reader.tokens):
        raise ValueError(reader.tokens[reader.at][1])
    return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(text[at:].strip()[:30])
        at = match.end()
        yield match.lastgroup or "", match[match.lastgroup or ""]


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens, self.at = tokens, 0

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise ValueError("…")
        self.at += 1
        return self.tokens[self.at - 1]

    def _word(self) -> str:
        return self.tokens[self.at][1].lower() if self.at < len(self.tokens) else ""

    def either(self, depth: int) -> Expression:
        parts = [self._both(depth)]
        while self._word() == "or":
            self.at += 1
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self, depth: int) -> Expression:
        parts = [self._one(depth)]
        while self._word() == "and":
            self.at += 1
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _one(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise ValueError("(")
        if self._word() == "not":
            self.at += 1
            return Not(self._one(depth + 1))
        if self._word() == "(":
            self.at += 1
            inner = self.either(depth + 1)
            self._sign(")")
            return inner
        kind, text = self._next()
        if kind == "name" and self._word() == "(":
            return self._call(text)
        left = self._operand(kind, text)
        sign = self._word()
        if sign not in _COMPARE:
            if sign in _ARITHMETIC:
                raise NotImplementedError(sign)
            raise ValueError(sign or text)
        self.at += 1
        return self._compared(sign, left, self._operand(*self._next()))

    def _call(self, name: str) -> Expression:
        if name not in _FUNCTIONS:
            raise NotImplementedError(name + "()")
        self._sign("(")
        left = self._operand(*self._next())
        self._sign(",")
        right = self._operand(*self._next())
        self._sign(")")
        if self._word() == "eq":  # substringof(…) eq true
            self.at += 1
            wanted = self._next()[1].lower()
            if wanted == "false":
                return Not(Call(name, left, right))
            if wanted != "true":
                raise ValueError(wanted)
        return Call(name, left, right)

    def _sign(self, wanted: str) -> None:
        if self._next()[1] != wanted:
            raise ValueError(wanted)

    def _compared(self, sign: str, left: "Literal | Path", right: "Literal | Path") -> Compare:
        """A time may stand in quotes."""
        times = any(
            isinstance(x, Path) and x.name.rpartition("/")[2] in TIMES for x in (left, right)
        )
        return Compare(sign, *(_timed(x) if times else x for x in (left, right)))

    def _operand(self, kind: str, text: str) -> Literal | Path:
        if kind == "number":
            return Literal(float(text))
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "time":
            return Literal(_instant(text))
        if kind == "name":
            words = {"true": True, "false": False, "null": None}
            if text.lower() in words:
                return Literal(words[text.lower()])
            if self._word() == "(":
                raise NotImplementedError(text + "()")
            return Path(text)
        raise ValueError(text)


class Instant(NamedTuple):
    """A moment, ms since 1970."""

    at: int


def _timed(operand: "Literal | Path") -> "Literal | Path":
    text = operand.value if isinstance(operand, Literal) else None
    return Literal(_instant(text)) if isinstance(text, str) else operand


def _instant(text: str) -> Instant:
    """Of an interval its end; a day alone is its beginning, and without a zone it is UTC."""
    text = text.rpartition("/")[2]
    if len(text) == 10:
        text += "T00:00:00Z"
    elif not re.search(r"(?:[Zz]|[+-]\d\d:?\d\d)$", text):
        text += "Z"
    at = moment(text)
    if at is None:
        raise ValueError(text)
    return Instant(at)


def holds(found: Expression, resolve: Resolve) -> bool:
    """Of an entity. resolve: a path -> its value, or a list of values where it goes through a set."""
    match found:
        case Both(parts):
            return all(holds(p, resolve) for p in parts)
        case Either(parts):
            return any(holds(p, resolve) for p in parts)
        case Not(part):
            return not holds(part, resolve)
        case Compare(sign, left, right):
            return any(
                _compare(sign, a, b)
                for a in _values(left, resolve)
                for b in _values(right, resolve)
            )
        case Call(name, left, right):
            return any(
                isinstance(a, str) and isinstance(b, str) and _FUNCTIONS[name](a, b)
                for a in _values(left, resolve)
                for b in _values(right, resolve)
            )
    raise AssertionError(found)


def _values(operand: Literal | Path, resolve: Resolve) -> list[Any]:
    if isinstance(operand, Literal):
        return [operand.value]
    value = resolve(operand.name)
    return value if isinstance(value, list) else [value]


def _compare(sign: str, a: Any, b: Any) -> bool:
    """Values of one kind; of others only `ne` holds, and of nothing `eq` and `ne` alone can be asked."""
    if isinstance(a, Instant) or isinstance(b, Instant):
        a, b = _moment_of(a), _moment_of(b)
    if a is None or b is None:
        return (sign == "eq" and a is b) or (sign == "ne" and a is not b)
    numbers = (int, float)
    same = (isinstance(a, numbers) and isinstance(b, numbers)) or type(a) is type(b)
    return _COMPARE[sign](a, b) if same else sign == "ne"


def _moment_of(value: Any) -> int | None:
    if isinstance(value, Instant):
        return value.at
    if isinstance(value, str):
        return moment(value.rpartition("/")[2])
    return None


class Bounds(NamedTuple):
    """What every entity for which the filter holds must keep. low, high: times at which it counts, ms, with
    both ends. streams: ids of its Datastream; None: any."""

    low: int | None = None
    high: int | None = None
    streams: frozenset[str] | None = None

    def __and__(self, other: "Bounds") -> "Bounds":
        low = [x for x in (self.low, other.low) if x is not None]
        high = [x for x in (self.high, other.high) if x is not None]
        streams = self.streams if other.streams is None else other.streams
        if self.streams is not None and other.streams is not None:
            streams = self.streams & other.streams
        return Bounds(max(low, default=None), min(high, default=None), streams)


def bounds(found: Expression | None) -> Bounds:
    """Of an Observation: so that history is asked for no more than can be meant."""
    match found:
        case Both(parts):
            whole = Bounds()
            for part in parts:
                whole = whole & bounds(part)
            return whole
        case Compare(sign, Path(name), Literal(value)):
            return _bound(name, sign, value)
        case Compare(sign, Literal(value), Path(name)):
            return _bound(name, _TURNED.get(sign, sign), value)
    return Bounds()


_TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}


def _bound(name: str, sign: str, value: Any) -> Bounds:
    if name in ("Datastream/id", "Datastream/@iot.id") and sign == "eq":
        return Bounds(streams=frozenset((str(value),)))
    at = value.at if isinstance(value, Instant) else None
    if name not in TIMES or at is None:
        return Bounds()
    low = at if sign in ("gt", "ge", "eq") else None
    high = at if sign in ("lt", "le", "eq") else None
    return Bounds(low, high)
