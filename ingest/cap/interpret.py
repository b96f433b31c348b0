"""From a CAP message to what it means here: which source, is it true, which of our areas and hazards,
which level. Pure: the district and the time of receipt are arguments.

Nothing that is found here is a warning: it is another authority's word, and a person's or our own
sensors' to confirm (`dispatch.decide.policy`).
"""

import hashlib
from typing import NamedTuple

import msgspec
from cryptography import x509

from config.language import Said, Text, joined
from config.records.district import District
from config.records.level import Level
from config.records.sources import Source
from ingest.cap.areas import Where
from ingest.cap.decode import (
    CapInfo,
    CapMessage,
    Wrong,
    is_signed,
    open_cap,
    read_cap,
    sender_of,
    verified,
)
from ingest.cap.envelopes import of_play
from ingest.identify import AHEAD_MS
from ingest.observation import CapIn, CapRef, CapSays
from stream.records import Rejected

_HEADLINE, _NOTE, _NAME = 200, 500, 300
_DEVIATIONS = 20
_ONSET_MS = 7 * 86_400_000  # so far ahead a warning may begin; what is further is no forecast
# what a run of our kind may hear: an exercise's words never count as real, nor real ones as play
_HEARD = {True: ("Actual",), False: ("Exercise", "Test")}
_NO_REFERENCES = Text("没有 references，不知取消哪条", "it has no references")


class Listened(NamedTuple):
    """What a message is, and in words what of it could not be read."""

    found: CapIn | Rejected
    unread: tuple[Said, ...] = ()


