"""What is wrong with a `[[carrier]]` of kind sip. Pure."""

import re
from collections.abc import Iterator

from config.language import Said, Text
from config.records.channels import Carrier as Row

_OUT = Text("越界", "out of range")


def faults(row: Row) -> Iterator[tuple[str, Said, Said]]:
    """Of the row by itself: key, what, what to do."""
    t = row.trunk
    if t.number.count("{to}") != 1 or not re.fullmatch(
        r"[0-9+*#]{0,16}", t.number.replace("{to}", "")
    ):
        yield (
            "trunk.number",
            Text("不是号码的写法", "is no way to write a number"),
            '"{to}", "0{to}"',
        )
    if not re.fullmatch(r"[0-9*#]", t.key):
        yield "trunk.key", Text("不是一个键", "is not one key"), "0 … 9 * #"
    if t.domain and not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", t.domain):
        yield "trunk.domain", Text("不是域名", "is no domain"), "ims.example"
    for key, (least, most) in _RANGES.items():
        if not least <= getattr(t, key) <= most:
            yield f"trunk.{key}", _OUT, f"{least} … {most}"
    if not t.codecs:
        yield "trunk.codecs", Text("缺少编码", "needs a codec"), "PCMA, PCMU"
    ports = re.fullmatch(r"(\d{4,5})-(\d{4,5})", t.rtp_ports)
    if not ports or not 1024 <= int(ports[1]) <= int(ports[2]) - 4 * row.window <= 65_535:
        # a call takes two, and half of them may be taken by others
        room = Text("每路 4 个端口", "4 ports a call")
        yield "trunk.rtp_ports", room, '"10000-20000"'
    if bool(row.user) != bool(row.secret):
        yield "secret", Text("账号不全", "half a login"), "user + secret"


_RANGES = {"wait_s": (3, 30), "times": (1, 5), "ring_s": (10, 90), "rate": (120, 300)}
