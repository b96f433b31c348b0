"""The MQTT broker of the storm machine: a session for each client, which keeps what was not acknowledged.
Pure: what goes wrong with it is said by whoever drives it."""

from collections.abc import Callable, Sequence

from fengsui.storms.ground import PREFIX
from stream.mqtt.client import Message

WINDOW = 1000


class Post:
    """to(topic): whose sessions a topic goes to."""

    def __init__(self, to: Callable[[str], tuple[str, ...]]) -> None:
        self._to = to
        self._waits: dict[str, list[Message]] = {}
        self._out: dict[str, int] = {}  # so many of a session are handed out and not acknowledged
        self._session: dict[str, int] = {}
        self._mid = 0
        self.unplugged: set[str] = set()
        self.twice: set[str] = set()
        self.repeated = 0

    def publish(self, topic: str, payload: bytes) -> None:
        for client in self._to(topic):
            self._mid += 1
            session = self._session.get(client, 0)
            self._waits.setdefault(client, []).append(Message(topic, payload, self._mid, session))

    def batch(self, client: str) -> list[Message]:
        """What it is handed now; the same again until it is acknowledged."""
        waits = self._waits.get(client, [])
        if client in self.unplugged or not waits:
            return []
        found = waits[:WINDOW]
        self._out[client] = len(found)
        if client in self.twice:
            self.repeated += len(found)
            return [m._replace(dup=again) for m in found for again in (False, True)]
        return found

    def ack(self, client: str, batch: Sequence[Message]) -> None:
        """These are done with."""
        done = {m.mid for m in batch}
        self._waits[client] = [m for m in self._waits.get(client, ()) if m.mid not in done]
        self._out.pop(client, None)

    def waiting(self, client: str) -> int:
        """So many messages lie here for it, which it can have."""
        return 0 if client in self.unplugged else len(self._waits.get(client, ()))

    def gone(self, client: str) -> bool:
        """Its connection is: what it held comes again, and says so. Did it hold anything?"""
        held = self._out.pop(client, 0)
        session = self._session[client] = self._session.get(client, 0) + 1
        self._waits[client] = [
            m._replace(session=session, dup=m.dup or n < held)
            for n, m in enumerate(self._waits.get(client, ()))
        ]
        return bool(held)

    def forget(self) -> int:
        """A broker without a disk restarts."""
        lost = sum(map(len, self._waits.values()))
        self._waits.clear()
        return lost

    def shuffle(self, client: str, mix: Callable[[list[Message]], None]) -> bool:
        """Do they lie in another order now?"""
        waits = self._waits.get(client, [])
        before = waits.copy()
        mix(waits)
        return waits != before


def clients(topic: str) -> tuple[str, ...]:
    """Whose sessions a topic goes to."""
    match topic.removeprefix(PREFIX + "/").split("/"):
        case ["station", *_]:
            return ("ingest",)
        case ["node", _, "ack" | "hello" | "report"] | ["receipt", _]:
            return ("send",)
        case ["node", name, "command"]:
            return (name,)
    return ()  # the time and the key sets: the loudspeakers here know both
