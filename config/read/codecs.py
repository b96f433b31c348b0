"""Codecs of LoRaWAN payloads: the files that come with the product, and the district's own, which go first."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from msgspec.structs import replace

from config.language import Said, Text
from config.read.problem import Problem, out_of_range, problem, stands_twice
from config.read.tables import read_toml
from config.records.devices.lorawan import (
    DISTANCE,
    OBJECT,
    TIME,
    TIPS,
    UNREAD,
    WILD,
    Codec,
    CodecField,
    CodecPart,
)
from config.records.quantity import QUANTITIES

FOLDER = "codecs"
SHIPPED = Path(__file__).parents[1] / FOLDER
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TAG = re.compile(r"(\*\*|[0-9A-Fa-f]{2})( [0-9A-Fa-f]{2}){0,3}")
_WIDEST = 8  # bytes of a number
_FLAGS = 16
_LONGEST = 242  # of a payload: LoRaWAN Regional Parameters, the largest of all data rates
_FORMS = {"fixed": "field", "object": "field", "tagged": "part", "flagged": "part"}


def codec_names(folder: Path) -> list[str]:
    """What rows may name."""
    files = [*SHIPPED.glob("*.toml"), *(folder / FOLDER).glob("*.toml")]
    return sorted({OBJECT, *(p.stem for p in files)})


def read_codecs(folder: Path, names: Collection[str], problems: list[Problem]) -> dict[str, Codec]:
    """The codecs of these names that there are, and of the district's own files all: a file that nobody
    uses yet is told what is wrong with it."""
    own = {p.stem: p for p in (folder / FOLDER).glob("*.toml")}
    found = {OBJECT: UNREAD} if OBJECT in names else {}
    for name in sorted({*names, *own} - {OBJECT}):
        path = own.get(name, SHIPPED / f"{name}.toml")
        if not _NAME.fullmatch(name):
            if name in own:
                words = Text(f"{name!r} 不能作名字", f"{name!r} is no name")
                hint = Text("小写字母、数字、-", "small letters, digits, hyphens")
                problems.append(problem(f"{FOLDER}/{name}.toml", 0, "", words, hint))
            continue
        if path.is_file() and (codec := read_codec(path, problems)) is not None:
            found[name] = codec
    if OBJECT in own:
        problems.append(problem(f"{FOLDER}/{OBJECT}.toml", 0, "", stands_twice(OBJECT)))
    return found


def read_codec(path: Path, problems: list[Problem]) -> Codec | None:
    """One file; None and its problems."""
    mine: list[Problem] = []
    codec = read_toml(path, Codec, mine)
    if codec is not None:
        codec = replace(codec, name=path.stem)
        mine += [problem(path.name, 0, at, words, hint) for at, words, hint in _wrong(codec)]
    problems += [p._replace(file=f"{FOLDER}/{path.name}") for p in mine]
    return None if mine else codec


Fault = tuple[str, Said, Said]


def _wrong(codec: Codec) -> Iterator[Fault]:
    """Where, what, what to do."""
    wants = _FORMS[codec.form]
    other = "part" if wants == "field" else "field"
    if not getattr(codec, wants) or getattr(codec, other):
        words = Text(f"{codec.form} 要写 [[{wants}]]", f"{codec.form} wants [[{wants}]]")
        yield wants, words, Text(f"不写 [[{other}]]", f"and no [[{other}]]")
    if any(not 0 <= port <= 255 for port in codec.ports):
        yield "ports", out_of_range(codec.ports), "0 … 255"
    if (codec.form == "fixed") != (0 < codec.bytes <= _LONGEST):
        yield "bytes", out_of_range(codec.bytes), Text("fixed 写最短长度", "fixed: least length")
    if codec.form == "flagged" and len(codec.part) > _FLAGS:
        yield "part", out_of_range(len(codec.part)), f"1 … {_FLAGS}"
    for n, field in enumerate(codec.field):
        bound = codec.bytes if codec.form == "fixed" else _WIDEST
        yield from _wrong_field(f"field[{n}]", field, bound, codec)
    tags = set()
    for n, part in enumerate(codec.part):
        yield from _wrong_part(f"part[{n}]", part, codec)
        if part.tag and part.tag.upper() in tags:
            yield f"part[{n}].tag", stands_twice(part.tag), Text("删去一个", "remove one")
        tags.add(part.tag.upper())


def _wrong_part(at: str, part: CodecPart, codec: Codec) -> Iterator[Fault]:
    if not 0 <= part.bytes <= _LONGEST:
        yield f"{at}.bytes", out_of_range(part.bytes), f"0 … {_LONGEST}"
    if (codec.form == "tagged") != bool(_TAG.fullmatch(part.tag)):
        words = Text(f"{part.tag!r} 不是标签", f"{part.tag!r} is no tag")
        yield f"{at}.tag", words, Text("如 03 82，** 67", "for example 03 82, ** 67")
    elif part.tag.startswith(WILD) and any(f.gives not in ("", TIME) for f in part.field):
        words = Text("通道不定，不能写 gives", "no gives: nobody knows the channel")
        yield f"{at}.field", words, Text("由 lorawan.csv 的 field 指定", "rows name the field")
    for n, field in enumerate(part.field):
        yield from _wrong_field(f"{at}.field[{n}]", field, part.bytes, codec)


def _wrong_field(at: str, field: CodecField, bound: int, codec: Codec) -> Iterator[Fault]:
    if not field.name.strip():
        yield f"{at}.name", Text("不能为空", "must not be empty"), ""
    if not 1 <= field.bytes <= _WIDEST:
        yield f"{at}.bytes", out_of_range(field.bytes), f"1 … {_WIDEST}"
    elif field.at < 0 or field.at + field.bytes > bound:
        words = Text("超出这一段", "lies beyond its piece")
        yield f"{at}.at", words, Text(f"共 {bound} 字节", f"it has {bound} bytes")
    if field.order == "words" and field.bytes % 2:
        yield f"{at}.order", out_of_range(field.bytes), Text("words 要偶数字节", "words: even")
    if not field.scale or field.mask < 0:
        yield f"{at}.scale", Text("不能为 0", "must not be 0"), ""
    if field.gives not in ("", DISTANCE, TIPS, TIME) and field.gives not in QUANTITIES:
        words = Text(f"{field.gives!r} 不是要素", f"{field.gives!r} is no quantity")
        known = f"{DISTANCE}, {TIPS}, {TIME}, {', '.join(QUANTITIES)}"
        yield f"{at}.gives", words, known
    elif field.gives == DISTANCE and field.unit != "m":
        yield f"{at}.unit", f"{field.unit!r}", Text("距离用 m", "a distance is in m")
    elif field.gives in QUANTITIES and field.unit != QUANTITIES[field.gives].unit:
        unit = QUANTITIES[field.gives].unit
        yield f"{at}.unit", f"{field.unit!r}", Text(f"{field.gives} 用 {unit}", f"it is {unit}")
    if field.absent is not None and codec.form != OBJECT:
        yield f"{at}.absent", Text("只用于 object", "goes with object alone"), ""
