"""A move of people proved by content: how many went which way, with a photograph of place and time or a second
witness, and each person of a village counted once. A fold of people's words in any order. Pure.

Whoever reports counts the same villagers as others do, so the row of a village is its best reporter's, never
the sum of several; within one report the ways are added. A photograph proves one report: once. It must be taken
since the warning began, of nothing that was sent before (by digest, and by a perceptual hash of 64 bits of
which `ALIKE` differ), and near the shelter, or, where people went upstairs, near the village; where relatives
live nobody knows. A witness is another registered person of the place who says on their own telephone that
it is so.

dHash: N. Krawetz, "Kind of like that", hackerfactor.com, 2013: the sign of each step in brightness along the
rows of a picture of 9 x 8; a distance of 10 and less is "likely a variation" there.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple

import msgspec

from config.geometry import distance_km
from config.language import Text
from config.records.authority import Proving
from config.records.district import District
from config.records.evacuation import is_upstairs_unsafe
from ingest.observation import PersonSays, PhotoFacts

How = Literal["", "shelter", "relatives", "upstairs"]
HOWS: tuple[How, ...] = ("shelter", "relatives", "upstairs", "")
# why a report is not proved by its photograph
Why = Literal[
    "no_photo", "used", "alike", "blank", "no_time", "old", "no_place", "far", "unsafe", "recheck", "",
]  # fmt: skip
WHY_WORDS: dict[Why, Text] = {
    "": Text("缺证人", "no witness"),
    "no_photo": Text("没有照片", "no photograph"),
    "used": Text("照片用过", "the photograph was used before"),
    "alike": Text("照片与以前的相同", "the photograph is one of before"),
    "blank": Text("照片什么也看不出", "the photograph shows nothing"),
    "no_time": Text("照片没有时间", "the photograph has no time"),
    "old": Text("照片不是预警以后拍的", "the photograph is not of this warning"),
    "no_place": Text("照片没有位置", "the photograph has no place"),
    "far": Text("照片不在安置点附近", "the photograph is of elsewhere"),
    "recheck": Text("抽查未应", "no answer to the re-check"),
    "unsafe": Text("这里上楼不安全", "upstairs is not safe here"),
}
ALIKE = 8
_AHEAD_MS = 10 * 60_000  # a telephone's clock


class Photo(msgspec.Struct, frozen=True, order=True):
    """Where a picture came first. look: its perceptual hash."""

    at: int
    id: str
    person: str
    area: str
    look: str


class HowMany(msgspec.Struct, frozen=True):
    """One way of one report. why: what its photograph lacks; witnesses: who says so too."""

    how: How
    people: int
    proven: bool
    why: Why
    person: str
    at: int
    photo: str
    witnesses: tuple[str, ...]


class Sums(msgspec.Struct, frozen=True):
    """A village: registered = proven + unproven + not_reached. unsafe: of those not reached, who are said to be
    upstairs where that is not safe. rows: every report that counts, its way by way."""

    registered: int
    proven: int
    unproven: int
    unsafe: int
    not_reached: int
    ways: dict[How, int]  # of the best reporter, as it was said
    rows: tuple[HowMany, ...]


class _Best(NamedTuple):
    proven: int
    moved: int
    unsafe: int
    ways: dict[How, int]


class Transfers(msgspec.Struct):
    """said: area -> person and way, or witness -> the newest word. photos: digest -> where it came first, and
    each later use of it."""

    said: dict[str, dict[str, PersonSays]] = {}
    photos: dict[str, list[Photo]] = {}

    def take(self, says: PersonSays) -> None:
        """Fold a word in; what is about no move is passed over, but for its picture."""
        if says.photo:
            self._pictured(says)
        if says.what not in ("moved", "witnessed") or not says.area:
            return
        held = self.said.setdefault(says.area, {})
        key = f"{says.person}|{says.what}|{says.how}"
        if key not in held or _rank(says) > _rank(held[key]):
            held[key] = says

    def _pictured(self, says: PersonSays) -> None:
        look = says.shown.look if says.shown else ""
        mine = Photo(says.said_at, says.id, says.person, says.area, look)
        uses = self.photos.setdefault(says.photo, [])
        if mine not in uses:
            uses.append(mine)
            uses.sort()

    def sums(
        self,
        district: District,
        area: str,
        since_at: int,
        registered: int,
        distrusted: Collection[str] = (),
    ) -> Sums | None:
        """Of what was said since the warning began; None while nobody has said anything of a move. registered:
        who should move. distrusted: who was called again and did not answer: their reports are unproven."""
        words = [w for w in self.said.get(area, {}).values() if w.said_at >= since_at]
        found = self._rows(district, area, since_at, registered, words)
        rows = tuple(sorted((_if_trusted(r, distrusted) for r in found), key=_order))
        if not rows:
            return None
        best = [_best(rows, person) for person in sorted({r.person for r in rows})]
        top = max(best, key=lambda b: (b.moved, b.proven))
        proven = min(registered, max(b.proven for b in best))
        moved = min(registered, max(proven, *(b.moved for b in best)))
        return Sums(
            registered,
            proven,
            moved - proven,
            min(registered - moved, max(b.unsafe for b in best)),
            registered - moved,
            top.ways,
            rows,
        )

    def _rows(
        self,
        district: District,
        area: str,
        since_at: int,
        registered: int,
        words: list[PersonSays],
    ) -> Iterator[HowMany]:
        proving = district.policy.proving
        witnesses = [w for w in words if w.what == "witnessed"]
        unsafe = area in district.areas and is_upstairs_unsafe(
            district.areas[area], proving.upstairs_to_m
        )
        told = [w for w in words if w.what == "moved"]
        by_way = {w.person for w in told if w.how}
        for w in told:
            if not w.how and w.person in by_way:
                continue  # 已转移 beside the same by ways says nothing more
            people = w.people
            if people is None and w.role == "responsible":
                people = registered
            if people is None:
                continue
            if w.how == "upstairs" and unsafe:
                yield HowMany(w.how, people, False, "unsafe", w.person, w.said_at, w.photo, ())
                continue
            why = self._lacks(district, area, since_at, w)
            seconds = tuple(sorted(x.person for x in witnesses if _bears_out(x, w, people)))
            proofs = (not why) + bool(seconds)
            proven = proofs >= max(1, proving.proofs)
            yield HowMany(w.how, people, proven, why, w.person, w.said_at, w.photo, seconds)

    def _lacks(self, district: District, area: str, since_at: int, w: PersonSays) -> Why:
        """What a report's photograph lacks to prove it."""
        if not w.photo or w.shown is None:
            return "no_photo"
        if not w.shown.look:
            return "blank"
        if used := self._used(w, since_at):
            return used
        if not w.shown.taken_at:
            return "no_time"
        if not since_at <= w.shown.taken_at <= w.received_at + _AHEAD_MS:
            return "old"
        if w.how == "relatives":
            return ""
        if w.shown.lon is None or w.shown.lat is None:
            return "no_place"
        return "" if _is_near(district, area, w.how, w.shown) else "far"

    def _used(self, w: PersonSays, since_at: int) -> Literal["", "used", "alike"]:
        """Whether somebody sent it before, or the same person in another place, warning or way. A report said
        anew with its picture is the same report."""

        def others(uses: Iterable[Photo]) -> bool:
            first = (w.said_at, w.id)
            return any(
                (p.at, p.id) < first
                and not (p.person == w.person and p.area == w.area and p.at >= since_at)
                for p in uses
            )

        if others(self.photos.get(w.photo, ())):
            return "used"
        look = w.shown.look if w.shown else ""
        for digest, uses in self.photos.items():
            near = digest != w.photo and any(p.look and _apart(p.look, look) <= ALIKE for p in uses)
            if near and others(uses):
                return "alike"
        return ""


