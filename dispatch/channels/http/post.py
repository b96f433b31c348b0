"""One HTTP request to a carrier, within a time for the whole of it: no redirects, no proxies, no
more of an answer than we read."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import urllib3

from dispatch.channels import SendError
from dispatch.channels.status_words import HTTP_BUSY, HTTP_PERMANENT, HTTP_ROUTE

LONGEST = 65_536
_POOL = urllib3.PoolManager(maxsize=32, retries=False)


class HttpAnswer(NamedTuple):
    """status: HTTP. body: at most 64 KiB of it."""

    status: int
    body: bytes


def request(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
) -> HttpAnswer:
    """Raises SendError: it could not be reached, or did not answer all of it in time."""
    until = time.monotonic() + timeout_s
    try:
        response = _POOL.request(
            method,
            url,
            body=body,
            headers=dict(headers),
            timeout=urllib3.Timeout(total=timeout_s),
            redirect=False,
            preload_content=False,
        )
    except urllib3.exceptions.TimeoutError as e:
        raise SendError(f"通道超时 no answer within {timeout_s:g} s") from e
    except (urllib3.exceptions.HTTPError, ValueError) as e:
        raise SendError(f"通道连不上 the carrier could not be reached: {type(e).__name__}") from e
    try:
        got = b""
        while len(got) < LONGEST and (more := response.read1(LONGEST)):
            got += more
            if time.monotonic() > until:
                raise SendError(f"通道超时，答复不全 no whole answer within {timeout_s:g} s")
        response.drain_conn() if len(got) < LONGEST else response.close()
        return HttpAnswer(response.status, got)
    except (urllib3.exceptions.HTTPError, OSError) as e:
        raise SendError(f"答复中断 the answer broke off: {type(e).__name__}") from e
    finally:
        response.release_conn()


def refuse(status: int) -> None:
    """Raises SendError unless the answer is 2xx."""
    if 200 <= status < 300:
        return
    if status in HTTP_BUSY:
        raise SendError(f"通道忙 busy: HTTP {status}", wait_s=1.0)
    raise SendError(
        f"通道未收 not taken: HTTP {status}",
        permanent=status in HTTP_PERMANENT,
        blames_route=status in HTTP_ROUTE or status not in HTTP_PERMANENT,
    )
