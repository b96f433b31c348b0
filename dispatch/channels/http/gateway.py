"""SMS and voice gateways that speak HTTP: fields, signature and the meaning of the answer are
configuration, so that a county's gateway (registered template and signature, MAS, a call-out
service) is a table in channels.toml and not a program.

Where a row says what a yes is (`ok_field`, `ok_text`), nothing else is one: a page of a proxy, half a
JSON, another service.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

from config.language import Text
from config.records.channels import Carrier as Settings
from config.records.district import District
from config.records.level import ACTION_ZH, HAZARD_ZH, LEVEL_ZH
from dispatch.channels import Parcel, SendError, SendResult
from dispatch.channels.http.post import refuse, request
from dispatch.channels.http.response import judges, taken

_DIGESTS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "hmac-sha256": lambda key, text: hmac.digest(key, text, "sha256"),
    "hmac-sha1": lambda key, text: hmac.digest(key, text, "sha1"),
    "hmac-md5": lambda key, text: hmac.digest(key, text, "md5"),
    "sha256": lambda _, text: hashlib.sha256(text).digest(),
    "md5": lambda _, text: hashlib.md5(text).digest(),  # noqa: S324  # what gateways ask for
}


class Gateway:
    """settings: a `[[carrier]]` of kind http. secret: its password or key, resolved. now: seconds."""

    def __init__(
        self,
        district: District,
        settings: Settings,
        secret: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = settings.name
        self._district, self._settings, self._secret, self._now = district, settings, secret, now
        self._timeout_s = float(district.channels.attempt_timeout_s)

    def send(self, parcel: Parcel) -> SendResult:
        s = self._settings
        words = self._words(parcel)
        fields = {k: fill(v, words) for k, v in s.fields.items() if "{signature}" not in v}
        words["sorted"] = "&".join(
            f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(fields.items())
        )
        words["signature"] = self._signature(words)
        fields = {k: fill(v, words) for k, v in s.fields.items()}
        headers = {k: fill(v, words) for k, v in s.headers.items()}
        method, url, body = _rendered(s, fields, headers)
        answer = request(method, url, headers, body, self._timeout_s)
        refuse(answer.status)
        return self._judged(answer.body)

    def probe(self) -> bool:
        """The gateway answers at `probe_url` without an error of its own, or takes a connection."""
        url = self._settings.probe_url
        if url:
            answer = request("GET", url, {}, None, self._timeout_s)
            if answer.status >= 500 or answer.status in (401, 403):
                raise SendError(Text("网关不正常：", "not well: ") + f"HTTP {answer.status}")
        else:
            # any answer of the server's root shows that it is there: nothing is sent
            parts = urlsplit(self._settings.url)
            request("HEAD", f"{parts.scheme}://{parts.netloc}/", {}, None, self._timeout_s)
        return True

    def close(self) -> None:
        """Connections are shared."""

    def _words(self, parcel: Parcel) -> dict[str, str]:
        """What a field may name."""
        d, now = parcel.delivery, self._now()
        area = self._district.areas.get(d.area)
        local = datetime.fromtimestamp(now, ZoneInfo(self._district.timezone))
        until = datetime.fromtimestamp(d.expires_at / 1000, ZoneInfo(self._district.timezone))
        words = {
            "to": parcel.to.replace("-", ""),
            "text": parcel.text,
            "title": parcel.title,
            "key": parcel.key,
            "sign": self._district.signature,
            "user": self._settings.user,
            "secret": self._secret,
            "from": self._settings.sender,
            "valid_s": str(int(parcel.valid_s)),
            "time_s": str(int(now)),
            "time_ms": str(int(now * 1000)),
            "time_14": local.strftime("%Y%m%d%H%M%S"),
            "time_iso": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "place": f"{area.township}{area.name}" if area else d.area,
            "hazard": HAZARD_ZH.get(d.hazard, d.hazard),
            "level": LEVEL_ZH[d.level],
            "action": ACTION_ZH[d.action] if d.action else "",
            "until": until.strftime("%H:%M"),
            "phone": (area.phone if area else "") or self._district.hotline,
        }
        params = {k: fill(v, words) for k, v in self._settings.params.items()}
        words["params"] = json.dumps(params, ensure_ascii=False)
        return words

    def _signature(self, words: Mapping[str, str]) -> str:
        s = self._settings
        if not s.sign_with:
            return ""
        digest = _DIGESTS[s.sign_with](self._secret.encode(), fill(s.sign_text, words).encode())
        if s.sign_as == "base64":
            return base64.b64encode(digest).decode()
        return digest.hex().upper() if s.sign_as == "HEX" else digest.hex()

    def _judged(self, body: bytes) -> SendResult:
        ident = taken(self._settings, body)
        words = "" if judges(self._settings) else Text("答复无判据", "nothing judges its answer")
        return SendResult("accepted", words, (f"{self.name}|{ident}",) if ident else ())


def fill(template: str, words: Mapping[str, str]) -> str:
    """Names in braces by their words, in one pass: what is filled in is never a template itself."""
    out, rest = "", template
    while "{" in rest:
        before, _, rest = rest.partition("{")
        name, brace, after = rest.partition("}")
        if brace and name in words:
            out, rest = out + before + words[name], after
        else:
            out += before + "{"
    return out + rest


def _rendered(
    s: Settings, fields: Mapping[str, str], headers: dict[str, str]
) -> tuple[str, str, bytes | None]:
    """Method, URL and body; sets the content type."""
    if s.form == "query":
        return "GET", f"{s.url}{'&' if '?' in s.url else '?'}{urlencode(fields)}", None
    if s.form == "form":
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
        return "POST", s.url, urlencode(fields).encode()
    headers.setdefault("Content-Type", "application/json; charset=utf-8")
    body = json.dumps(fields, ensure_ascii=False).encode()
    return "POST", s.url, base64.b64encode(body) if s.form == "base64-json" else body
