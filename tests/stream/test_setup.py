"""What a run is told of its machine."""

import socket

from fengsui.run.setup import free_port


def test_a_free_port_is_told_once_and_is_none_that_outgoing_connections_take() -> None:
    """Who is told a port binds it seconds later, often in another process: a port of the range that
    the system lends, or one told to two, may be gone by then."""
    told = [free_port() for _ in range(200)]
    assert len(set(told)) == len(told)
    assert max(told) < 32_768  # where Linux's range begins unless its operator moved it


def test_the_port_asked_for_is_told_unless_somebody_has_it() -> None:
    asked = free_port()
    assert free_port(asked) == asked
    with socket.socket() as other:
        other.bind(("127.0.0.1", asked))
        other.listen()
        assert free_port(asked) not in (asked, 0)
