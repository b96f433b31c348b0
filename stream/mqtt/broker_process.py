"""The embedded broker's child process: amqtt, with the table of who may say and hear what
(`stream.mqtt.access`) as its door.

Four things that amqtt does otherwise, and mosquitto with our settings does not: what it has confirmed
is passed on though its sender is gone; a session belongs
to its user, whatever id a client gives itself (amqtt looks the session up, and with a clean one
throws it away, before it asks for the password); a will goes through the door as any message does;
and nothing is retained, so that what waited for somebody who was away, which amqtt marks as
retained, is told from it.
"""

import asyncio
import hmac
import logging
import os
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import amqtt.broker
from amqtt.contexts import Action
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.utils import gen_client_id

from stream.mqtt.access import matches
from stream.mqtt.broker import BrokerUser, Table, digest, table_of

_logger = logging.getLogger(__name__)


class BrokerDoor(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]  # amqtt has no types
    """Who may enter, and with which topics."""

    table = Table({})

    @dataclass
    class Config:
        """amqtt takes a plugin without it as one of the old style."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._may = lru_cache(4096)(self._covered)

    @classmethod
    def known(cls, session: Any) -> BrokerUser | None:
        """Whose name and password these are."""
        entry = cls.table.users.get(session.username or "")
        given = digest(session.password or "")
        return entry if entry is not None and hmac.compare_digest(entry.password, given) else None

    async def authenticate(self, *, session: Any) -> bool:
        if self.known(session) is not None:
            return True
        name = repr(str(session.username or session.remote_address or "?")[:40])[1:-1]
        _logger.warning("Client %s disconnected, not authorised.", name)
        return False

    async def topic_filtering(
        self, *, session: Any = None, topic: str | None = None, action: Any = None
    ) -> bool:
        if action == Action.RECEIVE:
            return True  # it was asked when it subscribed, and no filter goes beyond the table
        return self._may(session.username, topic or "", action == Action.PUBLISH)

    def _covered(self, user: str, topic: str, writes: bool) -> bool:
        entry = self.table.users.get(user)
        if entry is None:
            return False
        allowed = any(matches(f, topic) for f in (entry.write if writes else entry.read))
        if not allowed:
            what = "PUBLISH" if writes else "SUBSCRIBE"
            _logger.warning("Denied %s from %s ('%s')", what, user, repr(topic[:200])[1:-1])
        return allowed


class _Handler(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt has no types
    """Settles whose session it is before the broker looks one up."""

    taken: Any = None  # a message that was taken and is not passed on yet

    async def mqtt_deliver_next_message(self) -> Any:
        self.taken = await super().mqtt_deliver_next_message()
        return self.taken

    @classmethod
    async def init_from_connect(cls, *args: Any, **more: Any) -> tuple[Any, Any]:
        handler, session = await super().init_from_connect(*args, **more)
        entry = BrokerDoor.known(session)
        if entry is None:
            session.client_id, session.clean_session = gen_client_id(), True
        elif BrokerDoor.table.bound:
            session.client_id = session.username
        if entry is None or not any(matches(f, session.will_topic or "") for f in entry.write):
            session.will_flag = False
        return handler, session


class _Broker(amqtt.broker.Broker):  # type: ignore[misc]  # amqtt has no types
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._sending: set[asyncio.Future[Any]] = set()

    async def _client_message_loop(self, session: Any, handler: _Handler) -> None:
        """amqtt confirms a message when it has read it and drops what it has not passed on when the
        client leaves: who publishes and is gone has been told that it is kept."""
        await super()._client_message_loop(session, handler)
        left, queue = handler.taken, session.delivered_message_queue
        while left is not None or queue.qsize():
            ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            ready.set_result(left if left is not None else queue.get_nowait())
            left = None
            if not await super()._handle_message_delivery(session, handler, ready):
                return

    async def _handle_message_delivery(self, session: Any, handler: _Handler, done: Any) -> bool:
        try:
            return bool(await super()._handle_message_delivery(session, handler, done))
        finally:
            handler.taken = None

    async def retain_message(self, *_args: Any, **_more: Any) -> None:
        """Nothing is retained."""

    async def _publish_session_retained_messages(self, session: Any) -> None:
        """What came while this client was away, as the news that it is; not waited for: the client
        may want its subscriptions confirmed before it reads on."""
        handler, waiting = self._get_handler(session), session.retained_messages
        while handler is not None and waiting.qsize():
            m = waiting.get_nowait()
            task = asyncio.ensure_future(handler.mqtt_publish(m.topic, m.data, m.qos, retain=False))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    def _sent(self, task: "asyncio.Future[Any]") -> None:
        self._sending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.warning("%s", error)


async def serve(table: Table, port: int) -> None:
    """Until the process ends."""
    BrokerDoor.table = table
    amqtt.broker.BrokerProtocolHandler = _Handler
    broker = _Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {f"{__name__}.{BrokerDoor.__name__}": {}},
        }
    )
    await broker.start()
    await asyncio.Event().wait()


def main(folder: str, port: str) -> None:
    """In the child: ends with the parent, whose pipe it holds."""

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    # seconds before the words, as mosquitto writes: one reader knows both (`fengsui doctor`)
    logging.basicConfig(format="%(created)d: %(message)s", level=logging.WARNING)
    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(serve(table_of(Path(folder)), int(port)))


if __name__ == "__main__":
    # by its own name: amqtt finds the plugin by it, and there must not be two of this module
    import stream.mqtt.broker_process

    stream.mqtt.broker_process.main(*sys.argv[1:])
