"""The stage detect of any revision of this source tree, over the same records: a program that the bench
`detect --against` starts with that tree's folder as its path. It names no module that an older tree has
elsewhere, or names both, and takes the district as that tree ships it.

usage: python -P bench/load/detector.py TREE WORKLOAD TIMES
WORKLOAD: a JSON array of records a line, as the topic `observations` holds them; a line is one step."""

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def tiled(district: Any, times: int) -> Any:
    """The district again and again, each under names of its own, and so far apart that no gauge is
    another's neighbour."""

    def many(table: Mapping[str, T], *fields: str) -> dict[str, T]:
        return {
            f"{key}-{n}": msgspec.structs.replace(
                row, **{f: f"{getattr(row, f)}-{n}" for f in fields}
            )
            for n in range(times)
            for key, row in table.items()
        }

    def rows(table: tuple[T, ...], *fields: str) -> tuple[T, ...]:
        keyed = {str(k): row for k, row in enumerate(table)}
        return tuple(many(keyed, *fields).values())

    def lists(table: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {
            f"{k}-{n}": tuple(f"{x}-{n}" for x in v) for n in range(times) for k, v in table.items()
        }

    west = min((s.lon for s in district.stations.values()), default=0.0)

    def apart(table: Mapping[str, T]) -> dict[str, T]:
        """Each tile where no other is, with the distances that it has."""
        return {
            f"{key}-{n}": msgspec.structs.replace(
                row,
                id=f"{key}-{n}",
                lon=-170 + n % 100 * 3.0 + row.lon - west,  # type: ignore[attr-defined]
                lat=row.lat - n // 100 % 20,  # type: ignore[attr-defined]
            )
            for n in range(times)
            for key, row in table.items()
        }

    def everywhere(row: Any) -> list[Any]:
        """One rule for all tiles; of one that names stations, one for each."""
        if row.stations:
            return [tile(row, n) for n in range(times)]
        areas = (
            row.areas if "*" in row.areas else [f"{a}-{n}" for n in range(times) for a in row.areas]
        )
        return [msgspec.structs.replace(row, areas=tuple(areas))]

    def tile(row: Any, n: int) -> Any:
        def here(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(f"{name}-{n}" for name in names)

        beside = {q: here(names) for q, names in row.beside.items()}
        own = {"id": f"{row.id}-{n}", "areas": here(row.areas), "stations": here(row.stations)}
        return msgspec.structs.replace(row, beside=beside, **own)

    return msgspec.structs.replace(
        district,
        rules=msgspec.structs.replace(
            district.rules, rule=tuple(x for r in district.rules.rule for x in everywhere(r))
        ),
        areas=apart(district.areas),
        stations=apart(district.stations),
        nodes={},
        watches=rows(district.watches, "area", "station"),
        rain=rows(district.rain, "area"),
        stage=rows(district.stage, "area", "station"),
        groups=lists(district.groups),
        group_of_area={
            f"{a}-{n}": f"{g}-{n}" for n in range(times) for a, g in district.group_of_area.items()
        },
        groups_of_station=lists(district.groups_of_station),
        stations_of_area=lists(district.stations_of_area),
    )


def _found(tree: Path, *places: str) -> Any:
    """The first that this tree has; MODULE:NAME each. What an installed Fengsui lends where the tree
    has nothing of that name is not the tree's."""
    for place in places:
        module, _, name = place.partition(":")
        file = tree / (module.replace(".", "/") + ".py")
        if file.exists():
            found = import_module(module)
            if Path(found.__file__ or "").resolve() != file.resolve():
                raise SystemExit(f"{found.__file__} is not of {tree}")
            return getattr(found, name)
    raise SystemExit(f"{tree} has none of {', '.join(places)}")


def main(tree: str, workload: str, times: str) -> None:
    """Prints CPU seconds of the steps, readings, how much was said, and its digest, as JSON."""
    place = Path(tree)
    load = _found(place, "config.load:load")
    make = _found(place, "detectors.stage:Detect", "detectors.run:Detect")
    item = _found(place, "stream.stages.stage:Item", "ingest.stage:Item")
    district = load(place / "config" / "yanqing")
    district = msgspec.structs.replace(tiled(district, int(times)), partitions=1)
    detect = make(district, lambda _: None)
    state, offset = detect.new(0), 0
    steps = []
    for line in Path(workload).read_bytes().splitlines():
        records = [
            detect.decode(bytes(r)) for r in msgspec.json.decode(line, type=list[msgspec.Raw])
        ]
        steps.append([item(0, offset + n, "", r) for n, r in enumerate(records)])
        offset += len(records)
    readings = sum(len(x.record.station) for s in steps for x in s if hasattr(x.record, "station"))
    said, began = [], time.process_time()
    for step in steps:
        state, writes = detect.step(state, step)
        said.append(writes)
    took, digest = time.process_time() - began, hashlib.sha256()
    for write in (w for writes in said for w in writes):
        record = msgspec.to_builtins(write.record)
        for own in ("config", "rules"):  # of the tree's own district
            record.pop(own, None)
        digest.update(msgspec.json.encode((write.key, record)))
    print(json.dumps([took, readings, sum(map(len, said)), digest.hexdigest()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
