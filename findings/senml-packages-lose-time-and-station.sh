#!/usr/bin/env bash
# Finding: the two SenML packages of PyPI read a pack of two stations (RFC 8428, 4.1: base fields hold until the
# next ones) without an error, and lose what makes a value a reading. kpn-senml 1.0.1 keeps station and value, but
# neither time nor unit of any record, its own or the base's. senml 0.1.0 keeps the first station's base alone,
# gives the second one's values to the first, and leaves the time relative: -300 s is 1969. Rain of two gauges
# with a common base time, five minutes apart, and one level in metres.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import importlib.metadata, json
from kpn_senml import SenmlPack
from senml.senml import SenMLDocument

PACK = [
    {"bn": "urn:dev:A01:", "bt": 1784592000, "bu": "mm", "n": "rain", "v": 1.2},
    {"n": "rain", "t": -300, "v": 0.4},
    {"n": "level", "u": "m", "v": 3.1},
    {"bn": "urn:dev:A02:", "bt": 1784592000, "bu": "mm", "n": "rain", "v": 0.2},
]
print("kpn-senml", importlib.metadata.version("kpn-senml"))
heard = SenmlPack("all", lambda r, device=None: print(" ", device.name if device else "", r.name, r.value, r.unit, r.time))
heard.from_json(json.dumps(PACK))
print("senml", importlib.metadata.version("senml"))
read = SenMLDocument.from_json(PACK)
for m in read.measurements:
    print(" ", read.base.name, m.name, m.value, m.unit or read.base.unit, m.time)
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check kpn-senml==1.0.1 senml==0.1.0 cbor2==5.7.1
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
kpn-senml 1.0.1
  urn:dev:A01: rain 1.2 None None
  urn:dev:A01: rain 0.4 None None
  urn:dev:A01: level 3.1 None None
  urn:dev:A02: rain 0.2 None None
senml 0.1.0
  urn:dev:A01: rain 1.2 mm None
  urn:dev:A01: rain 0.4 mm -300
  urn:dev:A01: level 3.1 m None
  urn:dev:A01: rain 0.2 mm None
SEEN
echo "as described"
