#!/usr/bin/env bash
# Finding: capvalidator 0.1.0.dev4, which WMO's CAP Composer asks before it imports a message, drops the white
# space between elements and verifies the signature of what is left. That white space is part of what was signed
# (canonical XML keeps it), so a message that was indented before it was signed is "invalid or the data has been
# tampered with", though its signature holds: signxml and Apache's or libxml's verifiers say so. Whoever
# publishes for such readers must sign a message without white space between elements.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import datetime, importlib.metadata
from capvalidator import check_schema, check_signature
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import XMLSigner, XMLVerifier, methods

key = rsa.generate_private_key(65537, 2048)
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "office")])
now = datetime.datetime.now(datetime.UTC)
certificate = (
    x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(9))
    .sign(key, hashes.SHA256())
)
pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
FIELDS = {"identifier": "a-1", "sender": "office@example.org", "sent": "2026-07-01T06:00:00+08:00",
          "status": "Test", "msgType": "Alert", "scope": "Public"}
CAP = "urn:oasis:names:tc:emergency:cap:1.2"
print("capvalidator", importlib.metadata.version("capvalidator"))
for indented in (False, True):
    alert = etree.Element(f"{{{CAP}}}alert", nsmap={None: CAP})
    for field, text in FIELDS.items():
        etree.SubElement(alert, f"{{{CAP}}}{field}").text = text
    alert = etree.fromstring(etree.tostring(alert, pretty_print=indented))
    body = etree.tostring(XMLSigner(method=methods.enveloped).sign(alert, key=key, cert=[certificate]))
    XMLVerifier().verify(body, x509_cert=pem)  # raises where the signature does not hold
    print("indented" if indented else "dense", check_schema(body).passed, check_signature(body).passed)
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check capvalidator==0.1.0.dev4 signxml==5.2.0 lxml==6.1.3
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
capvalidator 0.1.0.dev4
dense True True
indented True False
SEEN
echo "as described"
