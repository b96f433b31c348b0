"""What the carrier and the door share: how a packet is sealed, posted and judged, and opened."""

import hashlib
import secrets
from collections.abc import Callable
from typing import NamedTuple

from urllib3.filepost import encode_multipart_formdata

from config.language import Said, Text
from config.records.channels import Carrier as Row
from config.records.devices.broadcast import STATES
from config.records.district import District
from dispatch.channels import SendError
from dispatch.channels.http.post import LONGEST, refuse, request
from dispatch.channels.platform.ebd.form import (
    HEARTBEAT,
    NORMAL,
    PACKETS_A_DAY,
    Form,
    Wrong,
    day_of,
    packet_id,
)
from dispatch.channels.platform.ebd.packet import Packet, pack, tar_name, unpack
from dispatch.channels.platform.ebd.reader import read_ebd
from dispatch.channels.platform.ebd.records import Body, ConnectionCheck, Ebd, EbdResponse
from dispatch.channels.platform.ebd.signature import read_signature, write_signature
from dispatch.channels.platform.ebd.writer import write_ebd
from dispatch.channels.platform.register import Register
from dispatch.channels.platform.signer import PacketSigner, SignerError, Verifier

RECEIVED, CORRECT, UNREADABLE, MISSING, BAD_SIGNATURE, OTHER = "012345"
RESULT: dict[str, Text] = {
    RECEIVED: Text("已收到，未处理", "received, not yet handled"),
    CORRECT: Text("接收正确", "received and correct"),
    UNREADABLE: Text("无法解析", "cannot be parsed"),
    MISSING: Text("内容缺失", "content missing"),
    BAD_SIGNATURE: Text("签名不对", "the signature is wrong"),
    OTHER: Text("其他", "other"),
}
_ANSWERS = 5000  # to heart-beats, that are remembered
_OF_READING = {"missing": MISSING, "bad_signature_file": BAD_SIGNATURE}


class RefusedPacket(Exception):
    """A packet that is not taken: the ResultCode that it is answered with, why, and the EBDID that its file
    is named for, as far as that could be read. stranger: nothing proves that it is the platform's."""

    def __init__(self, code: str, words: Said, packet: str = "", *, stranger: bool = False) -> None:
        super().__init__(words)
        self.code, self.words, self.packet, self.stranger = code, words, packet, stranger


class Opened(NamedTuple):
    """A packet that is the platform's. main: what was signed; signature: r ‖ s of it, b"" where it was not."""

    ebd: Ebd
    main: bytes
    signature: bytes


