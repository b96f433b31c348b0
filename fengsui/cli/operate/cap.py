"""The commands of CAP: cap-in, cap-key, cap-fields, neighbours, answer."""

import secrets
import sys
from pathlib import Path

import click

from config.language import Said, Text, en, text_of, zh
from config.records.level import HAZARD_EN, HAZARD_ZH, LEVEL_EN, LEVEL_ZH, Level
from config.records.sources import Source
from dispatch.cap.message import sent
from dispatch.cap.national_fields import FORMATS, fields
from dispatch.cap.signing import cap_key as make_key
from dispatch.records import Decision
from fengsui.cli.options import BEFORE_START, KEY, RUN, Shared
from fengsui.run.run_log import open_run_log
from fengsui.run.run_view import alerts_view, run_clock
from fengsui.run.setup import Setup
from fengsui.run.signing import sign_as
from fengsui.run.terminal import echo
from fengsui.status.cap_exchange import Crossing, neighbour_lines
from fengsui.status.look import look_at
from ingest.cap.decode import Wrong
from ingest.cap.intake import CapDoor
from ingest.observation import CapIn
from stream.environment import Usage, spoken
from stream.log.port import Out
from stream.records import Rejected, encode


@click.command("cap-in")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@RUN
@click.pass_obj
def cap_in(obj: Shared, file: Path, run_name: str) -> None:
    """外来预警：交来别的机构的 CAP 消息；核对后作为证据，绝不直接广播。

    Hand in another authority's CAP message: checked, and evidence, never a broadcast.
    """
    setup: Setup = obj.existing(run_name)
    setup.folder.mkdir(parents=True, exist_ok=True)
    log = open_run_log(setup)
    at = run_clock(setup, alerts_view(log))
    try:
        with file.open("rb") as f:
            body = f.read(10_000_000)
        door = CapDoor(setup.district, setup.live, setup.folder)
        taken = door.enter(log, body, lambda: at, f"file:{file.name}")
    finally:
        log.close()
    for found in taken.each:
        if isinstance(found, Rejected):
            echo(
                Text(
                    f"未接收（{found.reason}）：{zh(found.detail)}",
                    f"refused ({found.reason}): {en(found.detail)}",
                ),
                err=True,
            )
            continue
        name = setup.district.sources.source[found.source]
        echo(
            Text(
                f"已接收：{name.name}，{found.msg_type} {found.identifier}",
                f"taken: {name.name_en}, {found.msg_type} {found.identifier}",
            )
        )
        for line in (
            *_meaning(found),
            *(Text("  注意：", "  note: ") + d for d in found.deviations),
        ):
            echo(line)
    if not taken.good:
        sys.exit(1)


def _meaning(found: CapIn) -> list[Said]:
    """Which areas, a line each hazard and level."""
    places: dict[tuple[int, str], list[str]] = {}
    for s in found.says:
        places.setdefault((-s.level, s.hazard), []).append(s.area)
    return [
        Text(
            f"  {HAZARD_ZH[hazard]} {LEVEL_ZH[Level(-level)]}: {' '.join(areas)} 待本区确认",
            f"  {HAZARD_EN[hazard]} {LEVEL_EN[Level(-level)]}: {' '.join(areas)} proposed",
        )
        for (level, hazard), areas in sorted(places.items())
    ]


@click.command("cap-key")
@RUN
@BEFORE_START
@click.pass_obj
def cap_key(obj: Shared, run_name: str, before_start: bool) -> None:
    """签名证书：本运行签 CAP 所用，交给邻县；没有就造一张。

    The certificate that this run signs CAP with, for neighbours; made when there is none.
    """
    setup: Setup = obj.beforehand(run_name, before_start=before_start)
    try:
        key = make_key(setup.folder, setup.district, setup.live)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    click.echo(key.pem(), nl=False)


@click.command("cap-fields")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", type=click.Choice(list(FORMATS)), default="gbt35965", show_default=True)
def cap_fields(file: Path, to: str) -> None:
    """国标字段：CAP 消息对应的中国格式要素名，每项标明把握多大。

    A CAP message by the element names of a Chinese format, each with how sure it is.
    """
    try:
        found = fields(file.read_bytes(), to)
    except Wrong as e:
        raise Usage(f"{file}: " + text_of(e.rejected.detail)) from e
    for row, value in found:
        echo(f"{row.element}\t{row.name_zh}\t{value or '—'}\t{row.certainty}\t{row.note}")


@click.command()
@RUN
@click.pass_obj
def neighbours(obj: Shared, run_name: str) -> None:
    """邻区邻县：越界往来；我们的和对方的话，对方的和我们的话，以及外来预警。

    What crossed the line: ours with their word, theirs with ours, and outside warnings.
    """
    setup: Setup = obj.existing(run_name)
    log = open_run_log(setup)
    look = look_at(setup, log)
    at = run_clock(setup, look.view)
    log.close()
    for line in neighbour_lines(setup.district, look.crossing, at, setup.live):
        echo(line)


@click.command()
@click.argument("word", type=click.Choice(["accept", "decline"]))
@click.argument("neighbour")
@click.argument("identifier")
@click.option("--by", required=True, help=spoken(Text("操作人代号", "opaque id of the person")))
@click.option("--reason", required=True, help=spoken(Text("写给对方的话", "what they will read")))
@KEY
@RUN
@click.pass_obj
def answer(
    obj: Shared,
    word: str,
    neighbour: str,
    identifier: str,
    by: str,
    reason: str,
    key: Path | None,
    run_name: str,
) -> None:
    """回复邻县：告诉 NEIGHBOUR 其消息 IDENTIFIER 已接受或不接受（CAP Ack, Error）。

    Say to NEIGHBOUR that its message IDENTIFIER is accepted or declined (CAP Ack, Error).
    """
    setup: Setup = obj.existing(run_name)
    district = setup.district
    row = district.sources.neighbour.get(neighbour)
    if row is None:
        raise Usage(
            Text(
                f"没有邻县 {neighbour!r}，有：{', '.join(district.sources.neighbour)}",
                f"no neighbour {neighbour!r}; there are: {', '.join(district.sources.neighbour)}",
            )
        )
    if not row.place(setup.live):
        raise Usage(
            Text(
                f"{neighbour} 在 sources.toml 里没有地址：电话回复",
                f"{neighbour} has no address in sources.toml: answer by telephone",
            )
        )
    log = open_run_log(setup)
    try:
        look = look_at(setup, log)
        message = _their_message(look.crossing, district.sources.source[neighbour], identifier)
        reference = f"{message.sender},{message.identifier},{sent(district, message.sent_at)}"
        decision = Decision(
            area="",
            hazard="",
            act=word,  # type: ignore[arg-type]  # click allows only these
            by=by,
            decided_at=run_clock(setup, look.view),
            reason=reason,
            alert=f"{neighbour} {reference}",
            order=secrets.token_hex(8),
        )
        decision = sign_as(setup, log, by, key)(decision)
        log.append([Out("cases", neighbour, encode(decision))])
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    echo(
        Text(
            f"已记录：{word} {neighbour} {identifier}，{by}",
            f"recorded: {word} {neighbour} {identifier} by {by}",
        )
    )


def _their_message(crossing: Crossing, source: Source, identifier: str) -> CapIn:
    found = crossing.theirs.get((source.id, identifier))
    if found is None:
        raise Usage(
            Text(
                f"{source.id} 没有来过 {identifier!r}，见 `fengsui neighbours`",
                f"{source.id} has sent no {identifier!r}, see `fengsui neighbours`",
            )
        )
    return found
