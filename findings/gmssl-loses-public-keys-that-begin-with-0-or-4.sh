#!/usr/bin/env bash
# Finding: CryptSM2 of gmssl 3.2.2 (the SM2 in pure Python that Chinese government interfaces are mostly tried
# with) takes the leading 04 of an uncompressed public key away with lstrip("04"), which takes every 0 and 4 that
# stands in front. A key whose own first digit is 0 or 4, one in eight, loses more than the mark: its right
# signatures are refused, or a TypeError is raised. Without the mark the same keys are well, unless they begin
# with 04 themselves. Whoever tries with one pair of keys sees nothing of it; a platform with sixty counties
# refuses about seven.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import importlib.metadata, random
from collections import Counter
from gmssl import sm2

order, base = int(sm2.default_ecc_table["n"], 16), sm2.default_ecc_table["g"]
curve, numbers, found = sm2.CryptSM2(private_key="", public_key=""), random.Random(1), Counter()
print("gmssl", importlib.metadata.version("gmssl"))
for _ in range(64):
    private = numbers.randrange(1, order)
    point = curve._kg(private, base)  # 128 hexadecimal digits, without a mark
    signed = sm2.CryptSM2(private_key=f"{private:064x}", public_key=point).sign(
        b"prepare to move", f"{numbers.randrange(1, order):064x}"
    )
    for form, key in (("bare", point), ("with 04", "04" + point)):
        try:
            taken = bool(sm2.CryptSM2(private_key="", public_key=key).verify(signed, b"prepare to move"))
        except TypeError:
            taken = False
        first = "first digit 0 or 4" if point[0] in "04" else "any other first digit"
        found[form, first, taken] += 1
for (form, first, taken), n in sorted(found.items()):
    print(f"{form}, {first}: {'verified' if taken else 'refused'} {n}")
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check gmssl==3.2.2
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
gmssl 3.2.2
bare, any other first digit: verified 54
bare, first digit 0 or 4: verified 10
with 04, any other first digit: verified 54
with 04, first digit 0 or 4: refused 10
SEEN
echo "as described"
