"""E-mail by SMTP: `accepted` when the server took it for that recipient.

The Message-ID is made of the key, so that a mailbox drops a repetition; the mail says by itself that
a program wrote it (RFC 3834) and until when it holds.
"""

import smtplib
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from config.language import Text
from dispatch.channels import Parcel, SendError, SendResult


class Email:
    """url: smtp://HOST:PORT, smtp+starttls://…, smtps://…; user and password may be empty."""

    def __init__(
        self, name: str, url: str, user: str, password: str, sender: str, timeout_s: float
    ) -> None:
        self.name = name
        self._url = urlsplit(url)
        self._user, self._password, self._from = user, password, sender
        self._timeout_s = timeout_s

    def send(self, parcel: Parcel) -> SendResult:
        try:
            message = self._message(parcel)
        except ValueError as e:
            words = Text("邮件地址读不懂", "the contact's mail address cannot be read")
            raise SendError(words, permanent=True) from e
        try:
            with self._connected() as server:
                server.send_message(message, self._from, [parcel.to])
        except smtplib.SMTPRecipientsRefused as e:
            ((code, _),) = e.recipients.values()
            words = Text("收件地址被拒", "the recipient is refused")
            raise _refusal(code, words, blames_route=False) from None
        except (smtplib.SMTPException, OSError) as e:
            raise _error(e) from None  # what it says may hold the address
        return SendResult("accepted")

    def probe(self) -> bool:
        """The server greets us and takes our password; no mail is begun."""
        try:
            with self._connected() as server:
                server.noop()
        except (smtplib.SMTPException, OSError) as e:
            raise _error(e) from None
        return True

    def close(self) -> None:
        """Nothing is kept open."""

    def _connected(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "smtps":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port or 465, timeout=self._timeout_s, context=context
            )
        else:
            server = smtplib.SMTP(host, port or 25, timeout=self._timeout_s)
        try:
            if self._url.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, parcel: Parcel) -> EmailMessage:
        m = EmailMessage()
        at = parcel.delivery.queued_at / 1000
        m["From"] = self._from
        m["To"] = Address(addr_spec=parcel.to)
        m["Subject"] = " ".join((parcel.title or parcel.text).split())[:150]
        m["Date"] = format_datetime(datetime.fromtimestamp(at, UTC))
        m["Message-ID"] = f"<{parcel.key}@{self._from.rpartition('@')[2].strip('>')}>"
        m["Auto-Submitted"] = "auto-generated"
        expires = datetime.fromtimestamp(parcel.delivery.expires_at / 1000, UTC)
        m["Expires"] = format_datetime(expires)
        if parcel.delivery.level >= 3 or parcel.delivery.action:
            m["Importance"] = "high"
        m.set_content(parcel.text)
        return m


def _error(e: Exception) -> SendError:
    if isinstance(e, smtplib.SMTPAuthenticationError):
        words = Text("口令被拒", "the password is refused")
        return SendError(f"SMTP {e.smtp_code}: " + words, blames_route=True)
    if isinstance(e, smtplib.SMTPResponseException):
        return _refusal(e.smtp_code, Text("被拒", "refused"), blames_route=None)
    if isinstance(e, TimeoutError):
        return SendError(Text("邮件服务器超时", "the mail server did not answer in time"))
    gone = Text("邮件服务器连不上：", "the mail server could not be reached: ")
    return SendError(gone + type(e).__name__)


def _refusal(code: int, words: Text, *, blames_route: bool | None) -> SendError:
    """RFC 5321, 4.2.1: 5yz would be refused again; 421 is the server's own state."""
    if code == 421:
        return SendError(f"SMTP {code}: " + words)
    return SendError(
        f"SMTP {code}: " + words, permanent=500 <= code < 600, blames_route=blames_route
    )
