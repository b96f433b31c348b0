"""What a PMTiles archive says of itself: a header of 127 bytes, a directory, metadata, then the tiles, which
the browser reads. Source: the PMTiles specification, version 3 (github.com/protomaps/PMTiles, spec/v3)."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import msgspec

from config.language import Text
from config.records.basemap import Tiles

NAME = "map.pmtiles"
_HEAD = struct.Struct("<7sB11Q?BBBBBiiiiBii")
_MAGIC, _VERSION, _LENGTH = b"PMTiles", 3, 127
_KINDS = {1: "mvt", 2: "png", 3: "jpeg", 4: "webp", 5: "avif"}
_GZIP = 2
_PACKED = {0: "?", 1: "", 2: "gzip", 3: "brotli", 4: "zstd"}
_MOST = 4_000_000  # bytes of metadata or of a directory, unpacked
_DEEPEST = 24
_LAYERS = 50  # that are named


class _Wrong(ValueError):
    """What is wrong with the archive."""

    def __init__(self, words: Text) -> None:
        super().__init__(words)
        self.words = words


def read_tiles(folder: Path) -> Tiles | None:
    """The operator's own base map, where the folder has one; `fault` where it cannot be used: a map that is
    broken keeps no warning from going out."""
    file = folder / NAME
    if not file.exists():
        return None
    if not file.is_file():  # to open a pipe waits for whoever writes into it
        return Tiles(path=str(file.resolve()), fault=Text("不是文件", "is no file"))
    try:
        with file.open("rb") as f:
            return _read(f, file)
    except _Wrong as e:
        return Tiles(path=str(file.resolve()), fault=e.words)
    except OSError as e:
        return Tiles(path=str(file.resolve()), fault=Text(f"读不了：{e}", f"cannot be read: {e}"))


def _read(f: BinaryIO, file: Path) -> Tiles:
    size = file.stat().st_size
    head = f.read(_LENGTH)
    if head[:7] != _MAGIC:
        raise _Wrong(Text("不是 PMTiles 文件", "is no PMTiles archive"))
    if len(head) < _LENGTH or head[7] != _VERSION:
        found = head[7] if len(head) > 7 else "?"
        raise _Wrong(
            Text(
                f"是 PMTiles 第 {found} 版，须为第 3 版：`pmtiles convert`",
                f"is PMTiles version {found}, not 3: `pmtiles convert`",
            )
        )
    _, _, *numbers = _HEAD.unpack(head)
    spans, (_, count, _, _, inside, packed, kind) = numbers[:8], numbers[8:15]
    lowest, highest, west, south, east, north = numbers[15:21]
    for start, length in zip(spans[0::2], spans[1::2], strict=True):
        if start + length > size:
            raise _Wrong(
                Text(
                    f"不完整：应有 {start + length} 字节，只有 {size}；重新复制",
                    f"is cut off: {start + length} bytes are due, {size} are there; copy it again",
                )
            )
    if kind not in _KINDS or lowest > highest or highest > _DEEPEST or not count:
        raise _Wrong(Text("没有能显示的瓦片", "has no tiles that can be shown"))
    if (kind == 1 and packed not in (1, _GZIP)) or inside not in (1, _GZIP):
        what = _PACKED.get(packed if inside in (1, _GZIP) else inside, "?")
        raise _Wrong(
            Text(
                f"压缩方式 {what} 浏览器读不了，须为 gzip",
                f"browsers do not read {what} compression: gzip is needed",
            )
        )
    bounds = tuple(n / 1e7 for n in (west, south, east, north))
    if not (-180 <= bounds[0] < bounds[2] <= 180 and -90 <= bounds[1] < bounds[3] <= 90):
        raise _Wrong(Text(f"范围不对：{bounds}", f"its bounds are wrong: {bounds}"))
    if not _part(f, spans[0], spans[1], inside):
        raise _Wrong(Text("目录是空的", "its directory is empty"))
    about = _about(_part(f, spans[2], spans[3], inside))
    return Tiles(
        path=str(file.resolve()),
        kind=_KINDS[kind],
        lowest=lowest,
        highest=highest,
        bounds=(bounds[0], bounds[1], bounds[2], bounds[3]),
        layers=tuple(_line(layer.id, 40) for layer in about.vector_layers[:_LAYERS]),
        attribution=_line(about.attribution, 200),
    )


def _line(text: str, most: int) -> str:
    """What somebody else wrote, as part of a line."""
    return "".join(c if c.isprintable() else " " for c in text[:most])


class _Layer(msgspec.Struct):
    id: str


class _About(msgspec.Struct):
    """What the metadata may say (JSON)."""

    vector_layers: list[_Layer] = []
    attribution: str = ""


def _about(body: bytes) -> _About:
    try:
        return msgspec.json.decode(body, type=_About)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise _Wrong(Text(f"说明不是 JSON：{e}", f"its metadata are no JSON: {e}")) from e


def _part(f: BinaryIO, start: int, length: int, packed: int) -> bytes:
    if length > _MOST:
        raise _Wrong(Text("目录或说明太大", "its directory or metadata are too large"))
    f.seek(start)
    body = f.read(length)
    if packed != _GZIP:
        return body
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _MOST)
    except (zlib.error, gzip.BadGzipFile) as e:
        raise _Wrong(Text(f"坏了，解不开：{e}", f"is damaged and cannot be unpacked: {e}")) from e


def covers(tiles: Tiles, places: list[tuple[float, float]]) -> int:
    """How many of `places` (lon, lat) lie within it."""
    west, south, east, north = tiles.bounds
    return sum(west <= x <= east and south <= y <= north for x, y in places)


def told(tiles: Tiles, places: list[tuple[float, float]]) -> Text:
    """A line for whoever checks the folder; it begins with "! " where something is to be done."""
    if tiles.fault is not None:
        return f"! {NAME}: " + tiles.fault
    inside, west, south, east, north = covers(tiles, places), *tiles.bounds
    span = f"{west:.2f}–{east:.2f}°E, {south:.2f}–{north:.2f}°N"
    layers = Text(
        f"，图层 {'、'.join(tiles.layers)}" if tiles.layers else "",
        f", layers {', '.join(tiles.layers)}" if tiles.layers else "",
    )
    said = (
        Text(f"{NAME}：{tiles.kind}，", f"{NAME}: {tiles.kind}, ")
        + Text(
            f"{tiles.lowest}–{tiles.highest} 级，{span}",
            f"zooms {tiles.lowest}–{tiles.highest}, {span}",
        )
        + layers
    )
    if inside == len(places):
        return said + Text("，盖住全区", ", covers the whole district")
    return (
        "! "
        + said
        + Text(
            f"；{len(places)} 个区只盖住 {inside} 个",
            f"; covers {inside} of {len(places)} areas only",
        )
    )
