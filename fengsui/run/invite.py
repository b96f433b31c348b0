"""What a live run prints at its start: how to point a gauge at it."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from config.language import Said, Text
from fengsui.run.setup import Setup, shown
from stream.mqtt.broker import password_file


def invitation(setup: Setup) -> Iterator[Said]:
    """Lines of text, without any password."""
    gauge = next((s.id for s in setup.district.stations.values() if s.quantity == "rain"), "R01")
    topic = f"fengsui/{setup.run.name}/{setup.district.id}/station/{gauge}/rain"
    url = setup.broker_url(gauge)
    own = None if setup.broker else password_file(setup.folder, gauge)  # else the broker's matter
    yield Text(
        f"已启动：{setup.run.name}，MQTT 服务器 {shown(url)}",
        f"running: {setup.run.name}, MQTT broker {shown(url)}",
    )
    yield Text("接入一个雨量站：", "point a gauge at it:")
    reading = '{"time": \'"$(date +%s)"\', "value": 32.0, "unit": "mm"}'
    yield f"  mosquitto_pub {connecting(url, own)} -t {shlex.quote(topic)} -q 1 -m '{reading}'"


def connecting(url: str, own: Path | None = None) -> str:
    """The options of mosquitto_pub that reach the broker of a URL as ours do (`stream/mqtt/client.py`):
    mosquitto's own `-L` knows neither certificates nor files. own: where the password stands; one
    that stands in the URL is left out."""
    parts = urlsplit(url)
    query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
    secure = parts.scheme == "mqtts"
    words = ["-h", parts.hostname or "", "-p", str(parts.port or (8883 if secure else 1883))]
    if parts.username:
        words += ["-u", unquote(parts.username)]
    if secure and "ca" not in query:
        words.append("--tls-use-os-certs")
    for name, option in (("ca", "--cafile"), ("cert", "--cert"), ("key", "--key")):
        if secure and name in query:
            words += [option, query[name]]
    if query.get("v") == "5":
        words += ["-V", "mqttv5"]
    said = shlex.join(words)
    if file := own or query.get("password_file"):
        return f'{said} -P "$(cat {shlex.quote(str(file))})"'
    return f"{said} -P PASSWORD" if parts.password is not None else said
