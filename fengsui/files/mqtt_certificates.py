"""The certificates of a district's MQTT broker: its own authority, the server's, one for each user
where they are used, and the list of those that count no more."""

import datetime
import ipaddress
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stream.disk.files import write_file

_YEARS = 10
_CA_DAYS, _LEAF_DAYS, _RENEW_DAYS = 365 * _YEARS, 825, 30

Authority = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def authority_of(folder: Path, district: str, now: datetime.datetime) -> Authority:
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


def server(
    folder: Path, authority: Authority, hosts: Sequence[str], now: datetime.datetime
) -> None:
    """The broker's own; a good one for these names stays."""
    _certificate(folder / "server", authority, hosts[0], hosts, now)


def clients(
    folder: Path, authority: Authority, names: Collection[str], now: datetime.datetime
) -> None:
    """One for each user in `clients/`; what was ever given out stays in `issued/`, and stands in
    revoked.crl when its user is no longer one, or has been given another before its time (who has
    lost a key: delete its two files in clients/ and run again)."""
    ours, issued = folder / "clients", folder / "issued"
    for place in (ours, issued):
        place.mkdir(exist_ok=True, mode=0o700)
    _keep(ours, issued)
    for gone in {p for p in ours.iterdir() if p.stem not in names}:
        gone.unlink()
    for name in names:
        _certificate(ours / name, authority, name, (), now)
    _keep(ours, issued)
    current = {(ours / f"{name}.crt").read_bytes() for name in names}
    crl = folder / "revoked.crl"
    before = (
        {c.serial_number for c in x509.load_pem_x509_crl(crl.read_bytes())} if crl.exists() else ()
    )
    revoked = [
        cert
        for cert in _issued(issued)
        if cert.serial_number in before
        or (
            cert.public_bytes(serialization.Encoding.PEM) not in current
            and not (_name(cert) in names and _ends_soon(cert, now))
        )
    ]
    _revoke(crl, authority, revoked, now)


def _keep(ours: Path, issued: Path) -> None:
    """A copy of every certificate that is in use."""
    for path in ours.glob("*.crt"):
        cert = x509.load_pem_x509_certificate(path.read_bytes())
        copy = issued / f"{cert.serial_number:x}.crt"
        if not copy.exists():
            write_file(copy, path.read_bytes())


def _issued(issued: Path) -> Iterator[x509.Certificate]:
    for path in sorted(issued.glob("*.crt")):
        yield x509.load_pem_x509_certificate(path.read_bytes())


def _name(cert: x509.Certificate) -> str:
    return str(cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _ends_soon(cert: x509.Certificate, now: datetime.datetime) -> bool:
    return cert.not_valid_after_utc - now < datetime.timedelta(days=_RENEW_DAYS)


def _revoke(
    path: Path,
    authority: Authority,
    certs: Sequence[x509.Certificate],
    now: datetime.datetime,
) -> None:
    """A list that ends with the authority: with one that is out of date OpenSSL lets nobody in."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority[0].subject)
        .last_update(now - datetime.timedelta(hours=1))
        .next_update(authority[0].not_valid_after_utc)
    )
    for cert in certs:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(cert.serial_number)
            .revocation_date(now)
            .build()
        )
    crl = builder.sign(authority[1], hashes.SHA256())
    write_file(path, crl.public_bytes(serialization.Encoding.PEM))


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
    write_file(place.with_suffix(".key"), private)
    write_file(place.with_suffix(".crt"), cert.public_bytes(serialization.Encoding.PEM))


def _load(place: Path, now: datetime.datetime) -> Authority | None:
    """None if it is not there, or ends soon."""
    try:
        cert = x509.load_pem_x509_certificate(place.with_suffix(".crt").read_bytes())
        key = serialization.load_pem_private_key(place.with_suffix(".key").read_bytes(), None)
    except FileNotFoundError:
        return None
    if _ends_soon(cert, now):
        return None
    return (cert, key) if isinstance(key, ec.EllipticCurvePrivateKey) else None
