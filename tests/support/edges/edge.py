"""An edge node of pysparkplug (PyPI), driven by lines of JSON: run by the interpreter that has that package,
never imported. Arguments: port, user, password, group, edge node. It says what it did on standard output."""

import json
import queue
import sys
import threading

import paho.mqtt.client as mqtt
import pysparkplug as psp

PORT, USER, PASSWORD, GROUP, EDGE = sys.argv[1:6]
DEVICE = "RTU 1"
KINDS = {
    "Level": psp.DataType.DOUBLE,
    "Rain Total": psp.DataType.INT32,
    "Temperature": psp.DataType.INT16,
    "Battery": psp.DataType.FLOAT,
    "Note": psp.DataType.STRING,
}
FIRST = {"Level": 1.25, "Rain Total": 0, "Temperature": -7, "Battery": 88.5, "Note": "ok"}
todo: "queue.Queue[dict]" = queue.Queue()


def say(what: str) -> None:
    print(json.dumps(what), flush=True)


def metric(name: str, value: object, at: int | None = None, **more: object) -> psp.Metric:
    return psp.Metric(
        timestamp=at or psp.get_current_timestamp(),
        name=name,
        datatype=KINDS[name],
        value=value,
        **more,
    )


def commanded(_node: object, message: object) -> None:
    """The package leaves the rebirth to its user."""
    for one in message.payload.metrics:
        if one.name == "Node Control/Rebirth" and one.value:
            say("rebirth asked")
            todo.put({"do": "rebirth"})


def watch() -> "threading.Semaphore":
    """Goes up whenever a birth of the device went through the broker: `connect` returns before that."""
    born, listens = threading.Semaphore(0), threading.Event()
    client = mqtt.Client(client_id=f"{USER}-births")
    client.username_pw_set(USER, PASSWORD)
    client.on_connect = lambda *_: client.subscribe(f"spBv1.0/{GROUP}/DBIRTH/{EDGE}/{DEVICE}")
    client.on_subscribe = lambda *_: listens.set()
    client.on_message = lambda *_: born.release()
    client.connect("127.0.0.1", port=int(PORT))
    client.loop_start()
    listens.wait()
    return born


def start() -> psp.EdgeNode:
    node = psp.EdgeNode(
        GROUP, EDGE, (psp.Metric(timestamp=psp.get_current_timestamp(), name="Node Control/Rebirth",
                                 datatype=psp.DataType.BOOLEAN, value=False),),
        client=psp.Client(client_id=USER, username=USER, password=PASSWORD), cmd_callback=commanded,
    )  # fmt: skip
    node.register(psp.Device(DEVICE, tuple(metric(k, v) for k, v in values.items())))
    node.connect("127.0.0.1", port=int(PORT))
    births.acquire()
    return node


def hear() -> None:
    for line in sys.stdin:
        todo.put(json.loads(line))
    todo.put({"do": "end"})


values, births = dict(FIRST), watch()
node = start()
say("started")
threading.Thread(target=hear, daemon=True).start()
while True:
    what = todo.get()
    if what["do"] == "data":
        if "value" in what:
            values[what["name"]] = what["value"]
        more = {"is_historical": True} if what.get("historical") else {}
        node.update_device(
            DEVICE, (metric(what["name"], what.get("value"), what.get("at"), **more),)
        )
    elif what["do"] == "skip":
        node._seq  # one message that never comes  # noqa: B018
    elif what["do"] == "rebirth":
        node.disconnect()
        node = start()
        say("born again")
    elif what["do"] == "lose":
        node.deregister(DEVICE)
    elif what["do"] == "stop":
        node.disconnect()
    elif what["do"] == "end":
        break
    say(what["do"])
