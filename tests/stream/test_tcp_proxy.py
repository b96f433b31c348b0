"""The proxy that stands before servers in tests and benches."""

import socket
import threading

from bench.servers.tcp_proxy import Proxy
from fengsui.run.setup import free_port


def test_whoever_waits_hears_at_once_that_the_server_died() -> None:
    """As from the server itself: else it is the time-out of a client that is measured."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Proxy(free_port())
        proxy.target = server.getsockname()[1]
        near = socket.create_connection(("127.0.0.1", proxy.port))
        near.settimeout(60)
        far, _ = server.accept()
        near.sendall(b"hello")
        assert far.recv(10) == b"hello"
        ended = threading.Event()

        def wait() -> None:
            assert near.recv(10) == b""
            ended.set()

        waits = threading.Thread(target=wait)
        waits.start()
        far.close()
        waits.join(90)
        assert ended.is_set()
        proxy.close()
        near.close()
