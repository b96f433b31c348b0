"""What carriers say later (delivery receipts by SMPP and HTTP) into the log: written first, then
acknowledged. A word on a message that nobody knows waits a while, for a carrier may be quicker than
our own log; then it is a dead letter."""

import queue
import threading
import time

from config.language import Text
from dispatch.channels import CarrierWord
from dispatch.send.inbound_sms import NotNow
from dispatch.send.receipts import Receipts
from dispatch.send.workers import Sender, append
from stream.guard import unread
from stream.log.port import Log
from stream.oplog import say

_PATIENCE_S = 30.0
_LOOK_S = 0.25
_BATCH = 1000


class Hearing:
    """`hear` may be called from any thread, also before `start`."""

    def __init__(self) -> None:
        self._queue: queue.Queue[CarrierWord] = queue.Queue()
        self._waiting: list[tuple[float, CarrierWord]] = []
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def hear(self, heard: CarrierWord) -> None:
        """Take it; it is acknowledged once the log has it."""
        self._queue.put(heard)

    def start(self, receipts: Receipts, sender: Sender, log: Log, stop: threading.Event) -> None:
        """Begin to write."""
        args = (receipts, sender, log, stop)
        self._thread = threading.Thread(target=self._work, args=args, name="hearing")
        self._thread.start()

    def close(self) -> None:
        """What is not written is to be said again."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        for _, heard in (*self._waiting, *((0.0, h) for h in _drained(self._queue, 10**9))):
            _tell(heard, False)

    def _work(self, receipts: Receipts, sender: Sender, log: Log, stop: threading.Event) -> None:
        try:
            while not self._closing.is_set():
                self._write(receipts, sender, log, stop)
        except BaseException as e:  # noqa: BLE001  # the stage ends with it: deaf is not alive
            sender.failed = e

    def _write(self, receipts: Receipts, sender: Sender, log: Log, stop: threading.Event) -> None:
        try:
            first = self._queue.get(timeout=_LOOK_S)
            batch = [first, *_drained(self._queue, _BATCH)]
        except queue.Empty:
            batch = []
        now, box = time.monotonic(), sender.box
        if box is None:  # another member has the outbox
            for heard in batch:
                _tell(heard, False)
            return
        outs, written, waiting = [], [], []
        for since, heard in (*self._waiting, *((now, h) for h in batch)):
            try:
                found = receipts.word(box, heard, patient=now - since < _PATIENCE_S)
            except NotNow as e:
                say(
                    "send",
                    Text(
                        f"联系人库读不到：{e}；来信须重发",
                        f"the contact store cannot be read: {e}; messages are to come again",
                    ),
                )
                _tell(heard, False)
                continue
            if found is None:
                waiting.append((since, heard))
            else:
                outs += found
                written.append(heard)
        self._waiting = waiting
        kept = not outs or append(log, outs, stop)
        if kept:
            receipts.kept()
        for heard in written:
            _tell(heard, kept)


def _tell(heard: CarrierWord, kept: bool) -> None:
    """Whoever waits for the word may be gone, or odd: the next one is told all the same."""
    try:
        heard.done(kept)
    except Exception as e:  # noqa: BLE001  # of one carrier's session, not of the stage
        unread("send", e)


def _drained(waiting: "queue.Queue[CarrierWord]", most: int) -> list[CarrierWord]:
    found: list[CarrierWord] = []
    while len(found) < most:
        try:
            found.append(waiting.get_nowait())
        except queue.Empty:
            break
    return found
