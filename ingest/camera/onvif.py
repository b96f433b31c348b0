"""Where a camera's snapshot is, as it says itself by ONVIF (Media service, GetSnapshotUri): asked once,
then the address is used as any other. SOAP 1.2 with WS-UsernameToken (digest of nonce, time and password),
whose time is the camera's own, which it tells without a password.

Only the path of what a camera answers is believed: the host is the one in the table, so that no answer
sends a password elsewhere.
"""

import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape

from lxml import etree

from config.language import Text
from config.records.district import CameraSource
from ingest.camera.shot import NoPicture
from stream.http.client import ask

_DEVICE, _MEDIA = "http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_DIGEST = f"{_WSS}-username-token-profile-1.0#PasswordDigest"
_BASE64 = f"{_WSS}-soap-message-security-1.0#Base64Binary"
_LIMIT, _TIMEOUT_S, _WHOLE_S = 256_000, 10.0, 20.0
_SERVICE = "/onvif/device_service"  # where the device service usually is
_parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def token(user: str, password: str, created: str, nonce: bytes) -> str:
    """The header Security of a request (OASIS UsernameToken Profile 1.0)."""
    digest = b64encode(sha1(nonce + created.encode() + password.encode()).digest()).decode()  # noqa: S324
    return (
        f'<s:Header><Security s:mustUnderstand="1" xmlns="{_WSS}-wssecurity-secext-1.0.xsd"><UsernameToken>'
        f'<Username>{escape(user)}</Username><Password Type="{_DIGEST}">{digest}</Password>'
        f'<Nonce EncodingType="{_BASE64}">{b64encode(nonce).decode()}</Nonce>'
        f'<Created xmlns="{_WSS}-wssecurity-utility-1.0.xsd">{created}</Created>'
        "</UsernameToken></Security></s:Header>"
    )


class Onvif:
    """row.url: onvif://HOST or onvifs://HOST, with the path of the device service where it is not the
    usual."""

    def __init__(self, row: CameraSource, password: str) -> None:
        self._row, self._password = row, password
        parts = urlsplit(row.url)
        scheme = "https" if parts.scheme == "onvifs" else "http"
        self._url = urlunsplit(parts._replace(scheme=scheme, path=parts.path or _SERVICE))
        self._away = timedelta(0)

    def snapshot(self) -> str:
        """The address of its snapshot. Raises NoPicture."""
        self._away = self._clock()
        found = self._said(
            self._url,
            f'<GetCapabilities xmlns="{_DEVICE}"><Category>Media</Category></GetCapabilities>',
        )
        media = _first(found, f".//{{{_SCHEMA}}}Media/{{{_SCHEMA}}}XAddr")
        where = self._here(media) if media else self._url
        profiles = self._said(where, f'<GetProfiles xmlns="{_MEDIA}"/>').iter(
            f"{{{_MEDIA}}}Profiles"
        )
        tokens = [p.get("token", "") for p in profiles]
        if not any(tokens):
            raise _none("GetProfiles")
        # the sub-stream stands behind the main one: a small picture is enough
        for one in reversed(tokens):
            try:
                found = self._said(where, _asks(one))
            except NoPicture as e:
                if e.reason == "bad_password":
                    raise
                continue  # a profile that has no snapshot
            if uri := _first(found, f".//{{{_SCHEMA}}}Uri"):
                return self._here(uri)
        raise _none("GetSnapshotUri")

    def _clock(self) -> timedelta:
        """How far the camera's clock is ahead; 0 where it does not say."""
        try:
            found = self._said(self._url, f'<GetSystemDateAndTime xmlns="{_DEVICE}"/>', sign=False)
        except NoPicture as e:
            if e.reason != "bad_password":
                raise
            return timedelta(0)  # some want the password here too, against the standard
        utc = found.find(f".//{{{_SCHEMA}}}UTCDateTime")
        if utc is None:
            return timedelta(0)
        try:
            parts = [
                int(utc.findtext(f".//{{{_SCHEMA}}}{name}") or "")
                for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")
            ]
            its = datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]
        except (ValueError, OverflowError):
            return timedelta(0)
        return its - datetime.now(UTC)

    def _said(self, url: str, body: str, sign: bool = True) -> etree._Element:
        header = ""
        if sign and self._row.user:
            now = datetime.now(UTC) + self._away
            created = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
            header = token(self._row.user, self._password, created, secrets.token_bytes(16))
        soap = f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">{header}<s:Body>{body}</s:Body></s:Envelope>'
        headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
        try:
            found = ask(
                "POST", url, headers, soap.encode(), limit=_LIMIT, timeout_s=_TIMEOUT_S, whole_s=_WHOLE_S,
                ca=self._row.ca,
            )  # fmt: skip
        except OSError as e:  # its words may hold the address
            kind = type(e).__name__
            raise NoPicture(
                "no_picture", Text(f"ONVIF 连不上：{kind}", f"ONVIF: no answer: {kind}")
            ) from None
        # a camera that refuses says 400 or 401 with a fault
        if found.status in (401, 403) or b"NotAuthorized" in found.body:
            words = Text(
                "摄像机不认用户或密码（ONVIF）", "the camera refuses user or password (ONVIF)"
            )
            raise NoPicture("bad_password", words)
        if found.status != 200 or len(found.body) > _LIMIT:
            raise NoPicture(
                "no_picture", Text(f"ONVIF：HTTP {found.status}", f"ONVIF: HTTP {found.status}")
            )
        try:
            return etree.fromstring(found.body, _parser)
        except (etree.XMLSyntaxError, ValueError):
            raise NoPicture("no_picture", Text("ONVIF：不是 XML", "ONVIF: no XML")) from None

    def _here(self, uri: str) -> str:
        """An address that the camera tells, at the host of the table: what a camera behind a router calls
        itself is not how it is reached."""
        ours, its = urlsplit(self._url), urlsplit(uri.strip())
        same = its.hostname == ours.hostname
        place = its.netloc.rpartition("@")[2] if same else ours.netloc
        return urlunsplit((ours.scheme, place, its.path, its.query, ""))


def _asks(profile: str) -> str:
    named = f"<ProfileToken>{escape(profile)}</ProfileToken>"
    return f'<GetSnapshotUri xmlns="{_MEDIA}">{named}</GetSnapshotUri>'


def _first(found: etree._Element, path: str) -> str:
    return (found.findtext(path) or "").strip()


def _none(what: str) -> NoPicture:
    words = Text(
        f"ONVIF {what} 没有答复：把截图的地址写进 url",
        f"ONVIF {what} told nothing: write the snapshot's address as url",
    )
    return NoPicture("no_picture", words)
