"""Servers of the standard library, which far sides of many tests are, look every half second whether they are
to end: for each test that had begun one, its process waited that long. In the processes of the tests they
look fifty times a second."""

from collections.abc import Iterator
from socketserver import BaseServer

import pytest

_LOOKS_EVERY_S = 0.02


@pytest.fixture(scope="session", autouse=True)
def servers_end_at_once() -> Iterator[None]:
    assert BaseServer.serve_forever.__defaults__ == (0.5,)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseServer.serve_forever, "__defaults__", (_LOOKS_EVERY_S,))
        yield
