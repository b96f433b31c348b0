"""What broken gauges do to the warnings: each storm twice in memory, with its gauges whole and with the
faults that real networks show (`simulators.faults.of_the_field`), the one beside the other."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from config.language import Said, Text
from config.records.district import District
from config.records.level import Action, hazard_words
from dispatch.records import Alert
from fengsui.play.scoring import stepped
from simulators.faults import of_the_field
from simulators.scenario import Scenario, storm_set
from simulators.world import World
from skill.verify.truth import Truth

_MINUTE = 60_000
_LATE_MS = 5 * _MINUTE
_DEBRIS_MS = 30 * _MINUTE  # so long a debris flow lasts
_COUNTERS = 4  # each such gauge sends a running total: no share is known, this one is assumed

Place = tuple[str, str]  # area, hazard


class Played(NamedTuple):
    """One storm: when each place was first told to move, and what was called off while it flooded."""

    moved: dict[Place, int]
    ended: int


class Amiss(NamedTuple):
    """An order that is another with faults. whole_at, broken_at: when it is given without and with them;
    flooded_at: when the place was under water (ms); None: it is not given, it does not flood."""

    place: Place
    whole_at: int | None
    broken_at: int | None
    flooded_at: int | None


class Figures(NamedTuple):
    """Of one storm with faults beside the same without. flooded: how many of the real orders are of places
    that flood; late_ms: of orders that both give; amiss: those that a fault caused, that are lost or late."""

    caused: int
    ended: int
    real: int
    flooded: int
    lost: int
    late_ms: list[int]
    amiss: tuple[Amiss, ...] = ()


def play(district: District, scenario: Scenario) -> Played:
    """One storm, stepped in memory."""
    world, alerts = stepped(district, scenario)
    moved: dict[Place, int] = {}
    for a in alerts:
        if a.public and a.action == Action.MOVE:
            moved.setdefault((a.area, a.hazard), a.sent_at)
    return Played(moved, _ended(world, alerts))


def _ended(world: World, alerts: list[Alert]) -> int:
    """All-clears and steps down from an order while the place was under water."""
    floods = {(t.area, t.hazard): (t.flooded_at, _until(world, t)) for t in world.truth}
    before: dict[str, int] = {}
    found = 0
    for a in alerts:
        begin, end = floods.get((a.area, a.hazard), (0, -1))
        down = a.msg_type == "cancel" or a.action < before.get(a.id, 0)
        found += down and begin <= a.sent_at <= end
        before[a.id] = max(before.get(a.id, 0), a.action)
    return found


def _until(world: World, truth: Truth) -> int:
    """Until when it flooded: the stream as high as when it began, and a debris flow half an hour."""
    if truth.hazard != "flash_flood":
        return truth.flooded_at + _DEBRIS_MS
    return world.high_until(truth.area, truth.flooded_at)


def compare(whole: Played, broken: Played, truth: Mapping[Place, int]) -> Figures:
    """Real: what whole gauges order too."""
    caused = [p for p in broken.moved if p not in whole.moved and p not in truth]
    lost = [p for p in whole.moved if p not in broken.moved]
    late = {p: broken.moved[p] - at for p, at in whole.moved.items() if p in broken.moved}
    told = [*caused, *lost, *(p for p, by in late.items() if by > _LATE_MS)]
    amiss = tuple(Amiss(p, whole.moved.get(p), broken.moved.get(p), truth.get(p)) for p in told)
    flooded = sum(p in truth for p in whole.moved)
    real = len(whole.moved)
    return Figures(len(caused), broken.ended, real, flooded, len(lost), list(late.values()), amiss)


def amiss_told(district: District, start_at: int, a: Amiss) -> Text:
    """One of them in a line, in minutes of the storm."""
    area, hazard = district.areas[a.place[0]], hazard_words(a.place[1])

    def minute(at: int | None, never: str) -> str:
        return never if at is None else f"{(at - start_at) / _MINUTE:g} min"

    return Text(
        f"    {area.id} {area.name} {hazard.zh}：无故障 {minute(a.whole_at, '不令')}，"
        f"有故障 {minute(a.broken_at, '不令')}，成灾 {minute(a.flooded_at, '无')}",
        f"    {area.id} {area.name_en}, {hazard.en}: without faults {minute(a.whole_at, 'none')}, "
        f"with them {minute(a.broken_at, 'none')}, floods {minute(a.flooded_at, 'not')}",
    )


def counting(district: District) -> District:
    """The district with some of its rain gauges sending running totals, as many networks do."""
    gauges = [s.id for s in district.stations.values() if s.quantity == "rain"][::_COUNTERS]
    totals = {
        s: msgspec.structs.replace(district.stations[s], quantity="rain_counter") for s in gauges
    }
    return msgspec.structs.replace(district, stations={**district.stations, **totals})


def figures(district: District, count: int, first: int = 0) -> Iterator[Said]:
    """A line a storm and one for each order that is not the same, then the whole. first: of `storm_set`."""
    district = counting(district)
    gauges = [s.id for s in district.stations.values() if s.quantity in ("rain", "rain_counter")]
    counters = [s for s in gauges if district.stations[s].quantity == "rain_counter"]
    stages = [s.id for s in district.stations.values() if s.quantity == "stage"]
    found: list[Figures] = []
    ended = 0
    for storm in storm_set(count, first):
        whole = play(district, storm._replace(faults=()))
        faults = of_the_field(gauges, stages, int(storm.hours * 60), storm.seed, counters)
        broken = play(district, storm._replace(faults=faults))
        truth = {(t.area, t.hazard): t.flooded_at for t in World(district, storm).truth}
        one = compare(whole, broken, truth)
        found.append(one)
        ended += whole.ended
        yield (
            Text(
                f"  {storm.name:14} 故障 {len(faults):3}  误令 {one.caused}  误解除 {one.ended} "
                f" 真令 {one.real:3}  丢 {one.lost}  迟 "
                f"{sum(x > _LATE_MS for x in one.late_ms)}",
                f"  {storm.name:14} faults {len(faults):3}  caused {one.caused}  ended "
                f"{one.ended}  real {one.real:3}  lost {one.lost}  later than 5 min "
                f"{sum(x > _LATE_MS for x in one.late_ms)}",
            )
        )
        for a in one.amiss:
            yield amiss_told(district, storm.start_at, a)
    real = sum(f.real for f in found)
    late = sorted(x for f in found for x in f.late_ms)
    lost, later = sum(f.lost for f in found), sum(x > _LATE_MS for x in late)
    middle = late[len(late) // 2] / _MINUTE if late else 0
    yield Text(
        f"故障引起的立即转移：{sum(f.caused for f in found)}",
        f"orders to move caused by a fault: {sum(f.caused for f in found)}",
    )
    yield (
        Text(
            f"洪水中的解除、降级：{sum(f.ended for f in found)}（无故障 {ended}）",
            f"all-clears and steps down during a flood: {sum(f.ended for f in found)} "
            f"(without faults {ended})",
        )
    )
    yield Text(
        f"真令 {real}：丢 {lost}（{lost / max(1, real):.1%}），迟 5 分以上 "
        f"{later}（{later / max(1, real):.1%}），中位 {middle:g} min，最迟 "
        f"{max(late, default=0) / _MINUTE:g} min",
        f"real orders {real}: lost {lost} ({lost / max(1, real):.1%}), later by more "
        f"than 5 min {later} ({later / max(1, real):.1%}), median {middle:g} min, "
        f"latest {max(late, default=0) / _MINUTE:g} min",
    )
    flooded = sum(f.flooded for f in found)
    amiss = [
        a for f in found for a in f.amiss if a.whole_at is not None and a.flooded_at is not None
    ]
    gone = sum(a.broken_at is None for a in amiss)
    yield Text(
        f"其中成灾的 {flooded}：丢 {gone}（{gone / max(1, flooded):.1%}），迟 5 分以上 "
        f"{len(amiss) - gone}（{(len(amiss) - gone) / max(1, flooded):.1%}）",
        f"of places that flood {flooded}: lost {gone} ({gone / max(1, flooded):.1%}), later by more "
        f"than 5 min {len(amiss) - gone} ({(len(amiss) - gone) / max(1, flooded):.1%})",
    )
