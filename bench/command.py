"""The command `fengsui bench`: figures that anyone can measure, each beside a baseline of its run.

Benches stand in the source tree and are in no wheel: their processes find them there."""

import os
import sys
from pathlib import Path

import click

from config.language import Text
from fengsui.cli.lazy import Entry, LazyGroup
from fengsui.run.terminal import echo
from stream.environment import spoken

_TREE = str(Path(__file__).parents[1])
_PARTS = ("rule", "line", "latency", "cost", "kafka")

_EACH = {
    Text("一项一项", "one by one"): {
        "start": Entry(
            "bench.cases.start:bench_start",
            "启动测速：--help、status、order 的 CPU 和内存，以及运行到第一个读数的时间。",
            "CPU and memory of --help, status and order, and a run's time to its first reading.",
        ),
        "detect": Entry(
            "bench.command:bench_detect",
            "每条规则、每秒读数：按站数，与朴素循环相比；一年的回放。",
            "Each rule by stations, beside a plain loop; a year hindcast.",
        ),
        "snapshots": Entry(
            "bench.cases.memory.snapshots:bench_snapshots",
            "快照测速：占住检测线程多久、多大、读入多久，与 git 的某一版同场比。",
            "Snapshots: how long they hold the thread of detect, how large they are, how long reading takes, "
            "beside a revision of git.",
        ),
        "growth": Entry(
            "bench.cases.memory.growth:bench_growth",
            "增长：站数、每站规则数、检测进程数、资料里的站名数增多时，每一个要多少 CPU 和内存；可画成图。",
            "What one costs when there are more stations, rules a gauge, detectors, names in a record: CPU and "
            "memory, and a picture.",
        ),
        "districts": Entry(
            "bench.cases.memory.districts:bench_districts",
            "一个 Kafka 上的区县增多时，一跳要多少 CPU，Kafka 占多少内存。Kafka 由它自己启动。",
            "What a hop costs where there are more districts on one Kafka, in CPU, and the memory of Kafka, "
            "which it starts itself.",
        ),
        "tune": Entry(
            "bench.tune:bench_tune",
            "率定测速：一站 5 次与 50 次事件，再到多站一年的逐时水位；打印区间。",
            "A gauge with 5 events and with 50, then a year of hourly stage of many; intervals are printed.",
        ),
        "target": Entry(
            "bench.cases.people.recipients:bench_target",
            "定向测速：一区 COUNT 个接收者的解析、成文、入列，与朴素循环相比。",
            "COUNT recipients of one area resolved, rendered and queued, beside a plain loop.",
        ),
        "channels": Entry(
            "bench.cases.channels:bench_channels",
            "渠道测速：排队、十万条蓝色预警旁的一条红色、短信到两个 SMSC 程序（中间 kill -9）。",
            "Queueing, a red beside 100,000 blues, SMS to two SMSC programs through a kill -9.",
        ),
        "ledger": Entry(
            "bench.cases.ledger:bench_ledger",
            "台账测速：COUNT 条发送经 send，再到它们和回执的台账。",
            "COUNT deliveries through send, then the ledger of them and of their receipts.",
        ),
        "nodes": Entry(
            "bench.cases.nodes:bench_nodes",
            "终端测速：COUNT 个终端签名、下发、应答，旁有基线。",
            "COUNT nodes signed, sent and acknowledged, beside a plain baseline.",
        ),
        "night": Entry(
            "bench.cases.people.night:bench_night",
            "一夜里每人的消息：有夜间规则和没有（即此前的版本），同一场演练。",
            "Messages a person in a night of a played run, with the night's rules and without.",
        ),
        "poison": Entry(
            "bench.cases.doors.poison:bench_poison",
            "坏报文的代价：一百条里一条坏报文让 ingest 多花多少。",
            "What one spoilt message in a hundred costs ingest.",
        ),
        "terminals": Entry(
            "bench.cases.people.terminals:bench_terminals",
            "应急广播测速：COUNT 个终端的清单和状态从平台报来到网页上要多久；红色预警到第一个终端播完要多久。",
            "COUNT terminals' list and states from the platform's post to the page; a red until a terminal has "
            "played.",
        ),
        "calls": Entry(
            "bench.cases.people.calls:bench_calls",
            "叫应测速：COUNT 个电话同时打出，各自说完、按键确认要多久，与一路线路相比。对端是 SIPp。",
            "COUNT calls at once, each said to its end and confirmed by a key, beside one line.",
        ),
        "telemetry": Entry(
            "bench.cases.doors.telemetry:bench_telemetry",
            "遥测测速：每秒解多少 SL 651 帧，与朴素解码相比；许多站的小时报进日志并应答要多久。",
            "SL 651 frames decoded a second beside a plain decoder; hourly reports of many stations into "
            "the log.",
        ),
        "cameras": Entry(
            "bench.cases.doors.cameras:bench_cameras",
            "摄像机接入测速：许多 RTSP 摄像机每 2 秒一张用多少 CPU，与逐帧解码相比；从拍下到检测器拿到要多久。",
            "Cameras by RTSP, a picture in 2 s each: CPU beside decoding every frame, and from the moment a "
            "picture is taken until the detector has it.",
        ),
        "power": Entry(
            "bench.cases.power:bench_power",
            "断电不丢的代价：Kafka 一次提交，每次写盘与先收下后写盘，轮流量；旁有内置日志。",
            "The price of outliving a power cut: a commit on Kafka, synced and not, beside the embedded log.",
        ),
        "kills": Entry(
            "bench.kills.command:bench_kills",
            "真服务器上的风暴：随机 kill -9 每个环节和 Kafka、mosquitto、InfluxDB，停住、断网、塞满磁盘。",
            "Storms on real servers: kill -9 of each stage and of Kafka, mosquitto and InfluxDB at random "
            "moments.",
        ),
        "soak": Entry(
            "bench.kills.command:bench_soak",
            "久放：真服务器上一场接一场的风暴，量每个进程的内存、打开的文件和线程，判断有没有越来越多。",
            "A soak: storm after storm on real servers, with memory, open files and threads of each process "
            "measured.",
        ),
        "camera": Entry(
            "bench.command:bench_camera",
            "每帧毫秒：720p 一帧，逐条规则，与朴素做法相比；水尺读得多准、误报几次。",
            "Milliseconds for a 720p frame, rule by rule, beside the plain way; how well a staff is read, and "
            "how often falsely.",
        ),
        "console": Entry(
            "bench.cases.duty_room.console:bench_console",
            "值班台测速：真的 Chromium 里的网页，与每次发整幅相比。",
            "The duty room's pages in a real Chromium, beside sending the whole picture.",
        ),
        "door": Entry(
            "bench.cases.doors.door:bench_door",
            "门口测速：有人不断输错口令时值班人员的页面，与无人时相比。",
            "An officer's page while wrong log-ins come, beside none.",
        ),
    }
}


