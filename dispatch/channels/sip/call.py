"""The life of one call: what came from the line, in order, becomes what is done and what is said of it.
Pure; times are seconds of a clock that never goes back.

The text begins when somebody has picked up, whatever was heard before (an operator's tune while it rings
comes as early media). A person confirms by the key, or the code, after the whole text was said once and
got there; a key before that is remembered and does not count, and the text goes on. Where the far end
changes the sound's way (a hold, another codec) the text begins anew. Whoever answers without the key, a
machine or a mailbox among them, has not been reached.
"""

from typing import Literal, NamedTuple

from config.language import Said, Text
from dispatch.channels.status_words import SIP_ROUTE, SIP_WORD

ARRIVED = 0.8  # of the packets that the far end should have; below it nobody has heard the whole
_JUDGED_S = 4.0  # after so much sound; less says nothing
_PACKET_S = 0.02
_GONE = Text("媒体程序退出", "the media program ended")
_MUTE = Text("声音播不出：", "the sound cannot be played: ")


class Plan(NamedTuple):
    """heard_s: from the sound's begin to the end of the text's first time. whole_s: to the sound's end.
    ring_s: as long it may ring. most_s: the whole call. digits: what confirms. code: they were said. asked:
    they are the code of an answer (dispatch/proving/codes.py)."""

    heard_s: float
    whole_s: float
    ring_s: float
    most_s: float
    digits: str
    code: bool = False
    asked: bool = False


class LineEvent(NamedTuple):
    """What the line says. offer: the far end changes the sound's way. held: no sound leaves. digit: `key`.
    sent, lost: packets until now, for `carried`. words: of a refusal or an end, as the program has them;
    `status` is SIP's, 0 where there was none."""

    kind: Literal[
        "ringing", "up", "offer", "sounding", "held", "mute", "key", "carried", "closed", "gone"
    ]
    digit: str = ""
    sent: int = 0
    lost: int = 0
    status: int = 0
    words: str = ""


class Do(NamedTuple):
    """play: the text. ask: does sound leave. thank: say so, for the key has counted. hang_up. tell: a word of
    `status_words.CALL`; the last one is `final`. route: the trunk's fault and not this call's."""

    what: Literal["play", "ask", "thank", "hang_up", "tell"]
    word: str = ""
    detail: Said = ""
    final: bool = False
    route: bool = False


class Call:
    """plan; begun: when it was dialled."""

    def __init__(self, plan: Plan, begun: float) -> None:
        self.plan, self._begun = plan, begun
        self.over = False
        self._rang = False
        self._up_at: float | None = None
        self._from: float | None = None  # the text's begin
        self._keyed, self._early, self._wrong, self._garbled = "", False, False, False
        self._carried: float | None = None
        self._held = False

    def heard(self, e: LineEvent, at: float) -> list[Do]:
        """What is to be done about it."""
        if self.over:
            return []
        match e.kind:
            case "ringing" if not self._rang and self._up_at is None:
                self._rang = True
                return [Do("tell", "ringing")]
            case "up" if self._up_at is None:
                self._up_at = at
                return [Do("tell", "picked_up"), Do("play")]
            case "offer" if self._up_at is not None:
                self._from, self._keyed = None, ""  # what was said may have gone nowhere
                return [Do("play")]
            case "sounding" if self._up_at is not None:
                self._from, self._held = at, False
                return [Do("ask")]
            case "held":
                self._held = True
            case "mute":
                return self._end("failed", _MUTE + e.words, hang_up=True, route=True)
            case "carried" if self._from is not None and at - self._from >= _JUDGED_S:
                # since somebody picked up the packets are as many as the time has room for
                self._carried = (e.sent - e.lost) * _PACKET_S / (at - (self._up_at or at))
            case "key" if self._from is not None:
                return self._key(e.digit, at)
            case "closed":
                return self._closed(e, at)
            case "gone":
                return self._end("failed", _GONE)
        return []

    def tick(self, at: float) -> list[Do]:
        """What is due by now."""
        if self.over:
            return []
        if self._up_at is None:
            if at - self._begun >= self.plan.ring_s:
                return self._end("no_answer" if self._rang else "unreachable", hang_up=True)
            return []
        said = self._from is not None and at - self._from >= self.plan.whole_s
        if said or at - self._begun >= self.plan.most_s:
            return self._end(self._unconfirmed(), hang_up=True)
        return []

    def hung_up(self) -> list[Do]:
        """We end it, for we stop: nothing is said of it, and it is made again."""
        self.over = True
        return [Do("hang_up")]

    def _key(self, digit: str, at: float) -> list[Do]:
        assert self._from is not None
        p = self.plan
        self._keyed = (self._keyed + digit)[-len(p.digits) :]
        if self._keyed != p.digits:
            self._wrong = self._wrong or (p.code and len(self._keyed) == len(p.digits))
            return []
        self._keyed = ""
        if at - self._from < p.heard_s:
            self._early = True
            return []
        if self._held or (self._carried is not None and self._carried < ARRIVED):
            self._garbled = True
            return []
        self.over = True
        word = "confirmed_by_code" if p.asked else "confirmed"
        return [Do("tell", word, final=True), Do("thank")]

    def _closed(self, e: LineEvent, at: float) -> list[Do]:
        if self._up_at is not None:
            whole = self._from is not None and at - self._from >= self.plan.heard_s
            return self._end(self._unconfirmed(left=not whole))
        if not e.status:
            return self._end("failed", Text("中继不通：", "the trunk: ") + e.words, route=True)
        route = e.status in SIP_ROUTE or 500 <= e.status < 600
        word = SIP_WORD.get(e.status, "failed")
        return self._end(word, f"SIP {e.status}", route=route)

    def _unconfirmed(self, *, left: bool = False) -> str:
        """Why it does not count, the most telling first. left: before the text was over."""
        if self._garbled:
            return "garbled"
        if self._early:
            return "confirmed_early"
        if self._wrong:
            return "wrong_code"
        return "hung_up" if left else "no_key"

    def _end(
        self, word: str, detail: Said = "", *, hang_up: bool = False, route: bool = False
    ) -> list[Do]:
        self.over = True
        told = Do("tell", word, detail, final=True, route=route)
        return [told, Do("hang_up")] if hang_up else [told]