class PlatformLink:
    """row: of channels.toml. now: epoch ms. heard_at: the platform's last heart-beat, epoch ms; 0: none."""

    def __init__(
        self,
        district: District,
        row: Row,
        signer: PacketSigner,
        verifier: Verifier,
        register: Register,
        now: Callable[[], int],
    ) -> None:
        self.district, self.row, self.platform = district, row, row.platform
        self.name = row.name
        self.register, self.now = register, now
        self.heard_at, self.since = 0, now()
        self._answers: dict[bytes, None] = {}  # to heart-beats, the oldest first
        self._signer, self._verifier = signer, verifier
        p = row.platform
        self._form = Form(p.version, "1", p.names, p.layout)

    def word_of(self, code: str) -> str:
        """A BrdStateCode in our words (dispatch/channels/status_words.py); one that nobody knows as it is."""
        return {**STATES, **self.platform.states}.get(code, f"BrdStateCode {code}")

    def seal(self, ebd: Ebd, others: tuple[tuple[str, bytes], ...] = ()) -> bytes:
        """The signed tar. Raises SignerError."""
        main = write_ebd(self._form, ebd)
        raw = self._signer.sign(main)
        try:
            signature = write_signature(self._form, ebd.id, raw, self.platform.issuer)
        except Wrong as e:
            raise SignerError(Text("签名不成形：", "no signature came out: ") + str(e)) from e
        return pack(Packet(ebd.id, main, signature, others), ebd.sent_at or 0)

    def envelope(self, packet: str, body: Body, at: int, related: str = "") -> Ebd:
        """To the platform."""
        return Ebd(packet, self.platform.ours, self.platform.theirs, at, body, related)

    def post(self, ebd: Ebd, others: tuple[tuple[str, bytes], ...] = ()) -> EbdResponse:
        """Its answer, which is a yes. Raises SendError: permanent where the platform says that this packet
        is wrong; where nothing certain was said, the same packet may go again."""
        try:
            tar = self.seal(ebd, others)
        except SignerError as e:
            raise SendError(e.args[0]) from e
        part = (tar_name(ebd.id), tar, "application/x-tar")
        body, kind = encode_multipart_formdata({self.platform.field: part})
        timeout_s = self.district.channels.attempt_timeout_s
        answer = request("POST", self.row.url, {"Content-Type": kind}, body, timeout_s)
        refuse(answer.status)
        if len(answer.body) > LONGEST:
            raise SendError(Text("平台的答复太长", "the platform's answer is too long"))
        return self._judged(answer.body, ebd)

    def _judged(self, body: bytes, ebd: Ebd) -> EbdResponse:
        try:
            opened = self.open(body, bare=self.platform.answers == "bare")
        except RefusedPacket as e:
            raise SendError(
                Text("平台的答复不可信：", "the answer is not believed: ") + e.words
            ) from e
        told = opened.ebd.body
        if not isinstance(told, EbdResponse):
            raise SendError(Text("平台答的不是应答", "the platform answered with no EBDResponse"))
        if opened.ebd.related != ebd.id:
            raise SendError(Text("平台答的是另一个包", "the platform answers another packet"))
        if ebd.id.startswith(HEARTBEAT) and self._again(opened):
            raise SendError(Text("平台的应答来过了", "the platform's answer came before"))
        if told.code in (RECEIVED, CORRECT):
            return told
        words = RESULT.get(told.code)
        if words is None:  # no yes, and no no that we know: nothing certain was said
            raise SendError(Text("平台的答复码不认识", "an unknown ResultCode") + f" {told.code}")
        raise SendError(
            Text("平台不收：", "the platform refuses: ") + f"{told.code} " + words,
            permanent=True,
            blames_route=told.code == BAD_SIGNATURE,
        )

    def open(self, tar: bytes, *, bare: bool = False) -> Opened:
        """A packet of the platform, whose signature is looked at before anything that it says. bare: one
        without a signature is taken. Raises RefusedPacket."""
        try:
            packet = unpack(tar)
        except Wrong as e:
            raise _unread(e, stranger=True) from e
        try:
            return self._opened(packet, bare, self._prove(packet, bare))
        except RefusedPacket as e:
            e.packet = packet.name
            raise

    def _prove(self, packet: Packet, bare: bool) -> bytes:
        """r ‖ s. Raises RefusedPacket unless it is signed by the platform, or need not be."""
        words: Said = Text("没有签名", "not signed")
        if packet.signature:
            try:
                signed = read_signature(packet.signature)
            except Wrong as e:
                raise _unread(e, stranger=True) from e
            good = self._verifier.good(packet.main, signed.block.rs)
            if good and signed.packet == packet.name:
                return signed.block.rs
            words = RESULT[BAD_SIGNATURE]
        elif bare or self._may_be_bare(packet):
            return b""
        raise RefusedPacket(BAD_SIGNATURE, words, stranger=True)

    def _opened(self, packet: Packet, bare: bool, signature: bytes) -> Opened:
        try:
            ebd = read_ebd(packet.main)
        except Wrong as e:
            raise _unread(e) from e
        if not packet.signature and not bare and not isinstance(ebd.body, ConnectionCheck):
            raise RefusedPacket(BAD_SIGNATURE, Text("没有签名", "not signed"), stranger=True)
        if ebd.id != packet.name:
            raise RefusedPacket(
                MISSING, Text("文件名与 EBDID 不符", "the file is named for another EBDID")
            )
        if ebd.source != self.platform.theirs:
            raise RefusedPacket(
                OTHER, Text("来源不是约定的平台", "the source is not the agreed platform")
            )
        if ebd.dest not in ("", self.platform.ours):
            raise RefusedPacket(OTHER, Text("不是发给我们的", "addressed to somebody else"))
        return Opened(ebd, packet.main, signature)

    def _may_be_bare(self, packet: Packet) -> bool:
        return self.platform.heartbeats == "bare" and packet.name.startswith(HEARTBEAT)

    def _again(self, answer: Opened) -> bool:
        """All our heart-beats have one number, so an answer played again would do for each. Its time is not
        asked: a platform whose clock is off must not be taken for one that is down. No two signatures are
        alike."""
        digest = hashlib.sha256(answer.signature + answer.main).digest()
        known = bool(answer.signature) and digest in self._answers
        self._answers[digest] = None
        while len(self._answers) > _ANSWERS:
            del self._answers[next(iter(self._answers))]
        return known

    def is_now(self, at: int) -> bool:
        """Within what the clocks may differ."""
        return abs(self.now() - at) <= self.platform.clock_s * 1000

    def any_packet(self) -> str:
        """An EBDID of an answer: whoever asks must not make us write to a disk."""
        number = secrets.randbelow(PACKETS_A_DAY // 2) + PACKETS_A_DAY // 2
        return packet_id(NORMAL, self.platform.ours, day_of(self.now()), number)

    def beat(self) -> None:
        """A heart-beat. Raises SendError."""
        at = self.now()
        ident = packet_id(HEARTBEAT, self.platform.ours, day_of(at), 0)
        self.post(self.envelope(ident, ConnectionCheck(at), at))


def _unread(why: Wrong, *, stranger: bool = False) -> RefusedPacket:
    code = _OF_READING.get(why.reason, UNREADABLE)
    return RefusedPacket(code, RESULT[code] + f" ({why})", stranger=stranger)
