"""The broker of a benchmark."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.language import Said, Text
from fengsui.run.setup import free_port, shown
from stream.mqtt.broker import start_broker


@contextmanager
def bench_broker(folder: Path, url: str) -> Iterator[tuple[str, Said]]:
    """The broker named, else a mosquitto on loopback as a district would use, else the embedded
    one."""
    binary = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if url:
        yield url, shown(url)
        return
    port = free_port()
    if binary is None:
        broker = start_broker(folder / "broker", port)
        try:
            yield broker.url, Text("内置（amqtt）", "embedded (amqtt)")
        finally:
            broker.stop()
        return
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        "max_inflight_messages 200\nmax_queued_messages 0\nlog_type error\n"
    )
    process = subprocess.Popen([binary, "-c", str(settings)])
    try:
        yield f"mqtt://127.0.0.1:{port}", "mosquitto"
    finally:
        process.terminate()
        process.wait()
