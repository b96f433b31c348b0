"""MQTT, QoS 1: the only file that knows paho.

A message is acknowledged when the caller says so and not before; sessions are persistent, so what
was not acknowledged comes again. Reconnects by itself, with backoff. When the caller does not take
messages, reading stops and the broker keeps the backlog.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from config.language import Said, Text
from stream.mqtt.inbound_queue import Waiting
from stream.oplog import say

_HELD, _HELD_BYTES = 20_000, 128_000_000  # in memory before reading stops
_BATCH_BYTES = 32_000_000
_INFLIGHT = 200
_AWAY_S = 60.0  # after a longer absence the moment of receipt says nothing of when it was sent
_FIRST_S, _PAUSE_S, _BACKLOG_S = 10.0, 1.0, 120.0
_SESSION_S = 7 * 86_400  # MQTT 5: how long the broker keeps the session


class Message(NamedTuple):
    """What came in; `session` tells one connection's packet numbers from the next one's. retain: it
    was there before we subscribed, and is no news (MQTT 3.1.1, section 3.3.1.3). dup: the broker may
    have said it before. waited: it lay at the broker while we were away for longer than a minute."""

    topic: str
    payload: bytes
    mid: int
    session: int
    retain: bool = False
    dup: bool = False
    waited: bool = False


def _no_delay(_client: Any, _user: Any, sock: Any) -> None:
    """A small packet must not wait 40 ms for the acknowledgement of the one before it."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def shared_group(url: str) -> str:
    """The group of a broker's URL (?share=GROUP), "" without one. The ingests of a group divide the
    messages among them (MQTT 5, section 4.8.2: `$share/GROUP/FILTER`, as mosquitto and EMQX serve it
    to 3.1.1 as well)."""
    return parse_qs(urlsplit(url).query).get("share", [""])[-1]


def digest(topic: str, payload: bytes) -> str:
    """What a message is called on the topic `taken`."""
    return blake2b(topic.encode() + b"\0" + payload, digest_size=8).hexdigest()


def _file(query: dict[str, str], name: str) -> str | None:
    path = query.get(name)
    if path is not None and not Path(path).is_file():
        raise ValueError(
            Text(
                f"MQTT: {name}={path}: 没有这个文件", f"MQTT: {name}={path}: there is no such file"
            )
        )
    return path


def _password(parts: SplitResult, query: dict[str, str]) -> str:
    path = _file(query, "password_file")
    return Path(path).read_text().strip() if path else unquote(parts.password or "")