@click.group(cls=LazyGroup, sections=_EACH, invoke_without_command=True)
@click.option(
    "--workload",
    type=click.Path(exists=True, path_type=Path),
    help=spoken(
        Text(
            "用这个文件里的读数（一行一条 JSON），不自己造",
            "a file of readings to take, one JSON object a line; made up otherwise",
        )
    ),
)
@click.option(
    "--seconds",
    type=float,
    default=10.0,
    show_default=True,
    help=spoken(Text("每项测多少秒", "seconds that each part is measured")),
)
@click.option(
    "--only",
    type=click.Choice(_PARTS),
    multiple=True,
    help=spoken(
        Text(
            "只测这一项，可写多次 [rule、line、latency]",
            "this part, may be repeated [rule, line, latency]",
        )
    ),
)
@click.option(
    "--warnings",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help=spoken(Text("时延至少量几次预警", "warnings of each latency, at the least")),
)
@click.pass_context
def bench(
    ctx: click.Context,
    workload: Path | None,
    seconds: float,
    only: tuple[str, ...],
    warnings: int,
) -> None:
    """测速：内存里的规则、内置全线及其延迟，旁有基线；--only kafka 测 FENGSUI_LOG 所指 Kafka 上的检测；--only
    cost 按站数。

    Measure the rule in memory, the embedded line and its latency, beside a baseline; with --only kafka
    the detectors on the Kafka that FENGSUI_LOG names; --only cost: by stations.
    """
    from bench.run import run_bench

    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [_TREE, os.environ.get("PYTHONPATH", "")])
    )
    if ctx.invoked_subcommand is not None:
        return
    log = ctx.obj.urls["log"] or os.environ.get("FENGSUI_LOG", "")
    chosen = only or ("rule", "line", "latency")
    sys.exit(run_bench(ctx.obj.district(), log, workload, seconds, chosen, warnings=warnings))


@click.command("detect")
@click.option(
    "--quick", is_flag=True, help=spoken(Text("少而快，不精确", "small and soon, not exact"))
)
@click.option(
    "--workload",
    type=click.Path(exists=True, path_type=Path),
    help=spoken(
        Text(
            "用这个文件里的读数（一行一条 JSON），不自己造",
            "a file of readings to take, one JSON object a line; made up otherwise",
        )
    ),
)
@click.option(
    "--against",
    default="",
    metavar="REV",
    help=spoken(Text("与 git 的这一版同场比", "beside a revision of git")),
)
@click.option(
    "--rounds",
    default=5,
    show_default=True,
    type=click.IntRange(1, 100),
    help=spoken(Text("轮数", "rounds")),
)
@click.option(
    "--only",
    default="",
    metavar="TEXT",
    help=spoken(Text("只比名称里有这几个字的负载", "only loads whose name has these words")),
)
def bench_detect(quick: bool, workload: Path | None, against: str, rounds: int, only: str) -> None:
    """每条规则、每秒读数：按站数，与朴素循环相比；一年的回放。

    Each rule by stations, beside a plain loop; a year hindcast.
    """
    if against:
        from bench.against import lines

        for text in lines(against, rounds, only):
            echo(text)
        return
    from bench.run import run_bench

    sys.exit(run_bench(None, "", workload, 0.0, ("detect",), quick=quick))


@click.command("camera")
def bench_camera() -> None:
    """每帧毫秒：720p 一帧，逐条规则，与朴素做法相比；水尺读得多准、误报几次。

    Milliseconds for a 720p frame, rule by rule, beside the plain way; how well a staff is read, and how
    often falsely.
    """
    from bench.cases.sight import camera, staff

    for text in (*camera.lines(), *staff.lines()):
        echo(text)
