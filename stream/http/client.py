"""One HTTP request, within bounds of time and size: http and https alone, no more of an answer than is
read, and elsewhere only if whoever asks says so."""

import io
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.client import HTTPResponse
from socket import socket
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from config.language import Text


class _Deadline(threading.local):
    """Of the request that this thread makes, by time.monotonic."""

    until = float("inf")


_deadline = _Deadline()


class _Until(io.RawIOBase):
    """What a socket gives, up to the deadline of the request: each piece that comes late makes the next come
    sooner, so that an answer which drips ends with it, its head as its body."""

    def __init__(self, raw: Any, of: socket) -> None:
        self._raw, self._of, self._until = raw, of, _deadline.until

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int | None:
        left, usual = self._until - time.monotonic(), self._of.gettimeout()
        if left <= 0:
            raise TimeoutError
        self._of.settimeout(left if usual is None else min(left, usual))
        try:
            found: int | None = self._raw.readinto(into)
        finally:
            self._of.settimeout(usual)
        return found

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """Read up to the deadline."""

    def __init__(self, sock: socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        if _deadline.until < float("inf"):
            self.fp = io.BufferedReader(_Until(self.fp.detach(), sock))


class _Plain(urllib3.connection.HTTPConnection):
    response_class = _Response


class _Tls(urllib3.connection.HTTPSConnection):
    response_class = _Response


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Tls


@contextmanager
def within(whole_s: float, *pools: urllib3.PoolManager) -> Iterator[None]:
    """What this thread asks by these pools, of a library that has no such bound, ends in so many seconds, head
    and body: with a TimeoutError of urllib3's or the socket's."""
    for pool in pools:
        _bounded(pool)
    _deadline.until = time.monotonic() + whole_s
    try:
        yield
    finally:
        _deadline.until = float("inf")


def _bounded(pool: urllib3.PoolManager) -> urllib3.PoolManager:
    pool.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
    return pool


_POOL = _bounded(urllib3.PoolManager(maxsize=32))


class Answer(NamedTuple):
    """status: HTTP. body: at most a byte more than was asked for, which says that there is more."""

    status: int
    body: bytes
    headers: Mapping[str, str]  # whatever the case of a name


class BrokenOff(OSError):
    """An answer that did not come to its end."""


def ask(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    limit: int,
    timeout_s: float,
    whole_s: float,
    proxies: bool = False,
    redirects: int = 0,
    ca: str = "",
) -> Answer:
    """limit: bytes of the body. timeout_s: until it begins to answer; whole_s: until all of it is there, its
    head too. proxies: those that the environment names are used; ca: a PEM file with the certificates that are
    believed for this address, in place of the system's. Raises TimeoutError (without words where nothing
    came), BrokenOff, and ConnectionError where it could not be reached: all of them OSError."""
    until = _deadline.until = time.monotonic() + whole_s
    try:
        response = (_pool(url) if proxies else _believing(ca)).request(
            method,
            url,
            body=body,
            headers=dict(headers),
            timeout=urllib3.Timeout(total=timeout_s),
            retries=urllib3.Retry(None, connect=0, read=0, other=0, redirect=redirects)
            if redirects
            else False,
            redirect=redirects > 0,
            preload_content=False,
        )
    except (urllib3.exceptions.HTTPError, ValueError) as e:
        if time.monotonic() > until:
            raise TimeoutError(_not_whole(whole_s)) from e
        # one that was refused is a time-out in urllib3's family of errors
        timed_out = isinstance(e, urllib3.exceptions.TimeoutError)
        if timed_out and not isinstance(e, urllib3.exceptions.NewConnectionError):
            raise TimeoutError from e
        raise ConnectionError(type(e).__name__) from e
    try:
        got = bytearray()
        while len(got) <= limit and (more := response.read1(limit + 1 - len(got))):
            got += more
            if time.monotonic() > until:
                raise TimeoutError(_not_whole(whole_s))
        if len(got) <= limit:
            response.drain_conn()  # it was all: the connection serves the next request
        return Answer(response.status, bytes(got), response.headers)
    except TimeoutError:
        raise
    except (urllib3.exceptions.HTTPError, OSError) as e:
        if time.monotonic() > until:
            raise TimeoutError(_not_whole(whole_s)) from e
        raise BrokenOff(type(e).__name__) from e
    finally:
        response.close()  # of an answer that was not read to its end nothing may be taken for the next
        response.release_conn()


def _not_whole(whole_s: float) -> Text:
    return Text(f"{whole_s:g} 秒内没收全答复", f"no whole answer within {whole_s:g} s")


def _pool(url: str) -> urllib3.PoolManager:
    """By the proxy that the environment names for such an address, as urllib.request understands it."""
    to = urlsplit(url)
    proxy = getproxies().get(to.scheme, "")
    if not proxy or proxy_bypass(to.netloc):
        return _POOL
    return _through(proxy if "://" in proxy else f"http://{proxy}")


@cache
def _believing(ca: str) -> urllib3.PoolManager:
    return _bounded(urllib3.PoolManager(maxsize=32, ca_certs=ca)) if ca else _POOL


@cache
def _through(proxy: str) -> urllib3.PoolManager:
    user = urlsplit(proxy).netloc.rpartition("@")[0]
    headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
    return _bounded(urllib3.ProxyManager(proxy, proxy_headers=headers, maxsize=32))
