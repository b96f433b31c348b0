"""`fengsui broker-config mosquitto DIR`: a broker's settings from the district's own tables.

Who may speak is who stands in stations.csv and nodes.csv: each device has a name (its id), a
password or a certificate, and may write its own topics and no others. Run again after the tables
have changed: what a device already has stays, who is no longer in the tables is shut out.
"""

import base64
import csv
import datetime
import hashlib
import ipaddress
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.district import District

INGEST, SEND, SIMULATOR, CARRIER = (
    "fengsui-ingest", "fengsui-send", "fengsui-simulator", "carrier",
)  # fmt: skip
# our passwords are random, 144 bits: more rounds would only slow the broker when all devices come back
_ROUNDS = 1_000
_YEARS = 10
_CA_DAYS, _LEAF_DAYS, _RENEW_DAYS = 365 * _YEARS, 825, 30
_LEAST_QUEUED = 50_000
_PAYLOAD = 512  # bytes of a message with what the broker keeps beside it
_NODE_TELLS = ("ack", "hello", "report")  # to send; its status goes to ingest
_FRAME = 2_200_000  # ingest.decode.frame.MAX_BYTES and the head


class Given(NamedTuple):
    """What the command is told beside the district."""

    hosts: Sequence[str] = ()  # names of the broker, for its certificate
    gateways: Sequence[str] = ()
    port: int = 8883
    data: str = "/var/lib/mosquitto"  # where the broker keeps the backlog
    certificates: bool = False  # a certificate a device instead of a password


def users(district: District, run: str, gateways: Sequence[str]) -> dict[str, list[str]]:
    """Name -> lines of an ACL file of mosquitto (mosquitto.conf(5), acl_file)."""
    at = f"fengsui/{run}/{district.id}"
    rules: dict[str, list[str]] = {
        INGEST: [f"read {at}/{t}" for t in ("station/#", "gateway/#", "node/+/status", "person/#")],
        SEND: [f"write {at}/{t}" for t in ("node/+/command", "beacon", "keys", "cap/#")]
        + [f"read {at}/{t}" for t in (*(f"node/+/{w}" for w in _NODE_TELLS), "receipt/#")],
        # it makes out who a number is, and names the opaque id
        CARRIER: [f"write {at}/{t}" for t in ("receipt/#", "person/+/sms", "person/+/report")],
    }
    if run != "live":
        rules[SIMULATOR] = [f"readwrite {at}/#"]
        rules[INGEST] += [f"read {at}/clock", f"write {at}/taken"]
        rules[SEND].append(f"write {at}/clock/passed")
    for s in district.stations.values():
        topic = f"{s.id}/frame/+" if s.quantity == "frame" else f"{s.id}/{s.quantity}"
        rules.setdefault(s.id, []).append(f"write {at}/station/{topic}")
    for node in district.nodes:
        rules.setdefault(node, []).extend(
            [f"read {at}/{t}" for t in (f"node/{node}/command", "beacon", "keys")]
            + [f"write {at}/node/{node}/{t}" for t in (*_NODE_TELLS, "status")]
        )
    for name in (*district.stations, *district.nodes):
        rules[name].append(f"write {at}/station/{name}/battery")
    for source in district.sources.source:
        rules[f"source-{source}"] = [f"write {at}/source/{source}/cap"]
        if f"read {at}/source/#" not in rules[INGEST]:
            rules[INGEST].append(f"read {at}/source/#")
    for name in gateways:
        rules.setdefault(name, []).append(f"write {at}/gateway/{name}/+")
    return rules


