#!/usr/bin/env bash
# Finding: gmssl-pyx 2.1.0, the binding of GmSSL that has wheels, answers a wrong SM2 signature with False as one
# would expect, and besides has the C library write its own source line on standard error, past Python's logging
# and past sys.stderr: no handler, level or redirect_stderr holds it. A service that verifies what strangers post
# lets them write into its journal, two lines for each post. (GB/T 32918.2; the right signature says nothing.)
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import contextlib, importlib.metadata, io, logging
import gmssl_pyx

logging.disable(logging.CRITICAL)
public, private = gmssl_pyx.sm2_key_generate()
who = b"1234567812345678"
right = gmssl_pyx.sm2_sign(private, public, b"a warning", who)
print("gmssl-pyx", importlib.metadata.version("gmssl-pyx"))
print("right", gmssl_pyx.sm2_verify(public, b"a warning", right, who), flush=True)
with contextlib.redirect_stderr(io.StringIO()):
    print("of another text", gmssl_pyx.sm2_verify(public, b"another", right, who), flush=True)
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check gmssl-pyx==2.1.0
"$work/venv/bin/python" "$work/try.py" >"$work/said" 2>"$work/errors"
{ cat "$work/said"; echo "on standard error:"; sed -E 's#^.*/src/##; s/:[0-9]+:/:N:/' "$work/errors"; } | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
gmssl-pyx 2.1.0
right True
of another text False
on standard error:
sm2_sign.c:N:sm2_fast_verify():
sm2_sign.c:N:sm2_verify_finish():
SEEN
echo "as described"
