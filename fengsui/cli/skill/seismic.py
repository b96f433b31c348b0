"""The command that measures what rules make of real shaking: seismic."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from config.language import Text, joined, text_of
from detectors.engine.window_rule import Floats
from fengsui.run.terminal import echo
from ingest.waveform.records import Unreadable, obspy, read_files
from ingest.waveform.seconds import Band
from skill.seismic.figures import (
    CLEAR,
    FIRST_S,
    HOLD_S,
    THRESHOLDS,
    Figure,
    Lead,
    Quiet,
    as_json,
    measured,
)
from skill.seismic.records import (
    LEAST_S,
    Shaking,
    WaveformFault,
    by_second,
    checked,
    read_flow,
)
from skill.seismic.rules import RULES
from stream.environment import Usage, spoken

_FILE = click.Path(path_type=Path, exists=True)
# an hour of a seismometer in quiet ground, as ObsPy brings it for its own tests; the sensor beside it (in
# ref_unknown) hears the same, and would make the hour no longer
_OBSPY_QUIET = "ref_STS2"


def _listed(paths: Sequence[Path]) -> list[Path]:
    return [f for p in paths for f in (sorted(p.iterdir()) if p.is_dir() else [p])]


def _channels(paths: Sequence[Path], band: Band) -> list[tuple[str, Floats]]:
    """Of files that ObsPy reads, each channel's seconds."""
    found = []
    for path, pieces in read_files(paths):
        for channel in dict.fromkeys(p.channel for p in pieces):
            name = f"{path.name} {channel}"
            found.append((name, by_second(name, [p for p in pieces if p.channel == channel], band)))
    return found


def _flows(paths: Sequence[Path], band: Band, before: int) -> list[Shaking]:
    files = _listed(paths)
    archives = [f for f in files if f.suffix == ".npz"]
    found = [read_flow(f, band) for f in archives]
    for name, seconds in _channels([f for f in files if f not in archives], band):
        found.append(checked(Shaking(name, seconds, min(before, seconds.size)), "--before"))
    return found


def _quiet(paths: Sequence[Path], band: Band) -> list[Shaking]:
    found = []
    for name, seconds in _channels(_listed(paths), band):
        if seconds.size < FIRST_S + LEAST_S:
            least = FIRST_S + LEAST_S
            raise WaveformFault(Text(f"{name}: 不足 {least} 秒", f"{name}: shorter than {least} s"))
        checked(Shaking(name, seconds, FIRST_S), "--quiet")
        found.append(Shaking(name, seconds, 0))
    return found


@click.command("seismic")
@click.argument("flows", nargs=-1, type=_FILE)
@click.option(
    "--before",
    type=click.IntRange(0),
    default=0,
    help=spoken(
        Text(
            "FLOWS 不是 .npz 时：开头几秒在泥石流之前",
            "of FLOWS that are no .npz: so many seconds at their beginning lie before the flow",
        )
    ),
)
@click.option(
    "--quiet",
    multiple=True,
    type=_FILE,
    help=spoken(
        Text(
            "没有泥石流时的波形：miniSEED 等文件或目录，可多次",
            "waveforms without a flow: miniSEED or other files, or a folder; repeatable",
        )
    ),
)
@click.option(
    "--obspy-quiet",
    is_flag=True,
    help=spoken(
        Text("加上 ObsPy 自带的地震计一小时", "add the hour of a seismometer that ObsPy has")
    ),
)
@click.option(
    "--band",
    nargs=2,
    type=float,
    default=(5.0, 40.0),
    show_default=True,
    help=spoken(Text("频带，Hz", "band, Hz")),
)
@click.option(
    "--json",
    "as_json_",
    is_flag=True,
    help=spoken(Text("打印一个 JSON 对象", "print one JSON object")),
)
def seismic(
    flows: tuple[Path, ...],
    before: int,
    quiet: tuple[Path, ...],
    obspy_quiet: bool,
    band: tuple[float, float],
    as_json_: bool,
) -> None:
    """地声评分：规则在真实波形上提前多久、平时误报多少，逐条逐阈值并列。

    FLOWS：泥石流的记录，.npz（v、fs、t0、ews），或 ObsPy 能读的波形加 --before；文件或目录。误报率只由 --quiet
    给的波形算出，附泊松区间。

    What rules make of real shaking: lead before flows and alarms without one, side by side.

    FLOWS: records of flows, files or folders: .npz (v, fs, t0, ews), or waveforms that ObsPy reads, with
    --before. The rate of false alarms comes from the waveforms of --quiet alone, with its Poisson interval.
    """
    if not flows and not quiet and not obspy_quiet:
        raise Usage(Text("没有波形：给出 FLOWS 或 --quiet", "no waveforms: give FLOWS or --quiet"))
    if not 0 < band[0] < band[1]:
        raise Usage(Text("--band 应 0 < 低 < 高", "--band: 0 < low < high"))
    try:
        found, more = _flows(flows, Band(*band), before), [*quiet]
        if obspy_quiet:
            folder = Path(obspy().__file__).parent / "signal" / "tests" / "data"
            more.append(folder / _OBSPY_QUIET)
        without = _quiet(more, Band(*band))
    except (WaveformFault, Unreadable) as e:
        raise Usage(text_of(e)) from e
    figures = measured(found, without)
    if as_json_:
        echo(json.dumps({"band_hz": band, "figures": as_json(figures)}, ensure_ascii=False))
        return
    for line in _lines(figures, found, without):
        echo(line)


