"""The command explain."""

from pathlib import Path

import click

from config.language import Text, en, text_of, zh
from detectors.detection import Detection
from detectors.stage import Detect
from dispatch.words.local_time import local
from fengsui.cli.options import RUN, Shared
from fengsui.explain.past import Recalled, heard, kept, recall, series_of
from fengsui.explain.verdict import explained
from fengsui.explain.words import lines
from fengsui.run.moments import parse_moment
from fengsui.run.named_area import place
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from skill.series.figure import FigureFault
from stream.environment import Usage, spoken
from stream.log.port import partition_of
from stream.wall_clock import now_ms

_DAY_MS = 86_400_000


@click.command()
@click.argument("area")
@click.argument("time")
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    help=spoken(Text("画成图 PNG", "draw it as a PNG")),
)
@RUN
@click.pass_obj
def explain(obj: Shared, area: str, time: str, figure: Path | None, run_name: str) -> None:
    """为什么：AREA 在 TIME（2025-07-26T20:00:00+08:00）为何发了或没发预警。

    Why a warning of AREA was or was not raised at TIME (2025-07-26T20:00:00+08:00).
    """
    setup = obj.existing_judged(run_name)
    place(setup, area)
    at, district = parse_moment(time), setup.district
    plt = None
    if figure:
        from fengsui.explain.figure import draw, prepare

        try:
            plt = prepare(figure)
        except FigureFault as e:
            raise Usage(text_of(e)) from e
    detect = Detect(district, lambda _: None)
    part = detect.part(partition_of(district.group_of_area[area], district.partitions))
    with kept(setup) as (log, history):
        r = recall(log, history, at - 40 * _DAY_MS, at + 2 * _DAY_MS)
        _within(setup, r, at)
        h = heard(district, part, log, history, area, at)
    f = explained(district, detect, area, at, r, h)
    series = series_of(h.whole)
    for text in lines(district, f, series):
        echo(text)
    for note in dict.fromkeys((*r.notes, *h.notes, *_changed(setup, r))):
        echo(Text(f"注：{zh(note)}", f"note: {en(note)}"))
    if figure:
        try:
            draw(plt, figure, district, detect, f, h.whole, series)
        except OSError as e:
            raise Usage(
                Text(
                    f"{figure}: 写不了：{e.strerror}", f"{figure}: cannot be written: {e.strerror}"
                )
            ) from e
        echo(Text(f"已写：{figure}", f"written: {figure}"))


def _within(setup: Setup, r: Recalled, at: int) -> None:
    """Raises Usage for a moment of which this run cannot know anything."""
    zone = setup.district.timezone
    form = "%Y-%m-%d %H:%M"
    if not r.runs and not r.records:
        raise Usage(
            Text(
                f"{setup.run.name}: 尚无记录；看看 --run、--state",
                f"{setup.run.name}: nothing has run here yet; look at --run, --state",
            )
        )
    first = min((x.start_at for x in r.runs), default=at)
    if at < first and r.whole:
        raise Usage(
            Text(
                f"{local(at, zone, form)} 早于运行 {setup.run.name} 的开始："
                f"{local(first, zone, form)} {zone}",
                f"{local(at, zone, form)} is before the run {setup.run.name} began: "
                f"{local(first, zone, form)} {zone}",
            )
        )
    end = now_ms() if setup.live else r.clock_at
    if at > end and (setup.live or r.clock_at):
        now = Text("现在", "now") if setup.live else Text("运行结束", "the run ended")
        raise Usage(
            Text(
                f"{local(at, zone, form)} 晚于{now.zh}：{local(end, zone, form)} {zone}",
                f"{local(at, zone, form)} is after {now.en}: {local(end, zone, form)} {zone}",
            )
        )


def _changed(setup: Setup, r: Recalled) -> list[Text]:
    """Would the present thresholds be those of the time?"""
    now = setup.district.rules_version
    then = sorted({x.rules for x in r.records if isinstance(x, Detection) and x.rules} - {now})
    if not then:
        return []
    note = Text(
        f"阈值或规则其后改过（{', '.join(then)} → {now}）：“离阈值多远”按现行的算",
        f"thresholds or rules were changed since ({', '.join(then)} → {now}): how near "
        "they were is by the present ones",
    )
    return [note]
