"""The command `fengsui nowcast`: a rain nowcast from a file or a server, handed to ingest as it is.

What its rows say is judged by ingest (`ingest/decode/nowcast.py`), so that a bad one is kept there as a dead
letter with its number. The same bytes are handed in once; after a start once more, which ingest knows as a
repetition.
"""

import threading
from pathlib import Path

import click

from config.language import Said, Text, text_of
from ingest.decode.reading import JSON_BYTES
from stream.environment import Usage, secret, spoken
from stream.http.client import ask
from stream.mqtt.box_options import BROKER, DISTRICT, RUN
from stream.mqtt.client import Mqtt, digest
from stream.oplog import say
from stream.pace.stop_signals import stopping_on_signals

_TIMEOUT_S, _WHOLE_S, _CONFIRM_S = 15.0, 60.0, 30.0


class NowcastFeed:
    """source: a path or an http(s) URL. topic: where it goes."""

    def __init__(self, source: str, mqtt: Mqtt, topic: str) -> None:
        self._source, self._mqtt, self._topic = source, mqtt, topic
        self._last = ""

    def once(self) -> Said:
        """One look; why nothing could be handed in, "" where it was or is as it was."""
        try:
            body = self._body()
        except OSError as e:
            return text_of(e) if str(e) else Text(type(e).__name__, type(e).__name__)
        if isinstance(body, Text):
            return body
        mark = digest(self._topic, body)
        if mark == self._last:
            return ""
        if not self._mqtt.publish_confirmed(self._topic, body, _CONFIRM_S):
            return Text("MQTT 服务器没有确认", "the broker did not confirm")
        self._last = mark
        return ""

    def _body(self) -> bytes | Text:
        if not self._source.startswith(("http://", "https://")):
            with Path(self._source).open("rb") as f:
                return f.read(JSON_BYTES + 1)  # ingest says of what is longer that it is too long
        answer = ask(
            "GET", self._source, {"Accept": "text/csv"},
            limit=JSON_BYTES, timeout_s=_TIMEOUT_S, whole_s=_WHOLE_S, proxies=True,
        )  # fmt: skip
        if answer.status != 200:
            return Text(f"服务器回答 {answer.status}", f"the server answers {answer.status}")
        return answer.body

    def follow(self, every_s: float, stop: threading.Event) -> None:
        """Until `stop`; what keeps it from being handed in is told when it begins and ends."""
        failing: Said = ""
        while not stop.is_set():
            why = self.once()
            if why != failing:
                failing = why
                words = why or Text("又取到了", "comes again")
                say("nowcast", f"{self._source}: " + words)
            stop.wait(every_s)


@click.command("nowcast")
@click.argument("source")
@click.option(
    "--gateway",
    required=True,
    help=spoken(Text("以哪个网关代报，见 gateways.csv", "report as this gateway of gateways.csv")),
)
@click.option(
    "--every",
    type=click.IntRange(0, 3600),
    default=0,
    show_default=True,
    help=spoken(Text("每隔几秒再取；0 只取一次", "look again every so many seconds; 0: once")),
)
@BROKER
@DISTRICT
@RUN
def nowcast(
    source: str, gateway: str, every: int, broker: str, district: str, run_name: str
) -> None:
    """临近预报接入：CSV 文件或 HTTP 地址，经 MQTT 送入全线；坏行成死信，写明行号。

    SOURCE 是路径或 http(s) 地址。格式和怎样用见 docs/rules.md。

    A rain nowcast, a CSV file or an HTTP address, over MQTT; bad rows become dead letters with their number.

    SOURCE is a path or an http(s) URL. Its form, and how it is used: docs/en/rules.md.
    """
    broker = broker or secret("FENGSUI_BROKER")
    if not broker:
        raise Usage(
            Text(
                "没有 MQTT 服务器：--broker mqtt://USER:PASSWORD@HOST:PORT",
                "no broker: --broker mqtt://USER:PASSWORD@HOST:PORT",
            )
        )
    stop = threading.Event()
    prefix = f"fengsui/{run_name}/{district}"
    mqtt = Mqtt(broker, f"{prefix.replace('/', '-')}-{gateway}-nowcast")
    try:
        feed = NowcastFeed(source, mqtt, f"{prefix}/gateway/{gateway}/nowcast")
        if every:
            with stopping_on_signals(stop):
                feed.follow(every, stop)
        elif why := feed.once():
            click.echo(spoken(f"fengsui: {source}: " + why), err=True)
            raise SystemExit(1)
    finally:
        mqtt.close()
