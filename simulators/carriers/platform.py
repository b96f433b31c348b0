"""A county's emergency broadcast platform 应急广播平台, to try the channel with: written from the same facts
as the product's codec (docs/broadcast-platform.md) and from nothing of it, with an SM2 of its own
(gmssl, pure Python), so that the two check each other. What it answers is ours to say and no standard's.

It takes packets at `/` by multipart/form-data, answers each at once, and posts states, its lists and
heart-beats to the other side when it is told to (`play`, `tell_list`, `tell_states`, `beat`), all signed.
"""

import base64
import io
import itertools
import tarfile
import threading
import time
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import NamedTuple
from xml.sax.saxutils import escape

import urllib3
from lxml import etree

from simulators.carriers import LOOKS_EVERY_S

OURS, THEIRS = "41101190000000103010101", "41101190000000103010102"  # the source, the platform
_CHINA_S = 8 * 3600


class Keys(NamedTuple):
    """Hex: 32 bytes, 64 bytes."""

    private: str
    public: str


def keys(number: int) -> Keys:
    """A pair from a seed, for trials alone: never for a real platform."""
    from gmssl import sm2

    private = f"{(0x3945208F7B2144B13F36E38AC6D39F95 + number):064x}"
    curve = sm2.CryptSM2(private_key=private, public_key="")
    public = curve._kg(int(private, 16), sm2.default_ecc_table["g"])
    return Keys(private, str(public))


class CipherDevice:
    """A twin of a county's cipher device at a socket: four bytes of length and the bytes to be signed come,
    74 bytes go back in the same frame. place: as a platform's row names it. Runs until `close`."""

    def __init__(self, own: Keys, serial: str = "000000003363") -> None:
        device = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                size = int.from_bytes(self.rfile.read(4), "big")
                raw = device.sign(self.rfile.read(size))
                self.wfile.write(len(raw).to_bytes(4, "big") + raw)

        self._own, self._serial = own, serial
        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.place = f"tcp://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(LOOKS_EVERY_S,), daemon=True)
        self._thread.start()

    def sign(self, data: bytes) -> bytes:
        """The 74 bytes."""
        from gmssl import sm2

        curve = sm2.CryptSM2(private_key=self._own.private, public_key=self._own.public)
        rs = bytes.fromhex(curve.sign_with_sm3(data))
        return int(time.time()).to_bytes(4, "big") + bytes.fromhex(self._serial) + rs

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Message(NamedTuple):
    """An EBM as it was taken. posts: how often it came."""

    id: str
    type: str
    event: str
    severity: str
    text: str
    areas: str
    related: str
    files: tuple[str, ...]
    fields: dict[str, str]


