"""One HTTP request, within bounds of time and size: http and https alone, no more of an answer than is
read, and elsewhere only if whoever asks says so."""

import time
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from config.language import Text

_POOL = urllib3.PoolManager(maxsize=32)


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
    """limit: bytes of the body. timeout_s: until it begins to answer; whole_s: until the body is there.
    proxies: those that the environment names are used; ca: a PEM file with the certificates that are believed
    for this address, in place of the system's. Raises TimeoutError (without words where nothing
    came), BrokenOff, and ConnectionError where it could not be reached: all of them OSError."""
    until = time.monotonic() + whole_s
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
                raise TimeoutError(
                    Text(f"{whole_s:g} 秒内没收全答复", f"no whole answer within {whole_s:g} s")
                )
        if len(got) <= limit:
            response.drain_conn()  # it was all: the connection serves the next request
        return Answer(response.status, bytes(got), response.headers)
    except TimeoutError:
        raise
    except (urllib3.exceptions.HTTPError, OSError) as e:
        raise BrokenOff(type(e).__name__) from e
    finally:
        response.close()  # of an answer that was not read to its end nothing may be taken for the next
        response.release_conn()


def _pool(url: str) -> urllib3.PoolManager:
    """By the proxy that the environment names for such an address, as urllib.request understands it."""
    to = urlsplit(url)
    proxy = getproxies().get(to.scheme, "")
    if not proxy or proxy_bypass(to.netloc):
        return _POOL
    return _through(proxy if "://" in proxy else f"http://{proxy}")


@cache
def _believing(ca: str) -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=32, ca_certs=ca) if ca else _POOL


@cache
def _through(proxy: str) -> urllib3.PoolManager:
    user = urlsplit(proxy).netloc.rpartition("@")[0]
    headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, maxsize=32)
