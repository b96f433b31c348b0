"""The child of test_log_contract: reads, steps, commits; kills itself at a chosen line."""

import os
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.log.open import open_log
from stream.log.port import Log, Out

WATCHED = (
    "stream/log/sqlite.py",
    "stream/log/sqlite_group.py",
    "stream/log/kafka.py",
    "stream/log/kafka_group.py",
)


def copy(log: Log, patience_s: float = 5.0) -> None:
    """Copy `cases` to `alerts` with a running count, until all is copied."""
    consumer = log.join("cases", "worker", f"w{os.getpid()}")
    total: int | None = None
    while True:
        entries = consumer.poll(patience_s if total is None else patience_s / 5, 3)
        if consumer.owned() and total is None:
            snapshot = consumer.snapshot(0)
            total = int(snapshot.body) if snapshot else 0
            start = snapshot.position if snapshot else 0
            while start < consumer.owned()[0]:  # the silent re-step
                again = [e for e in log.read("cases", 0, start) if e.offset < consumer.owned()[0]]
                total += len(again)
                if not again:
                    break
                start = again[-1].offset + 1
        if not entries:
            behind = log.positions("cases", "worker")[0] < log.ends("cases")[0] - 1
            if total is not None and not behind:
                break
            continue
        outs = []
        assert total is not None
        for entry in entries:
            total += 1
            outs.append(Out("alerts", "k", f"{total}:{entry.value.decode()}".encode()))
        position = entries[-1].offset + 1
        body = str(total).encode() if position % 4 == 0 else None
        consumer.commit(0, position, outs, body)
    consumer.close()


if __name__ == "__main__":
    url, run, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    count = 0

    def trace(frame, event, arg):  # type: ignore[no-untyped-def]
        global count
        if not frame.f_code.co_filename.endswith(WATCHED):
            return None
        if event == "line":
            count += 1
            if count == limit:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    opened = open_log(url, run, "toy", 2)
    threading.settrace(trace)
    sys.settrace(trace)
    copy(opened)
    opened.close()