class Mqtt:
    """One client. URL: mqtt://USER:PASSWORD@HOST:PORT or mqtts://… with ?ca=FILE&cert=FILE&key=FILE,
    password_file=FILE, v=5 for MQTT 5 (otherwise 3.1.1), share=GROUP (see `shared_group`). away_s:
    how long this client was away before. will: topic and payload of what the broker says, retained, when
    this client is lost."""

    def __init__(
        self, url: str, client_id: str, away_s: float = 0.0, will: tuple[str, bytes] | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError(
                Text(
                    f"不认识的 MQTT 地址 {url!r}：可用 mqtt:// 和 mqtts://，如 "
                    "mqtt://USER:PASSWORD@HOST:1883",
                    f"unknown MQTT address {url!r}: there are mqtt:// and mqtts://, for example "
                    "mqtt://USER:PASSWORD@HOST:1883",
                )
            )
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        self._five = query.get("v") == "5"
        self._where = (
            f"{parts.hostname}:{parts.port or (8883 if parts.scheme == 'mqtts' else 1883)}"
        )
        self._waiting: Waiting[Message] = Waiting(_HELD, _HELD_BYTES)
        self._filters: list[str] = []
        self._session = 0
        self._left_at = time.monotonic() - away_s  # when we were last there
        self._came_at = self._heard_at = 0.0
        self._backlog = False
        self._closed = False
        self._connected, self._subscribed = threading.Event(), threading.Event()
        self._subscribing = threading.Lock()
        self._refused: Said = ""
        self._sent: list[int] = []  # packet numbers that wait for the broker's word
        self._confirmed: set[int] = set()
        self._word = threading.Condition()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5 if self._five else paho.MQTTv311,
            manual_ack=True,
            clean_session=None if self._five else False,
        )
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), _password(parts, query))
        if parts.scheme == "mqtts":
            files = {name: _file(query, name) for name in ("ca", "cert", "key")}
            try:
                self._client.tls_set(files["ca"], files["cert"], files["key"], ssl.CERT_REQUIRED)
            except ssl.SSLError as e:
                raise ValueError(
                    Text(
                        f"MQTT {self._where}: ca、cert 或 key 不可用：{e}",
                        f"MQTT {self._where}: ca, cert or key cannot be used: {e}",
                    )
                ) from e
        self._client.max_inflight_messages_set(_INFLIGHT)
        self._client.reconnect_delay_set(1, 30)
        self._client.on_socket_open = _no_delay
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        more: dict[str, Any] = {}
        if self._five:
            kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            kept.SessionExpiryInterval = _SESSION_S
            more = {"clean_start": False, "properties": kept}
        host, _, port = self._where.rpartition(":")
        self._client.connect_async(host, int(port), keepalive=30, **more)
        self._client.loop_start()

    def _on_connect(self, _c: Any, _u: Any, flags: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self._refused = Text(f"被拒：{reason}", f"refused: {reason}")
            say("mqtt", f"{self._where}: " + self._refused)
            return
        self._session += 1
        self._came_at = time.monotonic()
        self._heard_at = self._came_at + _FIRST_S
        self._backlog = bool(flags.session_present) and self._came_at - self._left_at > _AWAY_S
        self._refused = ""
        # before anybody may publish: an answer could come while nobody listens yet
        with self._subscribing:
            if self._filters:
                self._client.subscribe([(f, 1) for f in self._filters])
            self._connected.set()

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if self._connected.is_set():
            self._left_at = time.monotonic()
        self._connected.clear()
        if not self._closed:
            say(
                "mqtt",
                Text(
                    f"{self._where} 断开（{reason}）；重新连接",
                    f"{self._where} is away ({reason}); coming back",
                ),
            )

    def _on_subscribe(self, _c: Any, _u: Any, _mid: Any, reasons: Any, _p: Any) -> None:
        if all(not r.is_failure for r in reasons):
            self._subscribed.set()
        else:
            self._refused = Text(
                f"订阅被拒：{[str(r) for r in reasons]}",
                f"subscription refused: {[str(r) for r in reasons]}",
            )
            say("mqtt", f"{self._where}: " + self._refused)

    def _waits(self) -> bool:
        """Is this message of the backlog? That ends when nothing came for a second, or two minutes
        after the connection."""
        now, last = time.monotonic(), self._heard_at
        self._heard_at = now
        if self._backlog and (now - last > _PAUSE_S or now - self._came_at > _BACKLOG_S):
            self._backlog = False
        return self._backlog

    def _on_message(self, _c: Any, _u: Any, m: paho.MQTTMessage) -> None:
        try:
            topic = m.topic
        except UnicodeDecodeError:  # no broker should let it through: nobody's topic, then
            topic = "?"
        message = Message(
            topic,
            bytes(m.payload),
            m.mid,
            self._session,
            bool(m.retain),
            bool(m.dup),
            self._waits(),
        )
        # while the caller is behind read no further: the broker keeps the rest
        while not self._closed and not self._waiting.put(message, len(message.payload), 1.0):
            pass

    def subscribe(self, filters: Sequence[str], timeout_s: float = 15.0) -> None:
        """Subscribe at QoS 1, again after each reconnect. Returns when the broker has confirmed, or
        after `timeout_s` (then it goes on trying)."""
        with self._subscribing:
            self._filters = list(filters)
            if self._connected.is_set():
                self._client.subscribe([(f, 1) for f in self._filters])
        self._subscribed.wait(timeout_s)

    def wait_connected(self, timeout_s: float = 15.0) -> None:
        """Raises ConnectionError with the broker's words."""
        if not self._connected.wait(timeout_s):
            why = self._refused or Text(
                "无应答：它在运行吗，地址对吗？", "no answer: is it running, is the address right?"
            )
            raise ConnectionError(f"MQTT {self._where}: " + why)

    def waits_for(self) -> Said:
        """Why nothing can come just now, "" if it can."""
        if self._connected.is_set() and self._subscribed.is_set():
            return ""
        return f"MQTT {self._where}: " + (self._refused or Text("连不上", "away"))

    @property
    def session(self) -> int:
        """How often it has been connected."""
        return self._session

    def subscribed(self) -> bool:
        """The broker has confirmed our subscriptions at least once."""
        return self._subscribed.is_set()

    def get_batch(
        self, timeout_s: float, limit: int = 1000, linger_s: float = 0.0
    ) -> list[Message]:
        """Whatever is there: waits for the first message up to `timeout_s`, then takes what comes
        within `linger_s`, unless it came after a pause, at most `limit`."""
        return self._waiting.take(timeout_s, limit, linger_s, _BATCH_BYTES)

    def ack(self, messages: Iterable[Message]) -> None:
        """These need not come again. Packet numbers of a former connection mean nothing now; what came at
        QoS 0 has none, and an acknowledgement of number 0 costs the connection (MQTT 3.1.1, section 2.3.1)."""
        for m in messages:
            if m.mid and m.session == self._session:
                self._client.ack(m.mid, 1)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> None:
        """Queue a message, at QoS 1 but where its protocol wants 0; `flush` waits until the broker has
        them all."""
        # while we are not connected paho keeps it and sends it later
        mid = self._client.publish(topic, payload, qos=qos, retain=retain).mid
        with self._word:
            self._sent.append(mid)

    def publish_confirmed(self, topic: str, payload: bytes, timeout_s: float) -> bool:
        """Publish at QoS 1 and wait for the broker's word on this very message; several threads may
        wait at once. Raises ConnectionError where the connection is lost at once."""
        info = self._client.publish(topic, payload, qos=1)
        try:
            info.wait_for_publish(timeout_s)
            done = info.is_published()
        except (RuntimeError, ValueError) as e:  # paho's words for a lost connection
            raise ConnectionError(str(e)) from e
        with self._word:  # packet numbers come again: this one's word must not count for another
            if done:
                self._confirmed.discard(info.mid)
            else:
                self._sent.append(info.mid)
        return done

    def _on_publish(self, _c: Any, _u: Any, mid: int, _r: Any, _p: Any) -> None:
        with self._word:
            self._confirmed.add(mid)
            self._word.notify_all()

    def flush(self, timeout_s: float = 30.0) -> bool:
        """True when the broker has confirmed everything published so far."""
        until = time.monotonic() + timeout_s
        with self._word:
            while True:
                done = self._confirmed.intersection(self._sent)
                self._confirmed -= done
                self._sent = [mid for mid in self._sent if mid not in done]
                left = until - time.monotonic()
                if not self._sent or left <= 0:
                    return not self._sent
                self._word.wait(left)

    def close(self) -> None:
        """Disconnect; the session stays at the broker."""
        self._closed = True
        self._client.disconnect()
        self._client.loop_stop()