def _lines(
    figures: Sequence[Figure], flows: Sequence[Shaking], quiet: Sequence[Shaking]
) -> list[Text]:
    words = {r.name: r.words for r in RULES}
    out = [_what(flows, quiet)]
    for name in dict.fromkeys(f.rule for f in figures):
        out.append(words[name] + "")
        for f in figures:
            if f.rule == name:
                parts = [*map(_lead, f.leads), *([_rate(f.quiet)] if f.quiet else [])]
                out.append(f"  ≥ {f.threshold:4g}  " + joined(parts, Text("；", "; ")))
    ratios = ", ".join(f"{t:g}" for t in THRESHOLDS)
    minutes = HOLD_S // 60
    out.append(
        Text(
            f"阈值都是倍数，事先列好（{ratios}），没有照这些记录挑选。"
            f"降到阈值的 {CLEAR:g} 以下满 {minutes} 分钟，一次报警才算结束。",
            f"Thresholds are ratios, listed beforehand ({ratios}) and not chosen on these records. An alarm "
            f"is over {minutes} minutes after it fell below {CLEAR:g} of its threshold.",
        )
    )
    return out


def _what(flows: Sequence[Shaking], quiet: Sequence[Shaking]) -> Text:
    before = sum(f.before for f in flows)
    hours = sum(q.seconds.size - FIRST_S for q in quiet) / 3600
    return Text(
        f"泥石流记录 {len(flows)} 段，其前共 {before} 秒，参照由此抽取；"
        f"无泥石流波形 {len(quiet)} 段，{hours:.2f} 小时",
        f"{len(flows)} records of flows with {before} s before them (what is usual is drawn from those); "
        f"{len(quiet)} waveforms without one, {hours:.2f} h",
    )


def _lead(lead: Lead) -> Text:
    if lead.after_s is None:
        return Text(f"{lead.record} 未报", f"{lead.record} none")
    if lead.after_s == -lead.before_s:
        return Text(f"{lead.record} 记录之前就已在报", f"{lead.record} on before it begins")
    again = Text(f"，再报 {lead.again} 次", f", {lead.again} more") if lead.again else Text("", "")
    return (
        Text(
            f"{lead.record} 开始后 {lead.after_s} 秒，早于最强 {lead.lead_s} 秒",
            f"{lead.record} {lead.after_s} s after it begins, {lead.lead_s} s before the loudest",
        )
        + again
    )


def _rate(q: Quiet) -> Text:
    rate = f"{q.per_day:.1f} [{q.low:.1f} … {q.high:.1f}]"
    hours = q.heard_s / 3600
    return Text(
        f"误报 {q.alarms} 次 / {hours:.2f} 小时，每天 {rate}",
        f"{q.alarms} false in {hours:.2f} h, a day {rate}",
    )
