"""Reads the areas' polygons: GeoJSON as a GIS writes it; every fault is kept with its feature."""

import json
from pathlib import Path

from config.language import Said, Text
from config.read.problem import Problem
from config.read.tables import read_text


def read_shapes(path: Path, problems: list[Problem]) -> dict[str, tuple[tuple[float, float], ...]]:
    """areas.geojson: a FeatureCollection of Polygons with `id` in the properties; the outer ring."""
    text = read_text(path, problems)
    if text is None:
        return {}

    def fault(row: int, column: str, message: Said, hint: Said = "") -> None:
        problems.append(Problem(path.name, row, column, message, hint))

    try:
        whole = json.loads(text)
        features = whole["features"]
        assert isinstance(features, list)
    except (ValueError, KeyError, TypeError, AssertionError, RecursionError):
        fault(
            0,
            "",
            Text("不是 GeoJSON FeatureCollection", "is not a GeoJSON FeatureCollection"),
            Text("从 GIS 重新导出", "export it anew from the GIS"),
        )
        return {}
    shapes: dict[str, tuple[tuple[float, float], ...]] = {}
    for n, feature in enumerate(features, 1):
        try:
            key = feature["properties"]["id"]
            assert isinstance(key, str)
            assert feature["geometry"]["type"] == "Polygon"
            ring = tuple((float(p[0]), float(p[1])) for p in feature["geometry"]["coordinates"][0])
        except (KeyError, TypeError, ValueError, IndexError, OverflowError, AssertionError):
            fault(
                n,
                "",
                Text(
                    f"第 {n} 个要素不是带 id 的 Polygon", f"feature {n} is not a Polygon with an id"
                ),
                "properties.id + geometry.type Polygon",
            )
            continue
        if len(ring) < 4 or ring[0] != ring[-1]:
            fault(
                n,
                "coordinates",
                Text(f"{key}: 面未闭合", f"{key}: the ring is not closed"),
                Text("首尾点相同", "end where it begins"),
            )
        elif not all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in ring):
            fault(
                n,
                "coordinates",
                Text(f"{key}: 坐标越界", f"{key}: not longitude, latitude"),
                Text("WGS 84, 先经后纬", "WGS 84, lon first"),
            )
        elif key in shapes:
            fault(
                n,
                "id",
                Text(f"{key}: id 重复", f"{key}: id stands twice"),
                Text("删去一个", "remove one"),
            )
        else:
            shapes[key] = ring
    return shapes
