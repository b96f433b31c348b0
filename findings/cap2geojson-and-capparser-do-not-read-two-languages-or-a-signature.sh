#!/usr/bin/env bash
# Finding: two readers of CAP on PyPI end with AttributeError at what CAP 1.2 says is usual. cap2geojson
# 0.1.0.dev4 at a message in two languages, that is with two <info> (section 3.2.2 of the standard: "Multiple
# occurrences are permitted"); capparser 2.0.4 at any message that is signed (section 3.3.4). Both read the same
# message in one language and unsigned. A county that publishes in two languages, signed, is not to be read
# by them, and neither says why.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import importlib.metadata, logging
import cap2geojson, capparser

logging.disable(logging.CRITICAL)
INFO = """<info><language>%s</language><category>Met</category><event>flash flood</event>
<urgency>Immediate</urgency><severity>Extreme</severity><certainty>Likely</certainty><area><areaDesc>village</areaDesc>
<polygon>40.4,116.2 40.5,116.2 40.5,116.3 40.4,116.2</polygon></area></info>"""
ALERT = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a-1</identifier><sender>office@example.org</sender>
<sent>2026-07-01T06:00:00+08:00</sent><status>Test</status><msgType>Alert</msgType><scope>Public</scope>%s</alert>"""
# as much of a signature as a reader that does not verify it can see
SIGNATURE = """<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/><ds:SignatureValue/>
</ds:Signature>"""
MESSAGES = {
    "one language": ALERT % (INFO % "zh-CN"),
    "two languages": ALERT % (INFO % "zh-CN" + INFO % "en-US"),
    "signed": ALERT % (INFO % "zh-CN" + SIGNATURE),
}


def what(read, message):
    try:
        read(message)
    except Exception as e:
        return type(e).__name__
    return "read"


for name, read in {"cap2geojson": cap2geojson.transform, "capparser": lambda m: capparser.parse(stringXML=m)}.items():
    print(name, importlib.metadata.version(name), *(f"{k}: {what(read, m)}" for k, m in MESSAGES.items()), sep="; ")
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check cap2geojson==0.1.0.dev4 capparser==2.0.4
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
cap2geojson; 0.1.0.dev4; one language: read; two languages: AttributeError; signed: read
capparser; 2.0.4; one language: read; two languages: read; signed: AttributeError
SEEN
echo "as described"
