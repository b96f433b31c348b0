"""The benchmark's publisher: a process of its own, so that the line is measured and not the load."""

import json
import sys
import time

from stream.mqtt.access import SIMULATED
from stream.mqtt.client import Mqtt

START = 1_784_600_040  # s; the bench's exercise stands still there
_EARLY, _EVERY = 1500, 0.1  # s: each gauge's readings follow one another, and none is history yet
# s, mm: rain after a gap is laid over all of it, so the reading that warns follows a dry one by a minute; it
# is yellow at the least in its own area (a loudspeaker speaks), and too little for its whole basin
_MINUTE, _BURST = 60, 19.0


def reading(gauges: list[str], number: int, early: float = _EARLY) -> dict[str, object]:
    """One dry reading of a gauge, in order and unlike every other by its number; the first lies `early`
    seconds before START."""
    at = START - early + number // len(gauges) * _EVERY
    return {
        "station": gauges[number % len(gauges)],
        "quantity": "rain",
        "time": round(min(at, START), 1),
        "value": 0.0,
        "unit": "mm",
        "seq": number,
    }


def flood(mqtt: Mqtt, prefix: str, gauges: list[str], each: int, seconds: float) -> int:
    """As fast as the broker takes them; returns how many readings were sent."""
    began, number = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for _ in range(50):
            rows = [reading(gauges, number + k) for k in range(each)]
            number += each
            topic = f"{prefix}/gateway/{SIMULATED}/json"
            body: object = rows
            if each == 1:
                topic = f"{prefix}/station/{rows[0].pop('station')}/{rows[0].pop('quantity')}"
                body = rows[0]
            mqtt.publish(topic, json.dumps(body).encode())
        mqtt.flush()
    return number


def storm(mqtt: Mqtt, prefix: str, gauges: list[str], seconds: float) -> dict[str, object]:
    """1,000 readings a second, among them one after another that raises a warning in an area that
    had none; returns when each of those was published."""
    # every other gauge of the villages: an area hears its own gauge and the one before it
    shots = [g for g in gauges if not g.endswith("H")][::2]
    fired: dict[str, float] = {}
    began, number = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        for _ in range(max(0, int(now * 1000) - number)):
            row = reading(gauges, number, _MINUTE)
            station, quantity = row.pop("station"), row.pop("quantity")
            mqtt.publish(f"{prefix}/station/{station}/{quantity}", json.dumps(row).encode())
            number += 1
        if len(fired) < len(shots) and now > seconds * (len(fired) + 1) / (len(shots) + 2):
            shot = shots[len(fired)]
            fired[shot] = time.perf_counter()
            row = {"time": START, "value": _BURST, "unit": "mm", "seq": 10**9}
            mqtt.publish(f"{prefix}/station/{shot}/rain", json.dumps(row).encode())
        time.sleep(0.001)
    return {"fired": fired, "sent": number}


def main(url: str, prefix: str, kind: str, each: str, seconds: str, gauges: str) -> None:
    mqtt = Mqtt(url, f"fengsui-load-{kind}")
    mqtt.wait_connected()
    names = gauges.split(",")
    if kind == "flood":
        print(flood(mqtt, prefix, names, int(each), float(seconds)))
    else:
        print(json.dumps(storm(mqtt, prefix, names, float(seconds))))
    mqtt.flush()
    mqtt.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