class Platform:
    """own, other: its keys, and the public key of whoever sends to it. url: where it posts. now: seconds
    since 1970. Runs until `close`.

    How it answers badly is set from outside: `result` (ResultCode), `answer` (changes the bytes of the
    answer), `status` (HTTP), `silent` (it closes without a word)."""

    def __init__(
        self, own: Keys, other_public: str, url: str = "", now: Callable[[], float] = time.time
    ) -> None:
        self.own, self.other_public, self.url, self.now = own, other_public, url, now
        self.code, self.other = THEIRS, OURS
        self.result, self.status, self.silent = "1", 200, False
        self.answer: Callable[[bytes], bytes] = lambda tar: tar
        self.related: Callable[[str], str] = lambda ebd: ebd
        self.lock = threading.Lock()
        self.packets: list[tuple[str, str]] = []  # EBDID, type, as they came
        self.messages: dict[str, Message] = {}
        self.played: list[str] = []  # EBMIDs, each as often as it would sound
        self.withdrawn: list[str] = []
        self.asked: list[str] = []  # OMDType and EBMIDs that were asked for
        self.beats = 0
        self.on_message: Callable[[Message], None] = lambda _: None
        self._count = itertools.count(1)
        self._pool = urllib3.PoolManager()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.at = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(LOOKS_EVERY_S,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._pool.clear()

    # --- what it takes

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the library's name
                size = int(self.headers.get("Content-Length", 0))
                kind = self.headers.get("Content-Type", "")
                body = self.rfile.read(size)
                if platform.silent:
                    self.close_connection = True
                    return
                tar = platform.answer(platform.take(kind, body))
                self.send_response(platform.status)
                self.send_header("Content-Disposition", "attachment;filename=EBDT_1.tar")
                self.send_header("Content-Length", str(len(tar)))
                self.end_headers()
                self.wfile.write(tar)

            def log_message(self, *args: object) -> None: ...

        return Handler

    def take(self, kind: str, body: bytes) -> bytes:
        """A request's answer."""
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        parts = BytesParser(policy=HTTP).parsebytes(head + body)
        tar = next(
            p.get_payload(decode=True)
            for p in parts.iter_parts()
            if (p.get_filename() or "").endswith(".tar")
        )
        files = unpacked(bytes(tar))
        main = next(n for n in files if n.startswith("EBDB_"))
        ident = main[5:-4]
        sign = files.get(f"EBDS_{main}", b"")
        if not self._good(files[main], sign):
            return self._packet("EBDResponse", _result("4"), related=self.related(ident))
        root = etree.fromstring(files[main], _PARSER)
        kind = root.findtext("EBDType") or ""
        if self.result == "1":
            self._do(ident, kind, root, files)
        return self._packet("EBDResponse", _result(self.result), related=self.related(ident))

    def _good(self, main: bytes, sign: bytes) -> bool:
        from gmssl import sm2

        if not sign:
            return False
        value = etree.fromstring(sign, _PARSER).findtext(".//SignatureValue") or ""
        raw = base64.b64decode(value)
        curve = sm2.CryptSM2(private_key="", public_key=self.other_public)
        return len(raw) == 74 and bool(curve.verify_with_sm3(raw[10:].hex(), main))

    def _do(self, ident: str, kind: str, root: etree._Element, files: dict[str, bytes]) -> None:
        with self.lock:
            known = any(i == ident for i, _ in self.packets)
            self.packets.append((ident, kind))
        match kind:
            case "ConnectionCheck":
                self.beats += 1
            case "OMDRequest":
                self.asked.append(root.findtext(".//OMDType") or "")
            case "EBMStateRequest":
                self.asked.append(root.findtext(".//EBMID") or "")
            case "EBM" if not known:
                self._message(root, files)

    def _message(self, root: etree._Element, files: dict[str, bytes]) -> None:
        body = root.find("EBM")
        assert body is not None
        leaves = {e.tag: e.text or "" for e in body.iter() if not len(e)}
        related = body.findtext("RelatedInfo/EBMID") or ""
        found = Message(
            body.findtext("EBMID") or "", leaves["MsgType"], leaves["EventType"], leaves["Severity"],
            leaves["MsgDesc"], leaves["AreaCode"], related,
            tuple(n for n in files if n.startswith("EBDR_")), leaves,
        )  # fmt: skip
        with self.lock:
            if found.type == "2":
                self.withdrawn.append(found.related or found.id)
                self.messages.pop(found.related or found.id, None)
                return
            if (
                self.messages.get(found.id) != found
            ):  # a known one with the same words is played once
                self.played.append(found.id)
            self.messages[found.id] = found
        self.on_message(found)

    # --- what it says by itself

    def state(self, message: str, code: str, terminals: list[tuple[str, str]] = [], *,  # noqa: B006
              rate: str = "", counts: str = "", words: str = "") -> int:  # fmt: skip
        """EBMStateResponse. terminals: (code, BrdStateCode). The HTTP status of the answer, and what it
        said in `self.said`."""
        return self._post(
            "EBMStateResponse", _state(message, code, terminals, rate, counts, words, self.time())
        )

    def log(self, *states: tuple[str, str]) -> int:
        """EBMBrdLog of (EBMID, BrdStateCode)."""
        items = "".join(
            f"<EBMBrdItem><EBM><EBMID>{m}</EBMID></EBM><BrdStateCode>{c}</BrdStateCode></EBMBrdItem>"
            for m, c in states
        )
        return self._post("EBMBrdLog", f"<Params/>{items}")

    def beat(self) -> int:
        return self._post("ConnectionCheck", f"<RptTime>{self.time()}</RptTime>", kind="01")

    def tell_list(self, terminals: list[tuple[str, str, float, float]]) -> int:
        return self.send(self.list_of(terminals))

    def tell_states(self, states: list[tuple[str, str]]) -> int:
        return self.send(self.states_of(states))

    def list_of(self, terminals: list[tuple[str, str, float, float]]) -> bytes:
        """The packet of an EBRDTInfo of (code, name, lon, lat)."""
        items = "".join(
            f"<EBRDT><RptTime>{self.time()}</RptTime><RptType>Sync</RptType><EBRID>{c}</EBRID>"
            f"<EBRName>{escape(n)}</EBRName><Longitude>{x}</Longitude><Latitude>{y}</Latitude></EBRDT>"
            for c, n, x, y in terminals
        )
        return self._packet("EBRDTInfo", f"<Params/>{items}")

    def states_of(self, states: list[tuple[str, str]]) -> bytes:
        """The packet of an EBRDTState of (code, StateCode)."""
        items = "".join(
            f"<EBRDT><RptTime>{self.time()}</RptTime><EBRID>{c}</EBRID><StateCode>{s}</StateCode></EBRDT>"
            for c, s in states
        )
        return self._packet("EBRDTState", items)

    def time(self, ahead_s: float = 0.0) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.now() + _CHINA_S + ahead_s))

    def _post(self, kind_of: str, body: str, kind: str = "10") -> int:
        return self.send(self._packet(kind_of, body, kind=kind))

    def send(self, tar: bytes, field: str = "file", name: str = "EBDT_1.tar") -> int:
        """Any bytes as a packet."""
        told = self._pool.request(
            "POST", self.url, fields={field: (name, tar)}, timeout=90.0, retries=False
        )
        self.said = told.data
        return told.status

    def result_said(self) -> str:
        """The ResultCode of the other side's last answer."""
        files = unpacked(self.said)
        main = next(v for n, v in files.items() if n.startswith("EBDB_"))
        return etree.fromstring(main, _PARSER).findtext(".//ResultCode") or ""

    def packet(self, kind_of: str, body: str, **more: str) -> bytes:
        """A signed packet, to be spoilt."""
        return self._packet(kind_of, body, **more)

    def _packet(
        self, kind_of: str, body: str, kind: str = "10", related: str = "", at: str = "", dest: str = "",
        source: str = "", ident: str = "",
    ) -> bytes:  # fmt: skip
        number = 0 if kind == "01" else next(self._count)
        ident = ident or f"{kind}{self.code}{number:016d}"
        answers = (
            f"<RelatedEBD><EBDID>{related}</EBDID></RelatedEBD>" if related else "<RelatedEBD/>"
        )
        main = (
            f'<?xml version="1.0" encoding="UTF-8"?><EBD><EBDVersion>1</EBDVersion><EBDID>{ident}</EBDID>'
            f"<EBDType>{kind_of}</EBDType><SRC><EBRID>{source or self.code}</EBRID></SRC>"
            f"<DEST><EBRID>{dest or self.other}</EBRID></DEST><EBDTime>{at or self.time()}</EBDTime>{answers}"
            f"<{kind_of}>{body}</{kind_of}></EBD>"
        ).encode()
        return packed(
            {f"EBDB_{ident}.xml": main, f"EBDS_EBDB_{ident}.xml": self.signed(ident, main)}
        )

    def signed(self, ident: str, main: bytes) -> bytes:
        """The short form of a signature file."""
        from gmssl import sm2

        curve = sm2.CryptSM2(private_key=self.own.private, public_key=self.own.public)
        rs = bytes.fromhex(curve.sign_with_sm3(main))
        raw = int(self.now()).to_bytes(4, "big") + bytes.fromhex("000000000042") + rs
        value = base64.b64encode(raw).decode()
        return (
            f"<Signature><Version>1</Version><RelatedEBD><EBDID>{ident}</EBDID></RelatedEBD>"
            f"<CertSN>000000000042</CertSN><SignatureAlgorithm>SM2-SM3</SignatureAlgorithm>"
            f"<SignatureValue>{value}</SignatureValue></Signature>"
        ).encode()


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def _result(code: str) -> str:
    return (
        f"<ResultCode>{code}</ResultCode><ResultDesc>{'ok' if code == '1' else 'no'}</ResultDesc>"
    )


def _state(
    message: str, code: str, terminals: list[tuple[str, str]], rate: str, counts: str, words: str, at: str
) -> str:  # fmt: skip
    by = "".join(
        f"<EBRBS><EBRID>{c}</EBRID><RptTime>{at}</RptTime><BrdStateCode>{s}</BrdStateCode></EBRBS>"
        for c, s in terminals
    )
    return (
        f"<RptTime>{at}</RptTime><EBM><EBMID>{message}</EBMID></EBM><BrdStateCode>{code}</BrdStateCode>"
        f"<BrdStateDesc>{escape(words)}</BrdStateDesc><Coverage><CoverageRate>{rate}</CoverageRate>"
        f"<AreaCode>110119100201</AreaCode><ResBrdStat>{counts}</ResBrdStat></Coverage>"
        f"<ResBrdInfo><ResBrdItem>{by}</ResBrdItem></ResBrdInfo>"
    )


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def unpacked(tar: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as t:
        return {m.name: part.read() for m in t if (part := t.extractfile(m)) is not None}
