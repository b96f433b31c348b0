"""What once ended the whole line, and its neighbours: for each door a good message, and the ways in
which it can come spoilt. All of it raises no more than an exception in whoever reads it."""

import io
import json
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image

# as the field stands in JSON: Python's own encoder would not write most of them
FIELDS = {
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5000,
    "1e999": "1e999",
    "NaN": "NaN",
    "1,500 deep": "[" * 1500 + "]" * 1500,
    "half a surrogate": '"\\ud800"',
    "year 1": '"0001-01-01T00:00:00+14:00"',
    "year 9999": '"9999-12-31T23:59:59-14:00"',
    "24:00": '"2025-07-26T24:00:00+08:00"',
    "minus 2^63": str(-(2**63)),
    "an object": '{"a": {"b": []}}',
    "10 kB of text": json.dumps("字" * 3_400),
    "true": "true",
    "null": "null",
}
WHOLE = {
    "nothing": b"",
    "no UTF-8": b"\xff\xfe{}",
    "open brackets": b"[" * 3000,
    "open objects": b'{"a":' * 3000,
    "300 kB of blanks": b" " * 300_000,
    "null": b"null",
    "a number": b"9" * 400,
    "zeros": bytes(64),
    "XML": b"<alert/>",
}


class Poison(NamedTuple):
    """door: as the table of topics has it; kind: in words; topic: after the run's prefix."""

    door: str
    kind: str
    topic: str
    payload: bytes


class Door(NamedTuple):
    topic: str
    good: dict[str, object]
    listed: bool = False  # the object stands in a list


def text(fields: dict[str, str]) -> bytes:
    """A JSON object of fields whose values are JSON already."""
    return ("{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in fields.items()) + "}").encode()


def of_door(name: str, door: Door) -> Iterator[Poison]:
    """Each field spoilt in each way, one that nobody knows too, then the whole."""
    good = {k: json.dumps(v) for k, v in door.good.items()}
    for field in (*good, "unknown"):
        for kind, raw in FIELDS.items():
            body = text({**good, field: raw})
            body = b"[" + body + b"]" if door.listed else body
            yield Poison(name, f"{field}: {kind}", door.topic, body)
    whole = text(good)
    for kind, body in (*WHOLE.items(), ("broken off", whole[: len(whole) // 2])):
        yield Poison(name, kind, door.topic, body)


def head_of(width: int, height: int) -> bytes:
    """A JPEG whose head states another size than it has: start, frame header, no scan."""
    frame = b"\xff\xc0\x00\x0b\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8" + frame + b"\x01\x01\x11\x00" + b"\xff\xd9"


def picture() -> bytes:
    """A good one."""
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "grey").save(out, "JPEG")
    return out.getvalue()


def pictures(topic: str) -> Iterator[Poison]:
    """Damaged as a bad link damages."""
    whole = picture()
    for kind, body in {
        "states 65535 x 65535": head_of(65535, 65535),
        "states 0 x 0": head_of(0, 0),
        "broken off": whole[: len(whole) // 2],
        "a head alone": whole[:20],
        "nothing": b"",
        "another kind": b"GIF89a\x01\x00\x01\x00",
    }.items():
        yield Poison("frame", kind, topic, body)


CAPS = {
    "1,500 deep": b"<info>" * 1500 + b"</info>" * 1500,
    "a point that is none": b"<polygon>NaN,inf 1e999,1 1,1</polygon>",
    "5,000 digits": b"<circle>1,1 " + b"9" * 5000 + b"</circle>",
    "half a surrogate": b"<note>&#xD800;</note>",
    "bytes of no encoding": b"<note>\xff\xfe</note>",
    "a moment that is none": b"<sent>9999-99-99T24:00:00+99:00</sent>",
}


def caps(topic: str) -> Iterator[Poison]:
    """XML that is no message, or one whose fields cannot be."""
    head = b'<?xml version="1.0" encoding="UTF-8"?>'
    name = b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
    for kind, inner in CAPS.items():
        yield Poison("cap", kind, topic, head + name + inner + b"</alert>")


def of_ingest(now: int, gateway: str, source: str) -> Iterator[Poison]:
    """For the doors of ingest. now: epoch ms."""
    reading = {"time": now / 1000, "value": 1.2, "unit": "cm", "seq": 7}
    named = {**reading, "station": "R01", "quantity": "rain"}
    pack = {"bn": "R01:", "bt": now / 1000, "bv": 1, "n": "rain", "v": 0.5, "t": -60, "u": "mm"}
    doors = {
        "reading": Door("station/R01/rain", reading),
        "readings": Door("station/R01/rain", reading, listed=True),
        "gateway json": Door(f"gateway/{gateway}/json", named, listed=True),
        "gateway senml": Door(f"gateway/{gateway}/senml", pack, listed=True),
        "node status": Door("node/N001/status", {"time": now / 1000, "battery": 93.0, "mains": 1}),
        "person sms": Door(
            "person/C-0001/sms", {"text": "水涨了", "id": "a1", "at": now / 1000}
        ),
        "person report": Door(
            "person/C-0001/report",
            {"what": "moved", "id": "a1", "area": "A01", "people": 3, "time": now / 1000},
        ),
        "cap": Door(f"source/{source}/cap", {"alert": 1}),
    }  # fmt: skip
    for name, door in doors.items():
        yield from of_door(name, door)
    yield from pictures(f"station/V01/frame/{now}")
    yield from caps(f"source/{source}/cap")


def by_http(now: int) -> dict[str, Door]:
    """The doors that answer: the topic is the way's name. now: epoch ms."""
    return {
        "people page": Door(
            "people", {"what": "moved", "area": "A01", "people": 3, "id": "b1", "time": now / 1000}
        ),
        "carrier http": Door(
            "receipt", {"msgid": "1", "stat": "DELIVRD", "mobile": "", "content": ""}
        ),
        "cap http": Door("cap", {"alert": 1}),
    }


def of_send(now: int) -> Iterator[Poison]:
    """For the doors of send."""
    report = json.dumps({"what": "report", "body": {"act": "x"}, "signature": "00"})
    doors = {
        "node ack": Door(
            "node/N001/ack",
            {"node": "N001", "id": "k", "state": "played", "at": now, "battery": 9.5, "detail": ""},
        ),
        "node hello": Door(
            "node/N001/hello", {"node": "N001", "keys": 1, "mandate_at": now, "nonce": "n"}
        ),
        "node report": Door("node/N001/report", json.loads(report)),
        "carrier receipt": Door(
            "receipt/sms", {"key": "k", "status": "DELIVRD", "at": now, "detail": "13800138000"}
        ),
    }
    for name, door in doors.items():
        yield from of_door(name, door)
