"""What `fengsui bench console` puts before the duty room: a made district of any size, the records
of a wet second, and the console as a process of its own that tells what it used."""

import math
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from config.records.district import District, Watch
from config.records.level import Action, Level
from console.auth.accounts import Users
from console.model.picture import Change, Picture
from console.pages import feed
from console.serve import Listen, serving
from detectors.detection import Evidence
from dispatch.records import Alert
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, default_config, make_setup
from ingest.observation import Flag, Observation, Observations
from stream.log.port import Out
from stream.records import Tick, encode
from stream.wall_clock import now_ms

BENCH_WORD = "nobody else has this one"  # of the user `bench`
GROUP = 25  # areas of a watch group
_PAGE = os.sysconf("SC_PAGE_SIZE")


def made(like: District, stations: int, areas: int) -> District:
    """`like` lends whatever a station, an area and a node must have; they stand in a square."""
    gauges = [s for s in like.stations.values() if s.quantity in ("rain", "stage")]
    villages, node = list(like.areas.values()), next(iter(like.nodes.values()))
    west = min(a.lon for a in villages)
    south = min(a.lat for a in villages)
    names = [f"A{n:04d}" for n in range(areas)]
    side = math.ceil(math.sqrt(areas))
    found = {}
    for n, name in enumerate(names):
        lon, lat = west + n % side * 0.05, south + n // side * 0.04
        ring = ((0.0, 0.0), (0.04, 0.0), (0.04, 0.03), (0.0, 0.03), (0.0, 0.0))
        found[name] = msgspec.structs.replace(
            villages[n % len(villages)],
            id=name,
            lon=lon + 0.02,
            lat=lat + 0.015,
            polygon=tuple((round(lon + x, 4), round(lat + y, 4)) for x, y in ring),
        )
    made_stations, of_area = {}, dict[str, list[str]]()
    for n in range(stations):
        name, area = f"S{n:05d}", names[n % areas]
        of_area.setdefault(area, []).append(name)
        k = n // areas
        made_stations[name] = msgspec.structs.replace(
            gauges[n % len(gauges)],
            id=name,
            lon=round(found[area].lon - 0.018 + k % 6 * 0.006, 4),
            lat=round(found[area].lat - 0.012 + k // 6 % 6 * 0.004, 4),
        )
    groups = {f"G{n // GROUP:03d}": tuple(names[n : n + GROUP]) for n in range(0, areas, GROUP)}
    group_of = {a: g for g, members in groups.items() for a in members}
    return msgspec.structs.replace(
        like,
        areas=found,
        stations=made_stations,
        nodes={
            f"N{n:04d}": msgspec.structs.replace(
                node, id=f"N{n:04d}", area=a, lon=found[a].lon, lat=found[a].lat
            )
            for n, a in enumerate(names)
        },
        watches=tuple(Watch(area=a, station=s) for a, some in of_area.items() for s in some),
        rain=(),
        stage=(),
        groups=groups,
        group_of_area=group_of,
        groups_of_station={s: (group_of[a],) for a, some in of_area.items() for s in some},
        stations_of_area={a: tuple(some) for a, some in of_area.items()},
    )


def second(district: District, n: int, at: int, share: int) -> list[Out]:
    """The n-th moment: every `share`-th station reports (0: none), one area gets a new version of
    its warning, time passes. at: event time, ms."""
    names = list(district.stations)
    groups: dict[str, list[Observation]] = {}
    for k in range(n % share, len(names), share) if share else ():
        s = district.stations[names[k]]
        o = Observation(
            station=s.id,
            quantity=s.quantity,
            observed_at=at,
            value=(n * 7 + k) % 30,
            flag=Flag.GOOD,
        )
        groups.setdefault(district.groups_of_station[s.id][0], []).append(o)
    outs = [
        Out("observations", g, encode(Observations.of(g, at, items))) for g, items in groups.items()
    ]
    outs.append(Out("alerts", "", encode(_alert(district, n, at))))
    return [*outs, Out("observations", "", encode(Tick(clock_at=at)))]


def _alert(district: District, n: int, at: int) -> Alert:
    names = list(district.areas)
    area = district.areas[names[n % len(names)]]
    level = Level(1 + n // len(names) % 4)
    why = Evidence(
        station=district.stations_of_area[area.id][0],
        quantity="rain",
        value=41.0,
        threshold=40.0,
        window_min=60,
        observed_at=at,
    )
    return Alert(
        id=f"w-{area.id}",
        version=1 + n // len(names),
        area=area.id,
        hazard=area.hazards[0],
        status="exercise",
        msg_type="update" if n >= len(names) else "alert",
        level=level,
        action=Action.NONE,
        proposed_level=level,
        proposed_action=Action.NONE,
        public=True,
        state="released",
        incident="bench",
        sent_at=at,
        onset_at=at,
        expires_at=at + 3 * 3_600_000,
        reason="bench",
        evidence=(why,),
    )


class Spent(NamedTuple):
    """Of the console's process since it began. rss: bytes of memory now."""

    cpu_s: float
    wall_s: float
    rss: int


class Server(NamedTuple):
    """A console in a process of its own."""

    address: str
    cookie: str  # of a viewer who has entered: NAME=VALUE
    pipe: Connection

    def spent(self) -> Spent:
        self.pipe.send("spent")
        found: Spent = self.pipe.recv()
        return found


@contextmanager
def console(setup: Setup, shape: tuple[int, int], *, whole: bool) -> Iterator[Server]:
    """whole: the baseline, which sends everything at each change."""
    near, far = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(setup.folder.parent, setup.run.start_at, shape, whole, far)
    )
    child.start()
    far.close()
    try:
        address, cookie = near.recv()
        yield Server(address, cookie, near)
        near.send("stop")
    finally:
        near.close()
        child.join()


def bench_setup(like: District, state: Path, start_at: int, shape: Sequence[int]) -> Setup:
    """The run of a made district, with a log of its own under `state`."""
    return make_setup(made(like, *shape), "exercise-bench", state, start_at=start_at)


def _whole(before: Picture, after: Picture) -> Change:
    return cast("Change", after if before != after else {})


def _serve(
    state: Path, start_at: int, shape: tuple[int, int], whole: bool, pipe: Connection
) -> None:
    from fengsui.status.checked_district import load_district

    if whole:
        feed.changes = _whole  # type: ignore[attr-defined]  # what the page would get without it
    folder = default_config()
    setup = bench_setup(load_district(folder), state, start_at, shape)
    users = Users(setup.folder)
    users.add("bench", "viewer", "", BENCH_WORD)
    begun = time.monotonic()
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        users,
        Listen(proxies=("127.0.0.1",)),  # so that log-ins may come from many addresses
        now=now_ms,
    ) as address:
        token = users.enter("bench", BENCH_WORD, now_ms())
        pipe.send((address, f"fengsui-{setup.run.name}={token}"))
        while pipe.recv() == "spent":
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            pipe.send(Spent(time.process_time(), time.monotonic() - begun, pages * _PAGE))
    users.close()
