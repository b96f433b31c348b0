"""A broadcast platform as a carrier: a new message, an update, a cancel, each answered at once. What
became of it comes later, at the door (`dispatch.channels.platform.door`).

`accepted` means that the platform has read and verified the packet, and nothing more. A cancel that it has
taken is `delivered`: there is nothing to be played; what was not taken is asked for with each heart-beat, as
long as the message would sound. An update is a new message, and the older one is
withdrawn once the new one is taken, so that at no instant none is on the air; or, where the platform is
known to overwrite (`update`), the same number again.
"""

import threading
from collections.abc import Callable

from config.language import Said, Text, text_of
from config.records.level import Action
from dispatch.channels import Parcel, SendError, SendResult
from dispatch.channels.platform.ebd.records import EbdResponse, Ebm, OmdRequest, StateRequest
from dispatch.channels.platform.link import RECEIVED, PlatformLink
from dispatch.channels.platform.message import cancel_of, ebm_of
from dispatch.channels.platform.register import NEWER, OVER, Sent
from stream.guard import fault
from stream.oplog import Seldom

_UNKNOWN = Text(
    "没有登记发给平台的消息编号，请在平台上手工撤播",
    "no number of a message of this warning is known: withdraw it at the platform by hand",
)
_STILL = Text("；旧版未撤下：", "; the older version was not withdrawn: ")
_NO_SOUND = Text("；无声音文件：", "; without its sound: ")
_HUNG = Text("合成声音超时，暂不再试", "the voice takes too long and is not tried for now")
_MUTE_MS = 300_000
_SOUNDS = 16  # kept for a retry
_FIRST_LIST_S = 10.0
_seldom = Seldom(600.0)


