"""The child of test_power_cut: writes by our own means in a folder, and says each thing once it was told
that it is durable. usage: power_cut_worker.py WHAT FOLDER FROM"""

import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

what, folder, first = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])


def log() -> Iterator[str]:
    """`cases` are appended and copied to `alerts` with a running count, and a snapshot now and then. FOLDER
    may be the address of a log."""
    from stream.log.open import open_log
    from stream.log.port import Out

    url = sys.argv[2] if "://" in sys.argv[2] else f"sqlite:///{folder}"
    log = open_log(url, "exercise-1", "toy", 2)
    consumer = log.join("cases", "worker", "w")
    total = -1
    for n in count(first):
        log.append([Out("cases", "k", f"{n}".encode())])
        yield f"appended {n}"
        for entry in consumer.poll(1.0):
            if total < 0:
                found = consumer.snapshot(0)
                total, at = (int(found.body), found.position) if found else (0, 0)
                while again := [
                    e for e in log.read("cases", 0, at) if e.offset < consumer.owned()[0]
                ]:
                    total, at = total + len(again), again[-1].offset + 1
            total += 1
            out = Out("alerts", "k", f"{total}:{entry.value.decode()}".encode())
            memory = f"{total}".encode() if total % 5 == 0 else None
            consumer.commit(0, entry.offset + 1, [out], memory)
            yield f"committed {total}:{entry.value.decode()}"


def history() -> Iterator[str]:
    from stream.history.port import Point
    from stream.history.sqlite import SqliteHistory

    history = SqliteHistory(f"sqlite:///{folder}", "exercise-1", "toy")
    for n in count(first):
        history.write([Point("R1", "rain", n, 0, n, 1)], [])
        yield f"{n}"


def files() -> Iterator[str]:
    from stream.disk.blobs import FrameStore
    from stream.disk.files import append, create_file, make_folder, write_file

    make_folder(folder / "deep" / "keys")
    for n in count(first):
        write_file(folder / "deep" / "keys" / "one", f"{n}".encode() * 1000)
        yield f"written {n}"
        create_file(folder / f"made-{n}", f"{n}".encode())
        yield f"made {n}"
        append(folder / f"lines-{n // 5}", f"{n}\n".encode())
        yield f"appended {n}"
        digest = FrameStore(folder / "frames").put(f"picture {n}".encode() * 300)
        yield f"picture {digest}"


def people() -> Iterator[str]:
    from dispatch.people.contact_store import ContactStore
    from ingest.people.kept_words import Words

    store, words = ContactStore(folder), Words(folder)
    for n in count(first):
        store.fact("last", f"{n}")
        yield f"fact {n}"
        words.put(f"m{n}", "p", "A01", "水进屋了", n)
        yield f"word m{n}"


def console() -> Iterator[str]:
    from console.auth.accounts import Users

    users = Users(folder)
    for n in count(first):
        users.note(n, "wang", "look", f"{n}")
        yield f"noted {n}"
        if n % 5 == 0:
            users.issue(f"api-{n}", "viewer", "")
            yield f"issued api-{n}"


def node() -> Iterator[str]:
    from dispatch.nodes.memory import Kept
    from dispatch.nodes.protocol import KeySet
    from dispatch.nodes.trust import NodeTrust
    from loudspeaker.store import Identity, Store

    store, root = Store(folder / "node"), "00" * 32
    given = Identity(id="n", kind="live", prefix="fengsui/live/toy", root=root)
    store.load(store.identity(given))
    for n in count(first):
        keys = KeySet(kind="live", version=n, issued_at=0, keys=())
        store.save(Kept(trust=NodeTrust(root=root, keys=keys)))
        yield f"{n}"


EVERY: dict[str, Callable[[], Iterator[str]]] = {
    f.__name__: f for f in (log, history, files, people, console, node)
}
for said in EVERY[what]():
    print(said, flush=True)
