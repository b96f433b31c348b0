"""The command `weather`: files of a weather office, from a folder."""

import hashlib
import sqlite3
import threading
from pathlib import Path

import click

from config.language import Text
from fengsui.cli.options import Shared
from fengsui.run.processes import log_of
from fengsui.run.service import calm_collector, working
from fengsui.run.setup import Setup, refuse_live_keys, shown
from fengsui.run.terminal import echo
from ingest.weather.bufr_process import missing
from ingest.weather.run import NAME, NO_TABLE, run_weather
from stream.environment import Usage, spoken


@click.command("weather")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--every",
    type=click.FloatRange(0.05, 3600),
    default=10.0,
    show_default=True,
    help=spoken(
        Text(
            "每隔几秒看一次；一个文件两次看都没变才读",
            "seconds between two looks; a file that is the same at both is read",
        )
    ),
)
@click.option(
    "--once",
    is_flag=True,
    help=spoken(
        Text(
            "读完现有的就结束；有死信时退出码 1",
            "end when nothing is left; exit 1 with dead letters",
        )
    ),
)
@click.pass_obj
def weather(obj: Shared, folder: Path, every: float, once: bool) -> None:
    """气象局文件接入：FOLDER 里的 CSV、BUFR 文件，进了日志才移到 done。

    哪种文件怎样读，哪一列的哪个站是哪个监测站，写在 weather.toml 和 weather.csv。只用于实战。见
    docs/devices/weather-office.md。

    Files of a weather office in FOLDER (CSV, BUFR): moved to its folder done once the log has their readings.

    How a kind of file is read, and which column of which station is whose reading, stands in weather.toml and
    weather.csv. For a live run alone. docs/en/devices/weather-office.md.
    """
    setup = obj.reader("live")
    refuse_live_keys(setup)
    forms = setup.district.weather.forms
    if not setup.district.weather.rows:
        raise Usage(NO_TABLE)
    lacking = missing() if any(f.kind == "bufr" for f in forms.values()) else None
    if lacking:
        raise Usage(lacking)
    calm_collector()
    stop = threading.Event()
    with working(stop):
        bad = _read(setup, folder.resolve(), every, once, stop)
    if once and bad:
        raise SystemExit(1)


def _read(setup: Setup, folder: Path, every: float, once: bool, stop: threading.Event) -> int:
    """Once the log is there; how many dead letters there were."""
    with log_of(setup, NAME, stop) as log:
        if log is None:
            return 0
        many, where = len(setup.district.weather.rows), shown(setup.log)

        def ready() -> None:
            echo(
                Text(
                    f"fengsui weather: {setup.district.name}，{folder}，{many} 列，日志 {where}",
                    f"fengsui weather: {setup.district.name_en}, {folder}, {many} columns, log {where}",
                ),
                err=True,
            )

        # what a folder's files have brought is remembered beside the run, a file a folder
        name = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        memory = setup.folder / NAME / f"{name}.db"
        try:
            return run_weather(
                setup.district, setup.run, log, folder, memory, stop,
                every_s=every, once=once, ready=ready,
            )  # fmt: skip
        except sqlite3.Error as e:
            raise Usage(
                Text(
                    f"{memory}: {e}：另一个 fengsui weather 在读这个文件夹，或盘满",
                    f"{memory}: {e}: another fengsui weather reads this folder, or the disk is full",
                )
            ) from e
