"""A SeedLink 3 server as digitizers have it: HELLO, CAT, STATION, SELECT, DATA, FETCH, TIME, END, BYE, in
uni-station and multi-station mode; INFO is answered with ERROR.

Written from the public description of the protocol (the pages of SeisComP on seedlink and slinktool; ringserver
and libslink agree): commands are lines that end with CR, LF or both; STATION, SELECT, DATA, FETCH and TIME are
answered with OK or ERROR, HELLO with two lines; a packet is `SL`, six hexadecimal digits that count the
packets of its station, and a miniSEED record of 512 bytes. DATA n begins with packet n, or with the oldest
that is still there; without a number with the next to come. FETCH ends with END.
"""

import contextlib
import fnmatch
import socket
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

RECORD = 512
_LARGEST = 0xFFFFFF
_LINE = 256  # bytes of a command; a longer one ends the connection
_OK, _ERROR = b"OK\r\n", b"ERROR\r\n"


class Sent(NamedTuple):
    """What the ring has. channel: "LL" + "CCC" of the record's header."""

    seq: int
    channel: str
    record: bytes


class Wish(NamedTuple):
    """What a client wants of a station. seq: from which packet on; None: the next to come."""

    selectors: tuple[str, ...] = ()
    seq: int | None = None
    begin: str = ""
    ends: bool = False


class _Ring:
    def __init__(self, kept: int, first: int) -> None:
        self.packets: deque[Sent] = deque(maxlen=kept)
        self.next = first

    def behind(self, seq: int) -> list[Sent]:
        """From this number on, in order; all where it is no longer there."""
        numbers = [p.seq for p in self.packets]
        if seq == self.next:
            return []
        begin = numbers.index(seq) if seq in numbers else 0
        return list(self.packets)[begin:]


class SeedLinkServer:
    """Serves what `add` is given. kept: packets of a station; first: the number of its first."""

    def __init__(self, port: int = 0, kept: int = 1000, first: int = 1) -> None:
        self._kept, self._first = kept, first
        self._rings: dict[tuple[str, str], _Ring] = {}
        self._news = threading.Condition()
        self._clients: set[socket.socket] = set()
        self._closed = False
        self.commands: list[str] = []  # every line that was heard
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def add(self, record: bytes) -> int:
        """A miniSEED record of 512 bytes; its packet's number."""
        if len(record) != RECORD:
            raise ValueError(f"a record of {len(record)} bytes, SeedLink 3 has {RECORD}")
        head = record[8:20].decode("ascii")
        station, network = head[:5].strip(), head[10:12].strip()
        with self._news:
            ring = self._rings.setdefault((network, station), _Ring(self._kept, self._first))
            seq, ring.next = ring.next, (ring.next + 1) & _LARGEST
            ring.packets.append(Sent(seq, head[5:10], record))
            self._news.notify_all()
        return seq

    def cut(self) -> None:
        """Every connection breaks; new ones are taken."""
        with self._news:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
            self._news.notify_all()

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with self._news:
                self._clients.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            wishes = self._shake_hands(client)
            if wishes:
                self._stream(client, wishes)
        except OSError:
            pass
        finally:
            with self._news:
                self._clients.discard(client)
            client.close()

    # --- handshaking

    def _shake_hands(self, client: socket.socket) -> dict[tuple[str, str], Wish]:
        """What is wanted, once a command says that the packets may come; nothing when the client leaves."""
        wishes: dict[tuple[str, str], Wish] = {}
        at: tuple[str, str] | None = None
        selectors: list[str] = []
        for words in _lines(client):
            self.commands.append(" ".join(words))
            command, given = words[0].upper(), words[1:]
            if command == "HELLO":
                client.sendall(
                    b"SeedLink v3.1 (reference of fengsui) :: SLPROTO:3.1\r\nfengsui\r\n"
                )
            elif command == "CAT":
                client.sendall(self._catalogue())
            elif command == "STATION" and len(given) in (1, 2):
                at, selectors = self._find(given), []
                client.sendall(_ERROR if at is None else _OK)
            elif command == "SELECT" and len(given) <= 1:
                selectors = [*selectors, *given] if given else []
                client.sendall(_OK)
            elif command in ("DATA", "FETCH", "TIME"):
                wish = _wish(command, given, tuple(selectors))
                where = [at] if at else [*self._rings] if not wishes else []
                if wish is None or not where:
                    client.sendall(_ERROR)
                    continue
                client.sendall(_OK)
                wishes.update(dict.fromkeys(where, wish))
                if at is None:  # uni-station: the packets come at once
                    return wishes
            elif command == "END" and wishes:
                return wishes
            elif command == "BYE":
                return {}
            else:
                client.sendall(_ERROR)
        return {}

    def _find(self, given: list[str]) -> tuple[str, str] | None:
        with self._news:
            return next(
                (k for k in self._rings if k[1] == given[0] and given[1:] in ([], [k[0]])), None
            )

    def _catalogue(self) -> bytes:
        with self._news:
            lines = [f"{network:<2} {station:<5}" for network, station in self._rings]
        return ("\r\n".join(lines) + "\r\nEND\r\n").encode()

    # --- packets

    def _stream(self, client: socket.socket, wishes: dict[tuple[str, str], Wish]) -> None:
        with self._news:
            due = {k: self._rings[k].next if w.seq is None else w.seq for k, w in wishes.items()}
            for k, w in wishes.items():
                if (w.ends or w.begin) and w.seq is None and self._rings[k].packets:
                    due[k] = self._rings[k].packets[0].seq
        while not self._closed:
            out = []
            with self._news:
                for k, wish in wishes.items():
                    found = self._rings[k].behind(due[k])
                    due[k] = self._rings[k].next
                    out += [p for p in found if _wanted(p, wish)]
                ended = all(w.ends for w in wishes.values())
                if not out and not ended:
                    self._news.wait(1.0)
                    if client not in self._clients:
                        return
            for p in out:
                client.sendall(b"SL%06X" % p.seq + p.record)
            if ended:
                client.sendall(b"END")
                return
            if not out and _left(client):
                return


