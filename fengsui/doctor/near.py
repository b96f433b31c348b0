"""Names that are nearly another's: what a device calls itself, and what the tables call it. Pure."""

from collections.abc import Iterable, Iterator

_ALIKE = str.maketrans({"o": "0", "i": "1", "l": "1", "s": "5", "z": "2", "b": "8"})
_LONGEST = 60


def near(strange: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that `strange` may stand for, the likeliest alone: the same but for case, separators,
    leading zeros and figures that look like letters; else one typing error away (a sign more, less or another,
    or two in each other's place). A short name has only the former: R1 is no typing error of V1."""
    same = [n for n in names if _plain(n) == _plain(strange)]
    return same or [n for n in names if min(len(n), len(strange)) > 3 and _one_off(n, strange)]


def _plain(name: str) -> str:
    """As it reads: without what people write otherwise. The first sign of a name says its kind, and stays."""
    text = "".join(c for c in name[:_LONGEST].casefold() if c.isalnum())
    return text[:1] + _short(text[1:].translate(_ALIKE))


def _short(figures: str) -> str:
    return "".join(f"{int(p)}" if p.isdecimal() else p for p in _runs(figures))


def _runs(text: str) -> Iterator[str]:
    """Pieces of figures alone and of none."""
    start = 0
    for n in range(1, len(text) + 1):
        if n == len(text) or text[n].isdecimal() != text[n - 1].isdecimal():
            yield text[start:n]
            start = n


def _one_off(a: str, b: str) -> bool:
    """Is one typing error between them (Damerau 1964)?"""
    a, b = a[:_LONGEST].casefold(), b[:_LONGEST].casefold()
    if abs(len(a) - len(b)) > 1:
        return False
    n = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[n:], b[n:]
    return (
        rest_a[1:] == rest_b[1:]
        or rest_a[1:] == rest_b
        or rest_a == rest_b[1:]
        or (rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:])
    )
