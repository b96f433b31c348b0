"""Signed CAP messages to a neighbouring authority's own endpoint, by HTTP POST.

`accepted` means that its system has kept the message (2xx). Whether the neighbour accepts or declines
comes later, as its own CAP Ack or Error (`dispatch.cap.acknowledgements`). The message is the one that was
published; posted twice it counts once there, for CAP's identifier is its name.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from config.language import Text
from config.records.district import District
from config.records.sources import is_loopback
from dispatch.cap.acknowledgements import build_answer
from dispatch.cap.neighbours import neighbour_of
from dispatch.cap.publish import Cap
from dispatch.channels import SendError, SendResult, unread
from dispatch.channels.status_words import HTTP_PERMANENT
from dispatch.records import Delivery, Route
from ingest.cap.decode import Wrong
from stream.http.client import ask

_ANSWER_BYTES = 4096
_REASON = re.compile(r"[a-z_]{1,40}")


class CapPush:
    """cap: what publishes. sign: see `dispatch.cap.signing`. folder: the run's own, for `keys`."""

    def __init__(
        self,
        district: District,
        live: bool,
        cap: Cap,
        sign: Callable[[bytes], bytes],
        folder: Path,
    ) -> None:
        self._district, self._live = district, live
        self._cap, self._sign, self._folder = cap, sign, folder
        for n in district.sources.neighbour.values():
            place = n.place(live)
            if not live and place and not is_loopback(urlsplit(place).hostname or ""):
                raise ValueError(
                    Text(
                        f"演练只发本机，不发 {place!r}",
                        f"an exercise posts to this machine only, not to {place!r}",
                    )
                )

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        neighbour = neighbour_of(delivery.recipient)
        row = self._district.sources.neighbour.get(neighbour)
        place = row.place(self._live) if row is not None else ""
        if not place:
            raise SendError(
                f"{delivery.recipient}: " + Text("未接", "not connected"), permanent=True
            )
        try:
            if delivery.reply:
                body = self._sign(build_answer(self._district, delivery, str(route.text)))
            else:
                body = self._cap.message(delivery, route)
        except Wrong as e:
            raise SendError(e.rejected.detail, permanent=True) from e
        return self._post(place, body, self._token(neighbour), key)

    def _token(self, neighbour: str) -> str:
        name = f"FENGSUI_CAP_PUSH_TOKEN_{neighbour.upper().replace('-', '_')}"
        given = os.environ.get(name, "") if self._live else ""
        file = self._folder / "keys" / f"cap-push-{neighbour}.token"
        try:
            return given or file.read_text().strip()
        except FileNotFoundError:
            return ""
        except OSError as e:
            raise SendError(unread(file.name, e.strerror)) from e

    def _post(self, place: str, body: bytes, token: str, key: str) -> SendResult:
        """A warning goes where the config says, and nowhere else: no redirects."""
        headers = {"Content-Type": "application/cap+xml; charset=utf-8", "X-Idempotency-Key": key}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        timeout_s = self._district.channels.attempt_timeout_s
        try:
            answer = ask(
                "POST", place, headers, body, limit=_ANSWER_BYTES, timeout_s=timeout_s,
                whole_s=timeout_s, proxies=self._live,
            )  # fmt: skip
        except OSError as e:
            why = str(e) or type(e).__name__
            raise SendError(
                Text(f"对方连不上：{why}", f"the neighbour's endpoint cannot be reached: {why}")
            ) from e
        if 200 <= answer.status < 300:
            return SendResult("accepted", f"HTTP {answer.status}")
        code = f"HTTP {answer.status} {_reason(answer.body)}".strip()
        words = Text("对方未收：", "not taken: ") + code
        raise SendError(words, permanent=answer.status in HTTP_PERMANENT)


def _reason(body: bytes) -> str:
    """The code in a refusal; its free words stay away from our records."""
    try:
        found = json.loads(body)["reason"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) and _REASON.fullmatch(found) else ""
