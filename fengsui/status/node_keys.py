"""What the commands about loudspeakers look up: the run's clock, the grant, who has which keys."""

from collections.abc import Iterator

import msgspec

from config.language import Said, Text, en, zh
from dispatch.nodes.keys import Ring
from dispatch.nodes.mandate import Grant
from dispatch.send.node_supervisor import read_grant as read
from dispatch.words.local_time import local
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.status.look import look_at
from stream.disk.files import SHARED, append, make_folder, write_file
from stream.wall_clock import now_ms


def clock_of(setup: Setup) -> int:
    """The run's clock, ms."""
    if setup.live:
        return now_ms()
    log = open_run_log(setup)
    try:
        return look_at(setup, log).view.clock_at or now_ms()
    finally:
        log.close()


def read_grant(setup: Setup) -> Grant | None:
    """The grant of the run, ended or not."""
    return read(setup.folder / "mandate.json")


def write_grant(setup: Setup, grant: Grant) -> None:
    """Where send looks for it; and a line for the record of who granted and withdrew."""
    make_folder(setup.folder)
    body = msgspec.json.encode(grant)
    append(setup.folder / "mandate.history.jsonl", body + b"\n")
    write_file(setup.folder / "mandate.json", body, SHARED)


def key_lines(setup: Setup) -> Iterator[Said]:
    """What `fengsui keys show` says. Raises ValueError."""
    ring = Ring(setup.folder, setup.run.kind)
    place, zone = setup.folder / "keys", setup.district.timezone
    here = Text("不在此机", "away")
    if (place / "root.key").exists():
        here = Text("在此机，部署后应移走", "on this machine: take it away")
    yield Text(
        f"根公钥 {(place / 'root.pub').read_text().strip()}（{zh(here)}）",
        f"root {(place / 'root.pub').read_text().strip()} ({en(here)})",
    )
    yield Text(f"密钥集 v{ring.keys.version}", f"key set v{ring.keys.version}")
    for k in ring.keys.keys:
        until = (
            Text(f"到 {local(k.until_at, zone)}", f"until {local(k.until_at, zone)}")
            if k.until_at
            else Text("现用", "in use")
        )
        yield f"  {k.public} " + until
    log = open_run_log(setup)
    view = look_at(setup, log).view
    log.close()
    behind = [
        f"{n} v{view.nodes[n]['key_set'][1] if 'key_set' in view.nodes.get(n, {}) else '?'}"
        for n in setup.district.nodes
        if view.nodes.get(n, {}).get("key_set", (0, 0))[1] != ring.keys.version
    ]
    yield Text(
        f"终端：{len(setup.district.nodes) - len(behind)} 已有",
        f"nodes: {len(setup.district.nodes) - len(behind)} have it",
    )
    if behind:
        yield Text(f"  没有或未知：{' '.join(behind)}", f"  not, or not known: {' '.join(behind)}")
