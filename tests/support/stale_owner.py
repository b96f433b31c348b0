"""The child of test_kafka_stale_owner: an owner that stops itself (SIGSTOP) before a chosen line of
`stream/log` or of the client's sender, and says what it meets when it goes on."""

import linecache
import os
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from config.language import en
from stream.log.open import open_log
from stream.log.port import Fenced, Out, Unavailable

url, run, line = sys.argv[1:]
slept = threading.Event()
WATCHED = ("/stream/log/", "/kafka/producer/sender.py")


def say(words: str) -> None:
    print(words, flush=True)


def trace(frame, event, arg):  # type: ignore[no-untyped-def]
    if not any(part in frame.f_code.co_filename for part in WATCHED):
        return None
    here = event == "line" and line in linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    if here and not slept.is_set():
        slept.set()
        say("sleeps")
        os.kill(os.getpid(), signal.SIGSTOP)
        sys.stdin.readline()  # the process stops when one of its threads has taken the signal
    return trace


log = open_log(url, run, "toy", 2)
consumer = log.join("cases", "worker", "stale")
threading.settrace(trace)
sys.settrace(trace)
try:
    while not (found := consumer.poll(0.5)) and not slept.is_set():
        pass
    if found:
        outs = [Out("alerts", f"k{n}", b"of the stale one") for n in range(3)]
        consumer.commit(0, found[-1].offset + 1, outs, b"memory of the stale one")
        say("committed")
    else:
        say(f"owns {sorted(consumer.owned())}")
except Fenced as e:
    say(f"fenced: {en(e)}")
except Unavailable as e:
    say(f"unavailable: {en(e)}")
os._exit(0)  # no farewell, which would be a rebalance of the other
