"""Every decoder and every record under bytes that are nearly right: only declared outcomes. The same
targets are searched by coverage with `make fuzz`."""

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds
from tests.support.examples import examples

EXAMPLES = 60
TOKENS = (
    b"[" * 40, b"]", b"{", b"}", b'"', b"\\u", b"\\ud800", b"9" * 400, b"1e999", b"NaN", b"null",
    b"-", b"\xff", b"\x00", b"<", b"</", b"&#xD800;", b"T24:00:00Z", b"0001-01-01", b",", b":",
)  # fmt: skip


@cache
def begin(name: str) -> list[bytes]:
    return list(seeds(name))


def test_no_decoder_is_forgotten() -> None:
    assert len(TARGETS) > 20
    without = [name for name in TARGETS if not begin(name)]
    assert not without, f"no seed: a case in seeds() of tests/fuzz/targets.py for {without}"


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_have_declared_outcomes(name: str) -> None:
    for seed in begin(name):
        TARGETS[name](seed)


def spoilt(seed: bytes, rnd: random.Random) -> bytes:
    """A few bytes changed, taken out, doubled, or a token put in."""
    body = bytearray(seed)
    for _ in range(rnd.randint(1, 6)):
        at = rnd.randrange(len(body) + 1)
        match rnd.randrange(5):
            case 0:
                body[at:at] = rnd.choice(TOKENS)
            case 1:
                del body[at : at + rnd.randint(1, 12)]
            case 2:
                body[at : at + 1] = bytes([rnd.randrange(256)])
            case 3:
                body[at:at] = body[at : at + rnd.randint(1, 40)]
            case 4:
                body[at : at + rnd.randint(1, 20)] = rnd.choice(TOKENS)
    return bytes(body)


@pytest.mark.parametrize("name", TARGETS)
@examples(EXAMPLES)
@given(pick=st.integers(0, 10**9))
def test_nearly_right_bytes_have_declared_outcomes(name: str, pick: int) -> None:
    rnd = random.Random(pick)
    TARGETS[name](spoilt(rnd.choice(begin(name)), rnd))


@pytest.mark.parametrize("name", TARGETS)
@examples(EXAMPLES)
@given(data=st.binary(max_size=400))
def test_any_bytes_have_declared_outcomes(name: str, data: bytes) -> None:
    TARGETS[name](data)
