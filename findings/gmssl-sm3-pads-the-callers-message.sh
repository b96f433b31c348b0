#!/usr/bin/env bash
# Finding: sm3_hash of gmssl 3.2.2 (GB/T 32905) takes the message as a list or bytearray and appends the padding
# of the algorithm to that very object. The first digest is right; the message is then 64 bytes long, whatever is
# done with it next (sent, stored, hashed a second time to check it) is another message, and nothing was said. The
# list of bytes is what the function asks for: bytes, which cannot be changed, raise an AttributeError.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import importlib.metadata
from gmssl import sm3

print("gmssl", importlib.metadata.version("gmssl"))
for kind in (list, bytearray):
    message = kind(b"abc")  # the example of GB/T 32905, appendix A.1: 66c7f0f4…
    for turn in ("first", "second"):
        print(kind.__name__, turn, len(message), sm3.sm3_hash(message)[:8], "then", len(message))
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check gmssl==3.2.2
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
gmssl 3.2.2
list first 3 66c7f0f4 then 64
list second 64 1b68252b then 128
bytearray first 3 66c7f0f4 then 64
bytearray second 64 1b68252b then 128
SEEN
echo "as described"
