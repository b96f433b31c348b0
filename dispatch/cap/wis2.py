"""A published CAP message as a notification of WMO's information system WIS 2.0: a GeoJSON feature on MQTT
that says where the message lies (WIS2 Notification Message 1, its JSON schema and test suite). Pure.

Only what is real and public is announced. The message itself stands where the link leads; it is too large to
stand in a notification (4,096 bytes).
"""

import base64
import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from config.records.channels import Wis2
from ingest.cap.decode import NAMESPACE, parse_cap

_NAMES = uuid.UUID(
    "7d6b0b5e-6f0c-5d0a-9a53-2f3c1c1b7a10"
)  # of ours: a name gives one id, always the same
_CORE = "http://wis.wmo.int/spec/wnm/1/conf/core"


def topic(settings: Wis2) -> str:
    """origin, version a, as the topic hierarchy of WIS2 has it; warnings stand under weather alone, also
    those of water."""
    return f"origin/a/wis2/{settings.centre_id}/data/{settings.policy}/{settings.topic}"


def notification(settings: Wis2, message: bytes, href: str) -> bytes | None:
    """href: where the message can be fetched. None for what is not announced. Raises
    `ingest.cap.decode.Wrong` for what is not CAP 1.2."""
    cap = parse_cap(message)

    def text(path: str) -> str:
        return (cap.findtext(path, "", {"": NAMESPACE}) or "").strip()

    if text("status") != "Actual" or text("scope") != "Public":
        return None
    name = text("identifier")
    found: dict[str, Any] = {
        "id": str(uuid.uuid5(_NAMES, f"{text('sender')} {name} {text('sent')}")),
        "conformsTo": [_CORE],
        "type": "Feature",
        "geometry": _geometry(text("info/area/polygon"), text("info/area/circle")),
        "properties": {
            "data_id": f"{settings.centre_id}/{name}",
            "metadata_id": settings.metadata_id,
            "pubtime": _utc(text("sent")),
            "start_datetime": _utc(text("info/onset")),
            "end_datetime": _utc(text("info/expires")),
            "integrity": {
                "method": "sha512",
                "value": base64.b64encode(hashlib.sha512(message).digest()).decode(),
            },
        },
        "links": [
            {
                "rel": "canonical",
                "href": href,
                "type": "application/cap+xml",
                "length": len(message),
            }
        ],
    }
    return json.dumps(found, ensure_ascii=False).encode()


def _utc(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _geometry(polygon: str, circle: str) -> dict[str, Any] | None:
    """GeoJSON puts longitude first."""
    if polygon:
        corners = [[float(x) for x in reversed(p.split(","))] for p in polygon.split()]
        return {"type": "Polygon", "coordinates": [corners]}
    if circle:
        lat, lon = circle.split()[0].split(",")
        return {"type": "Point", "coordinates": [float(lon), float(lat)]}
    return None