class Hearing:
    """Whom a run of a district hears. live: the kind of the run."""

    def __init__(self, district: District, live: bool) -> None:
        self._district = district
        self._live = live
        self._by_sender = {x: s for s in district.sources.source.values() for x in s.senders}
        self._certificates = {
            s.id: [
                x509.load_pem_x509_certificate(district.sources.certificates[name].encode())
                for name in s.certificates
            ]
            for s in district.sources.source.values()
        }
        self._where = Where(district)

    def heard(self, body: bytes, received_at: int, source: str = "") -> CapIn | Rejected:
        """A message received at `received_at` (ms). source: where the way it came belongs to one
        (a topic, a feed), its id; the message must be of the same."""
        return self.listen(body, received_at, source).found

    def listen(
        self,
        body: bytes,
        received_at: int,
        source: str = "",
        wrapped: str = "",
        notes: tuple[Said, ...] = (),
    ) -> "Listened":
        """`heard`, and in words what of a message that is taken could not be read. wrapped: what the
        envelope that it came in says of its status (`ingest.cap.envelopes`); notes: what had to be
        mended of the document."""
        try:
            found, lost = self._heard(body, received_at, source, wrapped)
        except Wrong as e:
            return Listened(e.rejected)
        if notes:
            told = (*notes, *found.deviations)[:_DEVIATIONS]
            found = msgspec.structs.replace(found, deviations=told)
        return Listened(found, lost)

    def _heard(
        self, body: bytes, received_at: int, way: str, wrapped: str
    ) -> tuple[CapIn, tuple[Said, ...]]:
        root = open_cap(body)
        source = self._source(sender_of(root) or read_cap(root).sender, way)
        # without a certificate a signature tells nothing
        signed = is_signed(root) and bool(self._certificates[source.id])
        if signed:
            root = verified(body, self._certificates[source.id], received_at)
        message = read_cap(root)
        if message.sender not in source.senders:
            raise Wrong("bad_signature", Text("签名者不是发布者", "another sender signed it"))
        if not signed and not source.unsigned:
            words = Text(f"{source.id} 的消息须有签名", f"messages of {source.id} must be signed")
            raise Wrong("unsigned", words)
        self._status(message, wrapped)
        expires_at = self._times(source, message, received_at)
        asks = message.msg_type in ("ack", "error")
        if asks:
            self._of_ours(source, message)
        says = (
            () if asks or message.msg_type == "cancel" else self._says(source, message, received_at)
        )
        if message.msg_type == "cancel" and not message.references:
            why = joined(message.unread[:3], Text("；", "; ")) if message.unread else _NO_REFERENCES
            nothing = Text("Cancel 不取消任何预警：", "this Cancel cancels nothing: ")
            raise Wrong("bad_reference", nothing + why)
        blind = _blind(source, message)
        empty = message.msg_type == "alert" or not message.references or blind
        if not says and not asks and message.msg_type != "cancel" and empty:
            raise self._nothing(source, message)
        references, unread = message.references, message.unread
        if message.msg_type == "update" and blind:
            # what it says in place of the earlier is not all there: the earlier stays
            references = ()
            unread = (*unread, Text("所更新的预警仍有效", "what it updates stays in force"))
        found = CapIn(
            source=source.id,
            sender=message.sender,
            identifier=message.identifier[:_NAME],
            sent_at=message.sent_at,
            received_at=received_at,
            expires_at=expires_at,
            msg_type=message.msg_type,  # type: ignore[arg-type]  # `cap_shape` allows only these
            ref=hashlib.sha256(body).hexdigest(),
            signed=signed,
            references=tuple(CapRef(sender=s, identifier=i, sent_at=at) for s, i, at in references),
            says=says,
            headline=next((i.headline for i in message.infos), "")[:_HEADLINE],
            note=message.note[:_NOTE],
            deviations=(*unread, *message.notes, *self._by_name(message))[:_DEVIATIONS],
        )
        return found, unread

    def _status(self, message: CapMessage, wrapped: str) -> None:
        """Raises `Wrong` for what this run does not hear."""
        heard = _HEARD[self._live]
        if message.status not in heard:
            words = Text(
                f"状态 {message.status}：本次运行只听 {'、'.join(heard)}",
                f"status {message.status}: this run hears {', '.join(heard)}",
            )
            raise Wrong("wrong_status", words)
        if message.status == "Actual" and of_play(wrapped):
            words = Text(
                f"外层说 {wrapped[:40]!r}，消息说 Actual：不当真",
                f"the envelope says {wrapped[:40]!r}, the message Actual: not real",
            )
            raise Wrong("wrong_status", words)

    def _by_name(self, message: CapMessage) -> list[Said]:
        """What of ours was known by words alone."""
        return [
            f"areaDesc {a.name[:60]!r}: " + Text("只有地名，按地名", "by its name alone")
            for i in message.infos
            for a in i.areas
            if not (a.polygons or a.circles or a.codes) and self._where.by_name(a.name)
        ]

    def _source(self, sender: str, way: str) -> Source:
        source = self._by_sender.get(sender)
        if source is None:
            words = Text(
                f"发布者 {sender[:80]!r} 不在 sources.toml",
                f"the sender {sender[:80]!r} is not in sources.toml",
            )
            raise Wrong("unknown_source", words)
        if way and way != source.id:
            words = Text(f"{way} 送来 {source.id} 的消息", f"{way} brings a message of {source.id}")
            raise Wrong("unknown_source", words)
        return source

    def _times(self, source: Source, message: CapMessage, received_at: int) -> int:
        """When it ends to count. Raises `Wrong` for one that cannot be now."""
        if message.sent_at > received_at + AHEAD_MS:
            words = Text("sent 在未来：请检查对时", "sent lies ahead: set its clock right")
            raise Wrong("clock_ahead", f"{source.id}: " + words)
        onset_at = max((i.onset_at or message.sent_at for i in message.infos), default=0)
        begins_at = min(max(message.sent_at, onset_at), message.sent_at + _ONSET_MS)
        longest = begins_at + source.valid_s * 1000
        if longest <= received_at:
            words = Text(f"发布已超过 {source.valid_s} 秒", f"sent over {source.valid_s} s ago")
            raise Wrong("expired", f"{source.id}: " + words)
        ends = [i.expires_at for i in message.infos if i.expires_at is not None]
        whole = len(ends) == len(message.infos) and bool(ends)
        expires_at = min(max(ends), longest) if whole else longest
        if expires_at <= received_at and message.msg_type in ("alert", "update"):
            words = Text("有效期已过", "its validity is over")
            raise Wrong("expired", f"{source.id}: " + words)
        return longest if message.msg_type not in ("alert", "update") else expires_at

    def _of_ours(self, source: Source, message: CapMessage) -> None:
        if source.id not in self._district.sources.neighbour:
            words = Text(
                f"{source.id} 不是邻县，没有发给它过",
                f"{source.id} is no neighbour: nothing was sent to it",
            )
            raise Wrong("bad_reference", words)
        if not any(sender == self._district.sender for sender, _, _ in message.references):
            words = Text("回执未指明我们的消息", "it answers no message of ours")
            raise Wrong("bad_reference", words)

    def _says(self, source: Source, message: CapMessage, at: int) -> tuple[CapSays, ...]:
        found: dict[tuple[str, str], Level] = {}
        for info in message.infos:
            level = _level(source, info, message)
            if info.over or not level or (info.expires_at or at + 1) <= at:
                continue
            for hazard in source.hazards_of(info.events):
                for area in self._where.areas(source, info):
                    found[area, hazard] = max(level, found.get((area, hazard), Level.NONE))
        return tuple(
            CapSays(area=area, hazard=hazard, level=level)
            for (area, hazard), level in sorted(found.items())
        )

    def _nothing(self, source: Source, message: CapMessage) -> Wrong:
        """Why nothing of it is left. What could not be read may have been ours."""
        events = [e for i in message.infos for e in i.events]
        nameless = any(not i.events for i in message.infos)
        if not nameless and not source.hazards_of(events):
            shown = ", ".join(map(repr, events[:4]))
            words = Text(
                f"灾种不在 sources.toml 的 hazards：{shown}", f"no hazard of ours for {shown}"
            )
            return Wrong("not_for_us", words)
        if message.unread:
            unread = joined(message.unread[:3], Text("；", "; "))
            return Wrong("bad_payload", Text("读不懂：", "cannot be read: ") + unread)
        if not any(self._where.areas(source, i) for i in message.infos):
            return Wrong("not_for_us", Text("不涉及本区", "it touches no area of ours"))
        words = Text(
            "没有我们认识的等级，或都已结束", "it names no level that we know, or all is over"
        )
        return Wrong("not_for_us", words)


def _level(source: Source, info: CapInfo, message: CapMessage) -> Level:
    """By the colour that it names, or that its translation names (of the same severity), the highest of
    several; else by the severity. None where neither can be read."""
    translations = [i for i in message.infos if i is not info and i.severity == info.severity != ""]
    for other in (info, *translations):
        levels = [source.level_of(v) for n, v in other.parameters if n == source.level_parameter]
        known = [level for level in levels if level is not None]
        if known:
            return max(known)
    return source.level_of(info.severity) or Level.NONE


def _blind(source: Source, message: CapMessage) -> bool:
    """Whether what it says of some place or hazard is among what could not be read, and no translation
    beside it says the same."""
    lost = [
        i
        for i in message.infos
        if not i.over and (not i.events or any(a.blind for a in i.areas) or _no_level(source, i))
    ]
    whole = [i for i in message.infos if i not in lost]
    return not all(
        any(w.language != i.language and set(i.areas) <= set(w.areas) for w in whole) for i in lost
    )


def _no_level(source: Source, info: CapInfo) -> bool:
    return not info.severity and not any(n == source.level_parameter for n, _ in info.parameters)
