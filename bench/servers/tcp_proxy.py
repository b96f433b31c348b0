"""A TCP proxy on loopback that can be cut, stalled and mended, for tests of a bad network."""

import socket
import threading
from contextlib import suppress


class Proxy:
    """Passes what comes to `port` on to another port of this machine.

    mode: "pass"; "stall": takes connections and bytes, and passes nothing on; "cut": ends every
    connection and refuses new ones.
    `strand` leaves every connection that there is half open for good; new ones pass."""

    def __init__(self, port: int) -> None:
        self.target = 0
        self.port = port
        self._mode = "pass"
        self._open: set[socket.socket] = set()
        self._change = threading.Lock()  # of the mode: no connection slips in under a cut
        self._passing = threading.Event()
        self._passing.set()
        self._closed = False
        self._stranded: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, mode: str) -> None:
        with self._change:
            self._mode = mode
            if mode == "pass":
                self._passing.set()
            else:
                self._passing.clear()
            if mode == "cut":
                self._end_all()

    def strand(self) -> None:
        """What is said on the connections of now goes nowhere from here on, and neither end is told."""
        with self._change:
            self._stranded |= self._open

    def _end_all(self) -> None:
        self._passing.set()  # whoever waits finds its connection closed
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._mode == "cut":
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            with self._change:
                if self._mode == "cut" or self._closed:
                    near.close()
                    far.close()
                    continue
                self._open |= {near, far}
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(a, b), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._passing.wait()
                if source not in self._stranded:
                    sink.sendall(data)
        for one in (source, sink):
            self._open.discard(one)
            with suppress(OSError):  # who waits on it elsewhere holds it open: its far end would not hear
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close(self) -> None:
        with self._change:
            self._closed = True
            self._listener.close()
            self._end_all()
