"""One HTTP request to a carrier, within a time for the whole of it: no redirects, no proxies, no
more of an answer than we read."""

from collections.abc import Mapping

from config.language import Text, text_of
from dispatch.channels import SendError
from dispatch.channels.status_words import HTTP_BUSY, HTTP_PERMANENT, HTTP_ROUTE
from stream.http.client import Answer, BrokenOff, ask

LONGEST = 65_536


def request(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
) -> Answer:
    """Its body is longer than `LONGEST` where there is more than we read. Raises SendError: it could not
    be reached, or did not answer all of it in time."""
    try:
        return ask(
            method, url, headers, body, limit=LONGEST, timeout_s=timeout_s, whole_s=timeout_s
        )
    except TimeoutError as e:
        within, cut = f"{timeout_s:g}", bool(e.args)
        raise SendError(
            Text(
                f"通道 {within} 秒内{'答复不全' if cut else '没有答复'}",
                f"no {'whole ' * cut}answer within {within} s",
            )
        ) from e
    except BrokenOff as e:
        raise SendError(Text("答复中断：", "the answer broke off: ") + text_of(e)) from e
    except OSError as e:
        gone = Text("通道连不上：", "the carrier could not be reached: ")
        raise SendError(gone + text_of(e)) from e


def refuse(status: int) -> None:
    """Raises SendError unless the answer is 2xx."""
    if 200 <= status < 300:
        return
    if status in HTTP_BUSY:
        raise SendError(Text("通道忙：", "busy: ") + f"HTTP {status}", wait_s=1.0)
    raise SendError(
        Text("通道未收：", "not taken: ") + f"HTTP {status}",
        permanent=status in HTTP_PERMANENT,
        blames_route=status in HTTP_ROUTE or status not in HTTP_PERMANENT,
    )
