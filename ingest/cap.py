"""From a CAP message to what it means here: which source, is it true, which of our areas and hazards,
which level. Pure: the district and the time of receipt are arguments.

Nothing that is found here is a warning: it is another authority's word, and a person's or our own
sensors' to confirm (`dispatch.policy`).
"""

import hashlib
import math
from collections.abc import Iterator
from typing import NamedTuple

import shapely
from cryptography import x509
from shapely.geometry import MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

from config.district import District
from config.level import Level
from config.sources import Source
from ingest.decode.cap import (
    CapArea,
    CapInfo,
    CapMessage,
    Circle,
    Wrong,
    is_signed,
    parse_cap,
    read_cap,
    verified,
)
from ingest.decode.reading import Rejected
from ingest.identify import AHEAD_MS
from ingest.observation import CapIn, CapRef, CapSays

_KM_A_DEGREE = 111.32  # of latitude
_HEADLINE, _NOTE, _NAME = 200, 500, 300
# what a run of our kind may hear: an exercise's words never count as real, nor real ones as play
_HEARD = {True: ("Actual",), False: ("Exercise", "Test")}


class Listened(NamedTuple):
    """What a message is, and in words what of it could not be read."""

    found: CapIn | Rejected
    unread: tuple[str, ...] = ()


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
        self._shapes: dict[str, BaseGeometry] = {
            a.id: _ring(a.polygon) if a.polygon else shapely.Point(a.lon, a.lat)
            for a in district.areas.values()
        }

    def heard(self, body: bytes, received_at: int, source: str = "") -> CapIn | Rejected:
        """A message received at `received_at` (ms). source: where the way it came belongs to one
        (a topic, a feed), its id; the message must be of the same."""
        return self.listen(body, received_at, source).found

    def listen(self, body: bytes, received_at: int, source: str = "") -> "Listened":
        """`heard`, and in words what of a message that is taken could not be read."""
        try:
            return Listened(*self._heard(body, received_at, source))
        except Wrong as e:
            return Listened(e.rejected)

    def _heard(self, body: bytes, received_at: int, way: str) -> tuple[CapIn, tuple[str, ...]]:
        root = parse_cap(body)
        source = self._source(read_cap(root).sender, way)
        # without a certificate a signature tells nothing
        signed = is_signed(root) and bool(self._certificates[source.id])
        if signed:
            root = verified(body, self._certificates[source.id], received_at)
        message = read_cap(root)
        if message.sender not in source.senders:
            raise Wrong("bad_signature", "签名者不是发布者 another sender signed it")
        if not signed and not source.unsigned:
            raise Wrong("unsigned", f"{source.id} 的消息须有签名 must be signed")
        if message.status not in _HEARD[self._live]:
            raise Wrong(
                "wrong_status",
                f"状态 status {message.status}: 本次运行只听 this run hears {_HEARD[self._live]}",
            )
        expires_at = self._times(source, message, received_at)
        asks = message.msg_type in ("ack", "error")
        if asks:
            self._of_ours(source, message)
        says = (
            () if asks or message.msg_type == "cancel" else self._says(source, message, received_at)
        )
        if message.msg_type == "cancel" and not message.references:
            why = "; ".join(message.unread[:3]) or "没有 references 不知取消哪条"
            raise Wrong("bad_reference", f"Cancel 不取消任何预警 cancels nothing: {why}")
        if not says and (message.msg_type == "alert" or not message.references):
            raise self._nothing(source, message)
        found = CapIn(
            source=source.id,
            sender=message.sender,
            identifier=message.identifier[:_NAME],
            sent_at=message.sent_at,
            received_at=received_at,
            expires_at=expires_at,
            msg_type=message.msg_type,  # type: ignore[arg-type]  # the schema allows only these
            ref=hashlib.sha256(body).hexdigest(),
            signed=signed,
            references=tuple(
                CapRef(sender=s, identifier=i, sent_at=at) for s, i, at in message.references
            ),
            says=says,
            headline=next((i.headline for i in message.infos), "")[:_HEADLINE],
            note=message.note[:_NOTE],
        )
        return found, message.unread

    def _source(self, sender: str, way: str) -> Source:
        source = self._by_sender.get(sender)
        if source is None:
            raise Wrong(
                "unknown_source", f"发布者 sender {sender[:80]!r} 不在 is not in sources.toml"
            )
        if way and way != source.id:
            raise Wrong(
                "unknown_source", f"{way} 送来 {source.id} 的消息 brings a message of {source.id}"
            )
        return source

    def _times(self, source: Source, message: CapMessage, received_at: int) -> int:
        """When it ends to count. Raises `Wrong` for one that cannot be now."""
        if message.sent_at > received_at + AHEAD_MS:
            raise Wrong("clock_ahead", f"{source.id}: sent 在未来 is ahead: 检查对时 set its clock")
        longest = message.sent_at + source.valid_s * 1000
        if longest <= received_at:
            raise Wrong("expired", f"{source.id}: 发布已超过 sent over {source.valid_s} s ago")
        ends = [i.expires_at for i in message.infos if i.expires_at is not None]
        whole = len(ends) == len(message.infos) and bool(ends)
        expires_at = min(max(ends), longest) if whole else longest
        if expires_at <= received_at and message.msg_type in ("alert", "update"):
            raise Wrong("expired", f"{source.id}: 有效期已过 its validity is over")
        return longest if message.msg_type not in ("alert", "update") else expires_at

    def _of_ours(self, source: Source, message: CapMessage) -> None:
        if source.id not in self._district.sources.neighbour:
            raise Wrong(
                "bad_reference", f"{source.id} 不是邻县 is no neighbour: nothing was sent to it"
            )
        if not any(sender == self._district.sender for sender, _, _ in message.references):
            raise Wrong("bad_reference", "回执未指明我们的消息 it answers no message of ours")

    def _says(self, source: Source, message: CapMessage, at: int) -> tuple[CapSays, ...]:
        found: dict[tuple[str, str], Level] = {}
        for info in message.infos:
            level = _level(source, info, message)
            if info.over or not level or (info.expires_at or at + 1) <= at:
                continue
            for hazard in source.hazards_of(info.events):
                for area in self._areas(source, info):
                    found[area, hazard] = max(level, found.get((area, hazard), Level.NONE))
        return tuple(
            CapSays(area=area, hazard=hazard, level=level)
            for (area, hazard), level in sorted(found.items())
        )

    def _nothing(self, source: Source, message: CapMessage) -> Wrong:
        """Why nothing of it is left. What could not be read may have been ours."""
        events = [e for i in message.infos for e in i.events]
        if not source.hazards_of(events):
            words = f"灾种不在 sources.toml 的 hazards: no hazard of ours for {events[:4]}"
            return Wrong("not_for_us", words)
        if message.unread:
            return Wrong("bad_payload", f"读不懂 cannot be read: {'; '.join(message.unread[:3])}")
        if not any(self._areas(source, i) for i in message.infos):
            return Wrong("not_for_us", "不涉及本区 it touches no area of ours")
        return Wrong("not_for_us", "没有等级 it names no level that we know, or all is over")

    def _areas(self, source: Source, info: CapInfo) -> list[str]:
        """Of ours, that polygon, circle or division code touches, or that lie downstream of them."""
        found = set()
        for place in info.areas:
            found |= set(self._by_shape(place)) | set(self._by_code(place.codes))
            found |= set(self._downstream(source, place.codes))
        return sorted(found)

    def _by_shape(self, place: CapArea) -> Iterator[str]:
        shapes = [_ring([(lon, lat) for lat, lon in ring]) for ring in place.polygons]
        shapes += [_disc(c) for c in place.circles]
        for area, shape in self._shapes.items():
            if any(theirs.intersects(shape) for theirs in shapes):
                yield area

    def _by_code(self, codes: tuple[str, ...]) -> Iterator[str]:
        for area in self._district.areas.values():
            if any(_within(area.division, code) for code in codes):
                yield area.id

    def _downstream(self, source: Source, codes: tuple[str, ...]) -> Iterator[str]:
        for row in source.downstream:
            if any(_within(code, d) for code in codes for d in row.divisions):
                yield from row.areas
                yield from (a.id for a in self._district.areas.values() if a.basin in row.basins)