class ByPlatform:
    """speak(text) -> MP3; None: text alone. Raises what it likes, and the text goes without; after a
    TimeoutError all do for five minutes."""

    def __init__(self, link: PlatformLink, speak: Callable[[str], bytes] | None = None) -> None:
        self.name, self.link = link.name, link
        self._speak = speak
        self._sounds: dict[str, bytes] = {}
        self._mute_until = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, parcel: Parcel) -> SendResult:
        d = parcel.delivery
        if d.msg_type == "cancel":
            return self._withdrawn(d.alert)
        p = self.link.platform
        wanted = self._speak is not None and (p.sound_for == "all" or d.action > Action.NONE)
        sound, silent = self._sound(parcel) if wanted else (b"", "")
        title = parcel.title or str(parcel.text)[:20]

        def make(number: str, at: int) -> Ebm:
            file = f"EBDR_{number}.mp3" if sound else ""
            return ebm_of(self.link.district, p, d, (title, parcel.text), number, at, file)

        sent = self.link.register.taken_down(parcel.key, d, make, overwrite=p.update == "overwrite")
        again = sent.taken
        packet = sent.packet
        told = self._post(sent, sound)
        self.link.register.note(sent, taken=True)
        self._late(sent, packet)
        if again:  # it has it, and said nothing since: it is asked
            self._ask(sent)
        return SendResult("accepted", _taken(told, sent) + silent + self._older(sent))

    def _post(self, sent: Sent, sound: bytes) -> EbdResponse:
        files = tuple((a.name, sound) for a in sent.ebm.attached if sound)
        message = sent.ebm if files else sent.ebm._replace(attached=())
        return self.link.post(self.link.envelope(sent.packet, message, sent.at), files)

    def _late(self, sent: Sent, packet: str) -> None:
        """A newer version, or the cancel, may have gone ahead while this one was on its way: then it is the
        platform's last word now, and must not stay. Raises SendError, for it is not out."""
        register = self.link.register
        if (newer := register.overwritten(sent)) is not None:
            with self._lock:
                sound = self._sounds.get(newer.key, b"")
            self._post(newer, sound)
            raise SendError(NEWER, permanent=True)
        if late := register.overtaken(sent, packet):
            self._withdraw(late)
            raise SendError(OVER, permanent=True)

    def _older(self, sent: Sent) -> Said:
        """What of the warning was on the air before is taken off."""
        try:
            self._withdraw(self.link.register.to_withdraw(sent.alert, but=sent.key))
        except SendError as e:  # the new one is out, and that is what counts
            return _STILL + e.detail
        return ""

    def _withdrawn(self, alert: str) -> SendResult:
        if not self.link.register.knows(alert):
            raise SendError(_UNKNOWN, permanent=True)
        self._withdraw(self.link.register.to_withdraw(alert))  # nothing where it was done before
        return SendResult("delivered", Text("平台已收撤播", "the platform took the withdrawal"))

    def _withdraw(self, there: list[Sent]) -> None:
        """Each of them, whatever becomes of the others. Raises SendError, the first."""
        errors: list[SendError] = []
        for s in there:
            cancel = s.withdrawal
            try:
                self.link.post(self.link.envelope(cancel, cancel_of(s.ebm), s.withdrawal_at))
            except SendError as e:
                if s.taken or not e.permanent:
                    errors.append(e)
                    continue
                # nobody knew whether it was taken: a platform that refuses its end never had it
            self.link.register.note(s, withdrawn=cancel)
        if errors:
            raise errors[0]

    def _ask(self, sent: Sent) -> None:
        """How does it stand? The answer comes to the door."""
        try:
            packet = self.link.register.packet()
            body = StateRequest(sent.ebm.id)
            self.link.post(self.link.envelope(packet, body, self.link.now()))
        except SendError as e:
            _seldom(
                "send", self.name + Text(" 不答状态查询：", ": no answer to a request: ") + e.detail
            )

    def _sound(self, parcel: Parcel) -> tuple[bytes, Said]:
        with self._lock:
            if parcel.key in self._sounds:
                return self._sounds[parcel.key], ""
            if self.link.now() < self._mute_until:
                return b"", _NO_SOUND + _HUNG
        assert self._speak is not None
        try:
            made = self._speak(parcel.text)
        except TimeoutError:  # every warning would wait for it
            with self._lock:
                self._mute_until = self.link.now() + _MUTE_MS
            return b"", _NO_SOUND + _HUNG
        except Exception as e:  # noqa: BLE001  # whatever the voice lacks, the platform reads the text
            return b"", _NO_SOUND + (text_of(e) if isinstance(e, ValueError) else fault(e))
        with self._lock:
            self._sounds[parcel.key] = made
            while len(self._sounds) > _SOUNDS:
                del self._sounds[next(iter(self._sounds))]
        return made, ""

    def probe(self) -> bool:
        """A heart-beat; they go on by themselves from the first one."""
        self.link.beat()
        with self._lock:
            if self._thread is None and not self._stop.is_set() and self.link.platform.heartbeat_s:
                name = f"heart-{self.name}"
                self._thread = threading.Thread(target=self._beat, name=name, daemon=True)
                self._thread.start()
        return True

    def close(self) -> None:
        """Ends with the heart-beat under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _beat(self) -> None:
        p, left = self.link.platform, _FIRST_LIST_S
        while not self._stop.wait(p.heartbeat_s):
            left -= p.heartbeat_s
            try:
                self.link.beat()
                if left <= 0 and p.list_every_h:
                    self._ask_for_lists()
                    left = p.list_every_h * 3600.0
                self._withdraw(self.link.register.still_to_withdraw())
            except SendError as e:  # the prober tells of a way that is down
                words = Text(" 心跳或撤播未收：", ": a heart-beat or withdrawal was not taken: ")
                _seldom("send", self.name + words + e.detail)
            except Exception as e:  # noqa: BLE001  # a heart must not stop for one bad beat
                _seldom("send", self.name + " heart: " + fault(e))

    def _ask_for_lists(self) -> None:
        for what in ("EBRDTInfo", "EBRDTState"):
            at = self.link.now()
            body = OmdRequest(what, at - 86_400_000, at)
            self.link.post(self.link.envelope(self.link.register.packet(), body, at))


def _taken(told: EbdResponse, sent: Sent) -> Text:
    """With the number under which the platform's people find it."""
    if told.code == RECEIVED:
        return Text(f"平台已收，未处理 {sent.ebm.id}", f"received, not yet handled {sent.ebm.id}")
    return Text(f"平台已收 {sent.ebm.id}", f"taken by the platform {sent.ebm.id}")
