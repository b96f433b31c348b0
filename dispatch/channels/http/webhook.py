"""Warnings to other programs: JSON by HTTPS POST, signed after the Standard Webhooks specification
(standardwebhooks.com): `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,BASE64`, where the
signature is HMAC-SHA256 over `id.timestamp.body`. The id is the idempotency key.

docs/channels.md shows how a receiver checks it. `accepted` is a 2xx answer.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from config.language import Text
from dispatch.channels import Parcel, SendResult
from dispatch.channels.http.post import refuse, request

_PREFIX = "whsec_"


class Webhook:
    """url: where to. secret: `whsec_` and base64, or any text. now: seconds since 1970."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        timeout_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._url, self._timeout_s, self._now = url, timeout_s, now
        self._key = key_of(secret)

    def send(self, parcel: Parcel) -> SendResult:
        d = parcel.delivery
        body = msgspec.json.encode(
            {
                "type": f"warning.{d.msg_type}",
                "key": parcel.key,
                "alert": d.alert,
                "version": d.version,
                "area": d.area,
                "hazard": d.hazard,
                "level": d.level,
                "action": d.action,
                "status": d.status,
                "title": parcel.title,
                "text": parcel.text,
                "queued_at": d.queued_at,
                "expires_at": d.expires_at,
            }
        )
        at = int(self._now())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "webhook-id": parcel.key,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(self._key, parcel.key, at, body),
        }
        refuse(request("POST", self._url, headers, body, self._timeout_s).status)
        return SendResult("accepted")

    def probe(self) -> bool:
        """The server answers; nothing is posted."""
        parts = urlsplit(self._url)
        request("HEAD", f"{parts.scheme}://{parts.netloc}/", {}, None, self._timeout_s)
        return True

    def close(self) -> None:
        """Connections are shared."""


def key_of(secret: str) -> bytes:
    """The key's bytes. Raises ValueError if what follows `whsec_` is not base64."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as e:
        raise ValueError(Text("whsec_ 之后不是 base64", "what follows whsec_ is not base64")) from e


def signature(key: bytes, ident: str, at: int, body: bytes) -> str:
    """The header's value. at: seconds since 1970."""
    digest = hmac.digest(key, f"{ident}.{at}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
