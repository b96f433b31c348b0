#!/usr/bin/env bash
# Finding: feedparser 6.0.14 makes an Atom entry's `link` only of an alternate link whose type is HTML or is not
# said. Of an entry whose link says what it leads to (application/cap+xml, as RFC 4287 allows) `link` is the
# entry's id instead, and nothing tells. WMO's CAP Composer (1.3.6) passes over every such entry of a feed, for
# it goes by `entry.link` and wants it to end in .xml. The address stands in `entry.links`.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import feedparser

ENTRY = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><id>urn:x:feed</id>
<title>t</title><updated>2026-07-01T06:00:00+08:00</updated><author><name>a</name></author><entry>
<id>urn:x:1</id><title>t</title><updated>2026-07-01T06:00:00+08:00</updated>%s</entry></feed>"""
typed = '<link rel="alternate" type="application/cap+xml" href="https://cap.example/1.xml"/>'
print("feedparser", feedparser.__version__)
for name, links in {"typed": typed, "untyped": typed.replace(' type="application/cap+xml"', "")}.items():
    found = feedparser.parse((ENTRY % links).encode())
    (entry,) = found.entries
    print(name, bool(found.bozo), entry.link, entry.links[0].href)
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check feedparser==6.0.14
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
feedparser 6.0.14
typed False urn:x:1 https://cap.example/1.xml
untyped False https://cap.example/1.xml https://cap.example/1.xml
SEEN
echo "as described"
