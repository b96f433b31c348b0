"""LoRaWAN devices: the rows of lorawan.csv, and the codecs that say what the bytes of a payload mean.

A codec is one TOML file, of `config/codecs` or of the district's own folder `codecs`: a table of fields, each
with its place, width, sign, scale and unit. Four forms of payload are known:

fixed    fields at their bytes; `bytes` is the least length
tagged   pieces of a tag (hex; `**` is any byte, the number of the channel) and so many bytes, in any order
flagged  a head of version 2, device id and 16 flags, then the pieces whose flag is set, the lowest first
object   what the network server's own codec has read: fields by their path
"""

import re
from typing import Literal

from config.records.row import Row

# what a field may give that is no quantity of ours: metres down to the water, tips of a bucket, seconds since
# 1970 at which the values of its piece were measured
DISTANCE, TIPS, TIME = "distance", "tips", "time"
OBJECT = "object"  # the codec that needs no file: `field` of the row is the path
# what every device tells of itself, on the station of its first row
OF_RADIO = ("battery_voltage", "rssi", "snr", "frame_loss")
OF_LINKS = ("battery", *OF_RADIO)
WILD = "**"
_CHANNEL = re.compile(r"(.+)_(\d{1,3})")


class CodecField(Row, frozen=True, kw_only=True):
    """One value of a payload: `raw * scale + offset`, in `unit`."""

    name: str
    zh: str = ""
    en: str = ""
    at: int = 0  # byte, from the first of its piece
    bytes: int = 1
    signed: bool = False
    # of its bytes; "": as the codec says. words: 16 bits each with the high byte first, the lowest word first
    order: Literal["", "big", "little", "words"] = ""
    mask: int = 0  # the bits that count; 0: all
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    gives: str = ""  # a quantity of config.records.quantity, distance, tips or time; "": a row must ask for it
    missing: tuple[int, ...] = ()  # raw values that say that there is none
    only: tuple[int, ...] = ()  # raw values with which its piece is a measurement; (): any
    path: str = ""  # object: where it stands, a.b.0; "": its name
    absent: float | None = None  # object: what it is when it is left out; none: not measured


class CodecPart(Row, frozen=True, kw_only=True):
    """A piece of a payload."""

    bytes: int
    tag: str = ""  # tagged: hex bytes, `03 82`; `** 67`
    zh: str = ""
    en: str = ""
    field: tuple[CodecField, ...] = ()


class Codec(Row, frozen=True, kw_only=True):
    """A device's payload. source: where that is written for everybody."""

    title: str
    title_en: str
    source: str
    form: Literal["fixed", "tagged", "flagged", "object"]
    name: str = ""  # of its file
    ports: tuple[int, ...] = ()  # fPorts that carry it; (): any
    order: Literal["big", "little"] = "big"
    bytes: int = 0  # fixed
    field: tuple[CodecField, ...] = ()  # fixed, object
    part: tuple[CodecPart, ...] = ()  # tagged, flagged

    @property
    def fields(self) -> tuple[CodecField, ...]:
        """All, in their order."""
        return self.field + tuple(f for p in self.part for f in p.field)

    def asked(self, name: str) -> CodecField | None:
        """The field that a row calls by its name, `temperature_3` for channel 3 of a wild tag."""
        plain = {f.name: f for p in self.part if not p.tag.startswith(WILD) for f in p.field}
        plain |= {f.name: f for f in self.field}
        if name in plain:
            return plain[name]
        found = _CHANNEL.fullmatch(name)
        wild = {f.name: f for p in self.part if p.tag.startswith(WILD) for f in p.field}
        return wild.get(found[1]) if found and int(found[2]) < 256 else None


UNREAD = Codec(
    title="网络服务器已解的字段",
    title_en="fields that the network server has read",
    source="",
    form="object",
    name=OBJECT,
)


class LorawanRow(Row, frozen=True, kw_only=True):
    """One field of one device as the readings of one station: `value * scale + offset`, in its unit."""

    station: str  # of stations.csv
    dev_eui: str  # 16 hex digits
    codec: str  # a file of codecs, without .toml; or `object`
    field: str = ""  # of the codec; "": the one that gives what the station measures
    scale: float | None = (
        None  # none: 1; of a distance -1 for a stage in m, -1000 for a depth in mm
    )
    offset: float | None = (
        None  # none: 0; of a distance the height of the sensor above the station's zero
    )

    @property
    def eui(self) -> str:
        """As the network servers have it, in capitals."""
        return eui_of(self.dev_eui)


def eui_of(text: str) -> str:
    """A DevEUI without what people put between its digits."""
    return re.sub(r"[\s:_-]", "", text).upper()


# what a distance becomes: minus so many units a metre
DOWNWARD = {"stage": -1.0, "depth": -1000.0}


def field_of(codec: Codec, row: LorawanRow, quantity: str) -> CodecField | None:
    """The codec's field that the row means for a station of this quantity; None: it has none."""
    if codec.name == OBJECT:
        return CodecField(name=row.field) if row.field else None
    if row.field:
        return codec.asked(row.field)
    wanted = {quantity}
    if quantity in DOWNWARD:
        wanted.add(DISTANCE)
    if quantity == "rain_counter":
        wanted.add(TIPS)
    return next((f for f in codec.fields if f.gives in wanted), None)


def reckoned(row: LorawanRow, field: CodecField, quantity: str) -> tuple[float, float]:
    """scale and offset of a row's values."""
    usual = DOWNWARD.get(quantity, 1.0) if field.gives == DISTANCE else 1.0
    return (usual if row.scale is None else row.scale), row.offset or 0.0