def _wish(command: str, given: list[str], selectors: tuple[str, ...]) -> Wish | None:
    """None of a command that cannot be read. Of `DATA n time` the number counts."""
    try:
        if command == "TIME":
            return Wish(selectors, None, _moment(given[0])) if 1 <= len(given) <= 2 else None
        seq = int(given[0], 16) & _LARGEST if given else None
    except ValueError:
        return None
    return Wish(selectors, seq, ends=command == "FETCH") if len(given) <= 2 else None


def _moment(words: str) -> str:
    """year,month,day,hour,minute,second as it sorts."""
    return datetime(*(int(x) for x in words.split(",")), tzinfo=UTC).strftime("%Y%j%H%M%S")  # type: ignore[arg-type,misc]


def _wanted(p: Sent, wish: Wish) -> bool:
    if wish.begin:
        r = p.record
        year, day = int.from_bytes(r[20:22], "big"), int.from_bytes(r[22:24], "big")
        if f"{year:04d}{day:03d}{r[24]:02d}{r[25]:02d}{r[26]:02d}" < wish.begin:
            return False
    asked = [s.partition(".")[0].lstrip("!") for s in wish.selectors]
    names = (p.channel, p.channel[2:])  # LLCCC, or CCC at whatever place
    return not asked or any(fnmatch.fnmatchcase(n, s) for n in names for s in asked)


def _lines(client: socket.socket) -> Iterator[list[str]]:
    """Commands, as they end with CR, LF or both."""
    rest = b""
    while len(rest) <= _LINE:
        got = client.recv(_LINE)
        if not got:
            return
        *whole, rest = (rest + got).replace(b"\n", b"\r").split(b"\r")
        for line in whole:
            if words := line.decode("ascii", "replace").split():
                yield words


def _left(client: socket.socket) -> bool:
    """Has the client closed its end?"""
    client.settimeout(0.0)
    try:
        return client.recv(_LINE) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.settimeout(None)
