"""Is the trunk there? One request OPTIONS (RFC 3261, 11), to which any answer will do; nothing is called."""

import secrets
import socket
from urllib.parse import SplitResult

from config.language import Text
from dispatch.channels import SendError

_AGAIN_S = 0.5  # T1 of RFC 3261
_SILENT = Text("中继无应答", "the trunk does not answer")


def answers(url: SplitResult, within_s: float) -> None:
    """Raises SendError if it does not."""
    host, port = url.hostname or "", url.port or 5060
    try:
        if url.scheme == "sip+tcp":
            socket.create_connection((host, port), within_s).close()
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((host, port))
            here = "{}:{}".format(*s.getsockname())
            request, waited = _options(host, port, here), 0.0
            while waited < within_s:
                s.send(request)
                s.settimeout(_AGAIN_S)
                try:
                    if s.recv(2048).startswith(b"SIP/2.0 "):
                        return
                except TimeoutError:
                    waited += _AGAIN_S
    except OSError as e:
        why = Text("中继连不上：", "the trunk could not be reached: ")
        raise SendError(why + str(e.strerror or type(e).__name__)) from e
    raise SendError(_SILENT)


def _options(host: str, port: int, here: str) -> bytes:
    ident = secrets.token_hex(8)
    return (
        f"OPTIONS sip:{host}:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{ident};rport\r\n"
        f"From: <sip:probe@{here}>;tag={ident}\r\nTo: <sip:{host}:{port}>\r\n"
        f"Call-ID: {ident}@{here}\r\nCSeq: 1 OPTIONS\r\nContact: <sip:probe@{here}>\r\n"
        "Max-Forwards: 70\r\nUser-Agent: fengsui\r\nContent-Length: 0\r\n\r\n"
    ).encode()
