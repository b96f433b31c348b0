"""One loader reads and validates a district's folder as a whole: `load(folder) -> District`.

Every fault is collected, then `ConfigError` names them all: file, row, column, what to do. With a
wrong config nothing starts.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from config.checks.cameras import check_cameras
from config.checks.courses import check_courses
from config.checks.coverage import check_reach
from config.checks.devices.camera_sources import FILE as CAMERA_SOURCES
from config.checks.devices.camera_sources import check_camera_sources
from config.checks.devices.lorawan import FILE as LORAWAN
from config.checks.devices.lorawan import check_lorawan
from config.checks.devices.pictures import FILE as PICTURES
from config.checks.devices.pictures import check_pictures
from config.checks.devices.sparkplug import FILE as SPARKPLUG
from config.checks.devices.sparkplug import check_sparkplug
from config.checks.devices.telemetry import FILE as TELEMETRY
from config.checks.devices.telemetry import check_telemetry
from config.checks.devices.things import FILE as THINGS
from config.checks.devices.things import check_things
from config.checks.devices.weather import FILE as WEATHER
from config.checks.devices.weather import FORMS as WEATHER_FORMS
from config.checks.devices.weather import check_weather
from config.checks.gateways import FILE as GATEWAYS
from config.checks.gateways import by_gateway, check_gateways, check_names
from config.checks.officers import check_officers
from config.checks.plans import read_plans
from config.checks.reaches import FILE as REACHES
from config.checks.reaches import check_reaches
from config.checks.rules import check_rule_rows
from config.checks.settings import Head, check_channels, check_head, check_policy, check_rules
from config.checks.sources import read_sources
from config.checks.tables import Check
from config.language import Text, joined
from config.proof import FILE as PROOF
from config.proof import rules_version
from config.read.basemap import read_backdrop
from config.read.codecs import FOLDER as CODECS
from config.read.codecs import codec_names, read_codecs
from config.read.problem import Problem, problem, stands_twice
from config.read.shapes import read_shapes
from config.read.tables import T, read_table, read_toml
from config.records.authority import Officer, Policy
from config.records.channels import Channels
from config.records.devices.lorawan import LorawanRow
from config.records.devices.pictures import PictureRule
from config.records.devices.things import ThingRow
from config.records.devices.weather import Weather, WeatherForms, WeatherRow
from config.records.district import (
    Area,
    Basin,
    Camera,
    CameraSource,
    Contact,
    District,
    GatewayRow,
    Node,
    RainThreshold,
    SparkplugRow,
    StageThreshold,
    Station,
    TelemetryRow,
    Watch,
)
from config.records.reaches import Reach
from config.records.rules import Rules
from config.records.sources import Sources

ID = re.compile(r"[A-Za-z0-9-]{1,32}")


class ConfigError(Exception):
    """The folder is wrong; `problems` says where and what to do."""

    def __init__(self, folder: Path, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        head = Text(
            f"{folder}: {len(problems)} 处配置问题，不启动",
            f"{folder}: {len(problems)} problems; nothing starts",
        )
        self.text = joined([head, *("  " + p.text for p in problems)], "\n")
        super().__init__(self.text)


def load(folder: Path) -> District:
    """Read, check, and work out the watch groups. Raises ConfigError."""
    district, problems = read(folder)
    if problems or district is None:
        raise ConfigError(folder, problems)
    return district


def _if_there(path: Path, row: type[T], problems: list[Problem]) -> list[tuple[int, T]] | None:
    """A table that a district may do without; None where it is not there."""
    return read_table(path, row, problems) if path.exists() else None


def read(folder: Path) -> tuple[District | None, list[Problem]]:
    """The district if it is right, and every problem if it is not. What lies beside the warnings
    (the plan, its resources, where the water goes, the map's ground) is judged when the rest is
    right."""
    district, problems = _tables(folder)
    if district is None:
        return None, problems
    check_courses(district.basins, problems)
    plans = read_plans(folder, district, problems)
    places = [(a.lon, a.lat) for a in district.areas.values()]
    backdrop = read_backdrop(folder, places, problems)
    if problems:
        return None, problems
    return msgspec.structs.replace(district, plans=plans, backdrop=backdrop), problems


def _tables(folder: Path) -> tuple[District | None, list[Problem]]:
    problems: list[Problem] = []
    head = read_toml(folder / "district.toml", Head, problems)
    rules = read_toml(folder / "rules.toml", Rules, problems)
    policy = read_toml(folder / "policy.toml", Policy, problems)
    channels = read_toml(folder / "channels.toml", Channels, problems)
    basins = read_table(folder / "basins.csv", Basin, problems)
    areas = read_table(folder / "areas.csv", Area, problems)
    stations = read_table(folder / "stations.csv", Station, problems)
    nodes = read_table(folder / "nodes.csv", Node, problems)
    watches = read_table(folder / "watch.csv", Watch, problems)
    # optional: a live run's list stands in its store, who only looks back needs no officers
    contacts = _if_there(folder / "contacts.csv", Contact, problems)
    officers = _if_there(folder / "officers.csv", Officer, problems) or []
    gateways = _if_there(folder / GATEWAYS, GatewayRow, problems)
    reaches = _if_there(folder / REACHES, Reach, problems) or []
    rain = read_table(folder / "thresholds_rain.csv", RainThreshold, problems)
    stage = read_table(folder / "thresholds_stage.csv", StageThreshold, problems)
    shapes = read_shapes(folder / "areas.geojson", problems)

    by_basin = _unique("basins.csv", basins, problems)
    by_area = _unique("areas.csv", areas, problems)
    by_station = _unique("stations.csv", stations, problems)
    by_node = _unique("nodes.csv", nodes, problems)
    by_contact = _unique("contacts.csv", contacts or (), problems)
    by_officer = _unique("officers.csv", officers, problems)
    _names(problems, stations, nodes)
    if any(not p.row for p in problems) and not (by_area and by_station):
        return None, problems  # a file could not be read: the rest would only repeat it

    check = Check(problems, by_basin, by_area, by_station)
    check.areas(areas, shapes)
    check.stations(stations)
    check.nodes(nodes)
    cameras = _cameras(folder, by_station, problems)
    check_gateways(problems, gateways or (), by_station)
    devices = _devices(folder, by_station, problems)
    check_reaches(problems, reaches, by_basin, by_area, by_station)
    check.watches(watches)
    check.contacts(contacts or [])
    check.rain(rain, watches)
    check.stage(stage, watches)
    ruled = frozenset(a for r in (rules.rule if rules else ()) for a in r.areas)
    check_reach(problems, by_area, by_station, contacts, watches, rain, stage, shapes, ruled)
    sources = read_sources(folder, by_area, by_basin, problems)
    _heads(folder, head, channels, problems)
    if rules is not None:
        check_rules(rules, problems)
        check_rule_rows(problems, rules, by_area, by_station, heard(by_area, watches))
    if policy is not None:
        check_policy(policy, problems)
        check_officers(problems, policy, officers, by_area, contacts and by_contact)
    if problems or not (head and rules and policy and channels):
        return None, problems
    return _district(
        folder,
        head,
        rules,
        policy,
        channels,
        by_basin,
        {k: msgspec.structs.replace(a, polygon=shapes.get(k, ())) for k, a in by_area.items()},
        by_station,
        by_node,
        [w for _, w in watches],
        by_contact,
        by_officer,
        [r for _, r in rain],
        [r for _, r in stage],
        sources,
        cameras,
        None if gateways is None else by_gateway(gateways),
        tuple(r for _, r in reaches),
        devices,
    ), []


def _cameras(
    folder: Path, stations: dict[str, Station], problems: list[Problem]
) -> tuple[dict[str, Camera], dict[str, CameraSource]]:
    """What each looks at, and where its pictures are fetched."""
    rows = _if_there(folder / "cameras.csv", Camera, problems) or []
    check_cameras(problems, rows, stations)
    sources = _if_there(folder / CAMERA_SOURCES, CameraSource, problems) or []
    check_camera_sources(problems, sources, stations)
    found: dict[str, Camera] = _unique("cameras.csv", rows, problems)
    return found, {row.station: row for _, row in sources}


def _devices(folder: Path, stations: dict[str, Station], problems: list[Problem]) -> dict[str, Any]:
    """Whose message is whose reading: things.csv, telemetry.csv, lorawan.csv and its codecs, sparkplug.csv,
    weather.csv and its forms; how long pictures are kept; as fields of the district."""
    things = _if_there(folder / THINGS, ThingRow, problems) or []
    check_things(problems, things, stations)
    telemetry = _if_there(folder / TELEMETRY, TelemetryRow, problems) or []
    check_telemetry(problems, telemetry, stations)
    rows = [row for _, row in telemetry]
    lorawan = _if_there(folder / LORAWAN, LorawanRow, problems) or []
    codecs = read_codecs(folder, {r.codec for _, r in lorawan}, problems)
    check_lorawan(problems, lorawan, stations, codecs, codec_names(folder), rows)
    edges = _if_there(folder / SPARKPLUG, SparkplugRow, problems) or []
    check_sparkplug(problems, edges, stations)
    pictures = _if_there(folder / PICTURES, PictureRule, problems) or []
    check_pictures(problems, pictures, stations)
    return {
        "things": tuple(r for _, r in things),
        "telemetry": tuple(rows),
        "lorawan": tuple(r for _, r in lorawan),
        "codecs": codecs,
        "sparkplug": tuple(r for _, r in edges),
        "weather": _weather(folder, stations, problems),
        "pictures": tuple(r for _, r in pictures),
    }


def _weather(folder: Path, stations: dict[str, Station], problems: list[Problem]) -> Weather:
    """How files of the weather office are read, and whose column is whose reading."""
    file, rows = folder / WEATHER_FORMS, _if_there(folder / WEATHER, WeatherRow, problems) or []
    forms = read_toml(file, WeatherForms, problems) if file.exists() or rows else None
    check_weather(problems, forms or WeatherForms(), rows if forms or not rows else [], stations)
    return Weather(forms=forms.form if forms else {}, rows=tuple(r for _, r in rows))


def _heads(
    folder: Path, head: Head | None, channels: Channels | None, problems: list[Problem]
) -> None:
    if channels is not None:
        check_channels(channels, problems)
    if head is not None:
        check_head(head, folder.resolve().name, problems)


def _names(
    problems: list[Problem], stations: list[tuple[int, Station]], nodes: list[tuple[int, Node]]
) -> None:
    """What a device is called: at the MQTT broker too."""
    for n, node in nodes:
        if node.id in {s.id for _, s in stations}:
            text = Text(f"{node.id} 与监测站重名", f"{node.id} is a station too")
            problems.append(problem("nodes.csv", n, "id", text))
    names = [("stations.csv", "id", [(n, s.id) for n, s in stations])]
    check_names(problems, [*names, ("nodes.csv", "id", [(n, r.id) for n, r in nodes])])


def _unique(file: str, rows: Iterable[tuple[int, Any]], problems: list[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, row in rows:
        if not ID.fullmatch(row.id):
            problems.append(
                problem(
                    file,
                    number,
                    "id",
                    Text(f"{row.id!r} 不能作 id", f"{row.id!r} is not an id"),
                    Text("字母、数字、-（1–32）", "letters, digits, hyphens"),
                )
            )
        elif row.id in found:
            problems.append(
                problem(
                    file, number, "id", stands_twice(row.id), Text("改名或删去", "rename or remove")
                )
            )
        else:
            found[row.id] = row
    return found


def watch_groups(areas: Iterable[str], watches: Iterable[Watch]) -> dict[str, tuple[str, ...]]:
    """Areas that share a station, directly or by others, form one group, named for its first area."""
    parent = {a: a for a in areas}

    def root(a: str) -> str:
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        return a

    owner: dict[str, str] = {}
    for w in watches:
        other = owner.setdefault(w.station, w.area)
        a, b = sorted((root(w.area), root(other)))
        parent[b] = a
    groups: dict[str, list[str]] = {}
    for a in sorted(parent):
        groups.setdefault(f"g-{root(a)}", []).append(a)
    return {k: tuple(v) for k, v in groups.items()}


def heard(areas: Iterable[str], watches: Iterable[tuple[int, Watch]]) -> set[tuple[str, str]]:
    """(area, station): of every area the stations of its watch group. A watch of an area that is not
    there is a problem of its own."""
    known = set(areas)
    mine = [w for _, w in watches if w.area in known]
    found = set()
    for members in watch_groups(known, mine).values():
        stations = {w.station for w in mine if w.area in members}
        found |= {(area, station) for area in members for station in stations}
    return found


def _district(
    folder: Path,
    head: Head,
    rules: Rules,
    policy: Policy,
    channels: Channels,
    basins: dict[str, Basin],
    areas: dict[str, Area],
    stations: dict[str, Station],
    nodes: dict[str, Node],
    watches: list[Watch],
    contacts: dict[str, Contact],
    officers: dict[str, Officer],
    rain: list[RainThreshold],
    stage: list[StageThreshold],
    sources: Sources,
    cameras: tuple[dict[str, Camera], dict[str, CameraSource]],
    gateways: dict[str, tuple[str, ...]] | None,
    reaches: tuple[Reach, ...],
    devices: dict[str, Any],
) -> District:
    groups = watch_groups(areas, watches)
    of_area = {a: g for g, members in groups.items() for a in members}
    of_station: dict[str, list[str]] = {}
    for w in watches:
        of_station.setdefault(w.station, []).append(of_area[w.area])
    for node in nodes.values():
        of_station.setdefault(node.id, []).append(of_area[node.area])
    by_area: dict[str, list[str]] = {a: [] for a in areas}
    for w in watches:
        by_area[w.area].append(w.station)
    digest = hashlib.sha256()
    read = (p for p in folder.iterdir() if p.suffix in (".csv", ".toml", ".geojson", ".pem"))
    words = [p for d in ("words", CODECS) for p in (folder / d).glob("*") if p.is_file()]
    for path in sorted([*(p for p in read if p.name != PROOF), *words]):  # a signature is no config
        digest.update(path.name.encode() + path.read_bytes())
    return District(
        id=folder.resolve().name,
        folder=folder,
        version=digest.hexdigest()[:12],
        basins=basins,
        areas=areas,
        stations=stations,
        nodes=nodes,
        watches=tuple(watches),
        contacts=contacts,
        officers=officers,
        rain=tuple(rain),
        stage=tuple(stage),
        cameras=cameras[0],
        gateways=gateways,
        reaches=reaches,
        camera_sources=cameras[1],
        rules=rules,
        policy=policy,
        channels=channels,
        groups=groups,
        group_of_area=of_area,
        groups_of_station={s: tuple(dict.fromkeys(g)) for s, g in of_station.items()},
        stations_of_area={a: tuple(s) for a, s in by_area.items()},
        sources=sources,
        rules_version=rules_version(rain, stage, rules, reaches),
        **devices,
        **msgspec.structs.asdict(head),
    )