def _level(source: Source, info: CapInfo, message: CapMessage) -> Level:
    """By the colour that it names, or that its translation names (of the same severity); else by the
    severity."""
    for other in (info, *(i for i in message.infos if i.severity == info.severity)):
        for name, value in other.parameters:
            level = source.level_of(value) if name == source.level_parameter else None
            if level is not None:
                return level
    return source.level_of(info.severity) or Level.NONE


def _significant(code: str) -> str:
    """A division code without the zeros that mean "all of it": 110119000000 -> 110119 (GB/T 2260: 2+2+2,
    GB/T 10114: 3 more for a township, the statistics office: 3 more for a village; 2 more within it)."""
    for size in (2, 4, 6, 9, 12):
        if len(code) in (6, 9, 12, 14) and code[size:].strip("0") == "":
            return code[:size]
    return code


def _within(a: str, b: str) -> bool:
    """One of the two places holds the other."""
    a, b = _significant(a), _significant(b)
    return a.startswith(b) or b.startswith(a)


def _ring(points: list[tuple[float, float]] | tuple[tuple[float, float], ...]) -> BaseGeometry:
    """A polygon of (lon, lat), made valid; what is too little for one is what it is."""
    if len(set(points)) < 3:
        return MultiPoint(points).convex_hull
    shape: BaseGeometry = shapely.make_valid(Polygon(points))
    return shape


def _disc(c: Circle) -> BaseGeometry:
    """A circle of so many km as a polygon of 64 corners around it."""
    lat_r = c.km / _KM_A_DEGREE
    lon_r = lat_r / max(0.01, math.cos(math.radians(c.lat)))
    if c.km == 0:
        return shapely.Point(c.lon, c.lat)
    outer = 1 / math.cos(math.pi / 64)  # the corners lie outside, so that nothing is left out
    turns = [2 * math.pi * n / 64 for n in range(64)]
    return Polygon(
        [(c.lon + outer * lon_r * math.sin(t), c.lat + outer * lat_r * math.cos(t)) for t in turns]
    )
