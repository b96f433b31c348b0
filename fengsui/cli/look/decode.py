"""The command `decode`: the bytes of a telemetry station, an edge node, a LoRaWAN device or a broadcast
platform as a table."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.cells import cell_len

from config.language import Text
from config.read.codecs import codec_names, read_codecs
from config.read.problem import Problem
from config.records.devices.lorawan import OBJECT
from dispatch.channels.platform.rows import rows as rows_ebd
from fengsui.cli.options import Shared
from fengsui.run.terminal import echo
from ingest.telemetry.codec.said import Pair, Row
from ingest.telemetry.codec.sl651.rows import rows as rows_651
from ingest.telemetry.codec.sparkplug.rows import rows as rows_sparkplug
from ingest.telemetry.codec.szy206.rows import rows as rows_206
from ingest.telemetry.lorawan.rows import rows as rows_lorawan
from stream.environment import Usage, spoken

_READS: dict[str, Callable[[bytes], list[Row]]] = {
    "sl651": rows_651,
    "szy206": rows_206,
    "sparkplug": rows_sparkplug,
    "ebd": rows_ebd,
}
_LORAWAN = "lorawan"
_HEADS = (
    Text("字节", "byte"),
    Text("含义", "meaning"),
    Text("值", "value"),
    Text("原始", "as sent"),
)
_WRONG = Text("有误：", "wrong: ")


@click.command("decode")
@click.argument("protocol", type=click.Choice([*_READS, _LORAWAN]))
@click.argument("hex_", metavar="[CODEC] HEX|FILE", nargs=-1, required=True)
@click.option(
    "--port",
    type=click.IntRange(0, 255),
    default=None,
    help=spoken(Text("lorawan：上行的 fPort", "lorawan: the uplink's fPort")),
)
@click.pass_obj
def decode(obj: Shared | None, protocol: str, hex_: tuple[str, ...], port: int | None) -> None:
    """解码：设备报文（十六进制、文件，或 - 从标准输入读）逐字段列表：第几字节、含义、值、单位、哪里有误。

    有误时退出码为 1。lorawan 后先写编码名，如 milesight-em500-udl；区县自己的编码在 --config 的 codecs 里。
    ebd 是应急广播平台的包（docs/broadcast-platform.md）。见 docs/devices/。

    A device's message (hex, a file, or - from standard input) field by field: byte, meaning, value, unit,
    what is wrong.

    Exit code 1 where anything is wrong. After lorawan the codec's name comes first, for example
    milesight-em500-udl; a district's own stand in codecs of --config. ebd is a packet of a broadcast platform
    (docs/en/broadcast-platform.md). docs/en/devices/.
    """
    if protocol == _LORAWAN:
        found = _payload(obj.config if obj is not None else Path(), hex_, port)
    else:
        found = _READS[protocol](_bytes(hex_))
    for text in _lines(found):
        echo(text)
    sys.exit(int(not found or any(_said(row.wrong) for row in found)))


def _payload(config: Path, words: tuple[str, ...], port: int | None) -> list[Row]:
    """A payload by the codec that the first word names. Raises Usage."""
    name, *rest = words
    problems: list[Problem] = []
    codec = read_codecs(config, {name}, problems).get(name)
    mine = [p for p in problems if p.file.endswith(f"/{name}.toml")]
    if codec is None or name == OBJECT:
        known = ", ".join(n for n in codec_names(config) if n != OBJECT)
        said = Text(f"没有编码 {name!r}：可用 {known}", f"no codec {name!r}: there are {known}")
        raise Usage(mine[0].text if mine else said)
    if not rest:
        raise Usage(Text("没有字节", "no bytes"))
    return rows_lorawan(codec, _bytes(tuple(rest)), port)


def _bytes(words: tuple[str, ...]) -> bytes:
    """What stands in the file of that name; else what was typed, with or without blanks, colons and 0x.
    Raises Usage."""
    if len(words) == 1 and words[0] != "-" and (file := Path(words[0])).is_file():
        return file.read_bytes()
    text = sys.stdin.read() if words == ("-",) else " ".join(words)
    plain = "".join(text.replace("0x", " ").replace(":", " ").replace(",", " ").split())
    try:
        found = bytes.fromhex(plain)
    except ValueError as e:
        at = next((n for n, c in enumerate(plain) if c not in "0123456789abcdefABCDEF"), len(plain))
        shown = plain[at : at + 8]
        words_ = (
            Text(
                f"第 {at + 1} 个字符 {shown!r} 不是十六进制",
                f"character {at + 1}, {shown!r}, is not hex",
            )
            if shown
            else Text("十六进制字符应为偶数个", "an odd number of hex characters")
        )
        raise Usage(words_) from e
    if not found:
        raise Usage(
            Text("没有字节：fengsui decode sl651 7E7E…", "no bytes: fengsui decode sl651 7E7E…")
        )
    return found


def _said(pair: Pair) -> str:
    return spoken(Text(pair.zh, pair.en))


def _lines(found: list[Row]) -> list[str]:
    """Columns, with the width of Chinese characters reckoned."""
    table = [tuple(map(spoken, _HEADS))]
    for row in found:
        value = " ".join(part for part in (_said(row.value), row.unit) if part)
        table.append((str(row.at), _said(row.name), value, row.raw))
    wide = [max(cell_len(cells[n]) for cells in table) for n in range(len(_HEADS) - 1)]
    lines = []
    for n, cells in enumerate(table):
        padded = [c + " " * (w - cell_len(c)) for c, w in zip(cells, wide, strict=False)]
        lines.append("  ".join([*padded, cells[-1]]).rstrip())
        if n and (wrong := _said(found[n - 1].wrong)):
            lines.append(" " * (wide[0] + 2) + "! " + spoken(_WRONG) + wrong)
    return lines