def hour_of_messages(district: District) -> int:
    """What the district's devices send in an hour, by their intervals; twice, for repeats."""
    plans = [s.interval_s for s in district.stations.values()]
    plans += [n.interval_s for n in district.nodes.values()]
    return max(_LEAST_QUEUED, 2 * sum(3600 // max(1, s) for s in plans))


def hour_of_bytes(district: District) -> int:
    """The same in bytes; a camera's picture is counted at its largest."""
    frames = [s for s in district.stations.values() if s.quantity == "frame"]
    pictures = sum(3600 // max(1, s.interval_s) for s in frames) * _FRAME
    return hour_of_messages(district) * _PAYLOAD + pictures


def hashed(password: str, salt: bytes) -> str:
    """As mosquitto_passwd(1) writes it: PBKDF2-HMAC-SHA512, `$7$ROUNDS$SALT$HASH`."""
    found = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    words = (base64.b64encode(x).decode() for x in (salt, found))
    return f"$7${_ROUNDS}${'$'.join(words)}"


def settings(district: District, folder: Path, given: Given) -> Iterator[str]:
    """mosquitto.conf."""
    yield f"# 烽燧 Fengsui, {district.id}: made by `fengsui broker-config mosquitto`"
    yield "# 一小时的积压在重启后仍在 an hour's backlog survives a restart of the broker"
    yield from (f"listener {given.port}", f"cafile {folder}/ca.crt")
    yield from (f"certfile {folder}/server.crt", f"keyfile {folder}/server.key")
    yield from ("tls_version tlsv1.2", "allow_anonymous false", f"acl_file {folder}/acl")
    if given.certificates:
        yield from ("require_certificate true", "use_identity_as_username true")
    else:
        yield f"password_file {folder}/passwords"
    yield from ("persistence true", f"persistence_location {given.data}/")
    yield from ("autosave_interval 1", "autosave_on_changes false")
    yield f"max_queued_messages {hour_of_messages(district)}"
    yield f"max_queued_bytes {hour_of_bytes(district)}"
    yield from ("max_inflight_messages 200", "persistent_client_expiration 7d")
    yield from (f"message_size_limit {_FRAME}", "set_tcp_nodelay true")
    yield from ("log_dest stdout", "log_type error", "log_type warning", "log_type notice")


def write_mosquitto(
    district: District, folder: Path, run: str, given: Given, now: datetime.datetime
) -> int:
    """Everything into `folder`; how many users there are. Raises ValueError for a wrong name."""
    for name in given.gateways:
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise ValueError(f"--gateway {name!r}: 字母数字 letters, digits, - and _")
    hosts = tuple(given.hosts) or ("localhost", "127.0.0.1")
    rules = users(district, run, given.gateways)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    acl = "".join(
        f"user {name}\n" + "".join(f"topic {line}\n" for line in lines) + "\n"
        for name, lines in rules.items()
    )
    _write(folder / "acl", acl.encode())
    text = "\n".join(settings(district, folder, given)) + "\n"
    _write(folder / "mosquitto.conf", text.encode())
    authority = _authority(folder, district.id, now)
    _certificate(folder / "server", authority, hosts[0], hosts, now)
    if given.certificates:
        (folder / "clients").mkdir(exist_ok=True, mode=0o700)
        for name in rules:
            _certificate(folder / "clients" / name, authority, name, (), now)
    else:
        _passwords(folder, list(rules))
    return len(rules)


def _write(path: Path, body: bytes) -> None:
    """Whole or not at all, and for its owner alone."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fresh.touch(0o600)
    fresh.write_bytes(body)
    fresh.replace(path)


def _passwords(folder: Path, names: list[str]) -> None:
    """`devices.csv` in the clear for whoever sets devices up, `passwords` hashed for the broker."""
    clear, hidden = folder / "devices.csv", folder / "passwords"
    known: dict[str, str] = {}
    if clear.exists():
        with clear.open(newline="") as f:
            known = {row["name"]: row["password"] for row in csv.DictReader(f)}
    old = dict(x.split(":", 1) for x in hidden.read_text().split()) if hidden.exists() else {}
    made = {name: known.get(name) or secrets.token_urlsafe(18) for name in names}
    rows = "".join(f"{name},{password}\n" for name, password in made.items())
    _write(clear, f"name,password\n{rows}".encode())
    lines = [
        f"{name}:{old[name] if name in known and name in old else hashed(p, os.urandom(12))}\n"
        for name, p in made.items()
    ]
    _write(hidden, "".join(lines).encode())


Authority = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _authority(folder: Path, district: str, now: datetime.datetime) -> Authority:
    """The district's own certificate authority; made once, for ten years. Keep ca.key offline."""
    place = folder / "ca"
    found = _load(place, now)
    if found is not None:
        return found
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Fengsui {district}")])
    cert = (
        _builder(name, name, key, _CA_DAYS, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    _save(place, cert, key)
    return cert, key


def _certificate(
    place: Path, authority: Authority, name: str, hosts: Sequence[str], now: datetime.datetime
) -> None:
    """A server's (with `hosts`) or a device's; a good one that is there stays."""
    there = _load(place, now)
    if (
        there is not None
        and there[0].issuer == authority[0].subject
        and _names(there[0]) == set(hosts)
    ):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    use = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(subject, authority[0].subject, key, _LEAF_DAYS, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    )
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False
        )
    _save(place, builder.sign(authority[1], hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    days: int,
    now: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names(cert: x509.Certificate) -> set[str]:
    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(n.value) for n in names}


def _save(place: Path, cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(place.with_suffix(".key"), private)
    _write(place.with_suffix(".crt"), cert.public_bytes(serialization.Encoding.PEM))


def _load(place: Path, now: datetime.datetime) -> Authority | None:
    """None if it is not there, or ends soon."""
    try:
        cert = x509.load_pem_x509_certificate(place.with_suffix(".crt").read_bytes())
        key = serialization.load_pem_private_key(place.with_suffix(".key").read_bytes(), None)
    except FileNotFoundError:
        return None
    if cert.not_valid_after_utc - now < datetime.timedelta(days=_RENEW_DAYS):
        return None
    return (cert, key) if isinstance(key, ec.EllipticCurvePrivateKey) else None
