"""Warnings in force as RFC 7946 GeoJSON, for maps that are not ours. What still waits for a decision
is not among them. Pure."""

from datetime import UTC, datetime
from typing import Any

from shapely import Polygon
from shapely.geometry.polygon import orient

from config.records.district import Area, District
from config.records.level import (
    ACTION_EN,
    ACTION_ZH,
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    Action,
    Level,
)
from console.model.view import View
from dispatch.records import Alert


def in_force(district: District, view: View) -> dict[str, Any]:
    """A FeatureCollection, the worst first. Times are RFC 3339 UTC; `status` tells an exercise."""
    alerts = [a for a in view.open_alerts() if a.public and (a.level or a.action)]
    return {"type": "FeatureCollection", "features": [_feature(district, a) for a in alerts]}


def _feature(district: District, a: Alert) -> dict[str, Any]:
    area = district.areas[a.area]
    return {
        "type": "Feature",
        "id": a.id,
        "geometry": _geometry(area),
        "properties": {
            "version": a.version,
            "status": a.status,
            "area": a.area,
            "name": f"{area.township}{area.name}",
            "name_en": f"{area.name_en}, {area.township_en}",
            "division": area.division,
            "hazard": a.hazard,
            "hazard_zh": HAZARD_ZH.get(a.hazard, a.hazard),
            "hazard_en": HAZARD_EN.get(a.hazard, a.hazard),
            "level": LEVEL_EN[Level(a.level)],
            "level_zh": LEVEL_ZH[Level(a.level)],
            "action": ACTION_EN[Action(a.action)],
            "action_zh": ACTION_ZH[Action(a.action)],
            "sent": _time(a.sent_at),
            "onset": _time(a.onset_at),
            "expires": _time(a.expires_at),
        },
    }


def _geometry(area: Area) -> dict[str, Any]:
    """The outer ring counter-clockwise, as section 3.1.6 asks; a point where no outline is known."""
    if len(area.polygon) < 4:
        return {"type": "Point", "coordinates": [area.lon, area.lat]}
    ring = orient(Polygon(area.polygon)).exterior.coords
    return {"type": "Polygon", "coordinates": [[[x, y] for x, y in ring]]}


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