def _if_trusted(r: HowMany, distrusted: Collection[str]) -> HowMany:
    """Unproven where its reporter failed a re-check."""
    if r.person not in distrusted or not r.proven:
        return r
    return msgspec.structs.replace(r, proven=False, why="recheck")


def _rank(w: PersonSays) -> tuple[int, bool, int, str]:
    """Of two words of one moment the one with its picture, then the smaller count."""
    return (w.said_at, bool(w.photo), -(2**31 if w.people is None else w.people), w.id)


def _order(r: HowMany) -> tuple[int, str, int]:
    return (-r.at, r.person, HOWS.index(r.how))


def _best(rows: Iterable[HowMany], person: str) -> _Best:
    mine = [r for r in rows if r.person == person]
    ways: dict[How, int] = {}
    for r in mine:
        ways[r.how] = ways.get(r.how, 0) + r.people
    return _Best(
        sum(r.people for r in mine if r.proven),
        sum(r.people for r in mine if r.why != "unsafe"),
        sum(r.people for r in mine if r.why == "unsafe"),
        ways,
    )


def _bears_out(witness: PersonSays, w: PersonSays, people: int) -> bool:
    """Another person, not before the report, and of no fewer people where they say a number."""
    enough = witness.people is None or witness.people >= people
    return witness.person != w.person and witness.said_at >= w.said_at and enough


def _apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count() if one and other else 64


class _Spot(NamedTuple):
    lon: float
    lat: float


def _is_near(district: District, area: str, how: How, shown: PhotoFacts) -> bool:
    """Whether the picture was taken at a shelter of the place, or, of who stayed there, in the place."""
    assert shown.lon is not None
    assert shown.lat is not None
    proving: Proving = district.policy.proving
    here, place = _Spot(shown.lon, shown.lat), district.areas[area]
    shelters = [s for s in district.plans.shelters.values() if place.within(s.areas)]
    if how == "upstairs" or not shelters:
        spots = [_Spot(place.lon, place.lat), *(_Spot(*p) for p in place.polygon)]
    else:
        spots = [_Spot(s.lon, s.lat) for s in shelters]
    return min(distance_km(here, s) for s in spots) * 1000 <= proving.near_m
