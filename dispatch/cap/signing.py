"""The key that signs our CAP messages, and the enveloped XML signature (XMLDSig 1.1, RSA-SHA256,
exclusive canonicalization): what CAP 1.2, section 3.3.4, asks of a signed message.

A live run takes the key and certificate of an authority from the PEM files that FENGSUI_CAP_KEY and
FENGSUI_CAP_CERTIFICATE name; where there are none, and in every exercise, the run's own folder has a
pair, made at first: `keys/cap.key` (both, mode 0600) and `keys/cap.pem`, the certificate, which
neighbours put beside their sources.toml.
"""

import datetime
import os
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod
from signxml.algorithms import SignatureMethod as Method
from signxml.signer import XMLSigner

from config.language import Text, text_of
from config.records.district import District
from dispatch.channels import unread
from stream.disk.files import create_file, make_folder

_BITS = {"live": 3072, "exercise": 2048}  # an exercise makes a key each time, for an hour
_BEGIN = b"-----BEGIN CERTIFICATE"
_YEARS = 10


class CapKey:
    """A private key with its certificate."""

    def __init__(self, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate

    def pem(self) -> str:
        """The certificate, for whoever is to believe us."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, message: bytes) -> bytes:
        """The message with its signature. The same message gives the same bytes."""
        signer = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=Method.RSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        # Readers strip white space between elements before they verify (WMO's capvalidator does), and none
        # adds any: what was signed without it holds either way.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
        root = etree.fromstring(message, parser)
        signed = signer.sign(root, key=self._key, cert=[self.certificate])
        return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")


def cap_key(folder: Path, district: District, live: bool) -> CapKey:
    """The key of the run whose folder this is. Raises ValueError naming the file."""
    named = [os.environ.get(f"FENGSUI_CAP_{x}", "") if live else "" for x in ("KEY", "CERTIFICATE")]
    if any(named) and not all(named):
        both = "FENGSUI_CAP_KEY, FENGSUI_CAP_CERTIFICATE: "
        raise ValueError(both + Text("两者都要写明", "name both files"))
    place = folder / "keys"
    secret, public = Path(named[0] or place / "cap.key"), Path(named[1] or place / "cap.key")
    if not any(named) and not secret.exists():
        _create(secret, district, live)
    try:
        if secret.stat().st_mode & 0o077:
            raise ValueError(
                f"{secret}: "
                + Text("别人可读；请 chmod 600", "others may read the key; run chmod 600 on it")
            )
        # whether its numbers are primes takes a sixth of a second and is asked of a key that somebody else
        # made; of each, whether it signs what its certificate verifies (`_pair`)
        key = serialization.load_pem_private_key(
            secret.read_bytes().partition(_BEGIN)[0],
            None,
            unsafe_skip_rsa_key_validation=not any(named),
        )
        (certificate, *_) = x509.load_pem_x509_certificates(public.read_bytes())
    except OSError as e:
        raise ValueError(unread(e.filename, e.strerror)) from e
    except TypeError as e:
        why = Text("密钥带口令：", "the key has a password: ")
        raise ValueError(f"{secret}: " + why + str(e)) from e
    except ValueError as e:
        raise ValueError(f"{secret}, {public}: " + text_of(e)) from e
    if not isinstance(key, rsa.RSAPrivateKey):
        what = Text("不是 RSA 密钥（PKCS 8，PEM）", "is not an RSA key (PKCS 8, PEM)")
        raise ValueError(f"{secret}: " + what)
    if not _pair(key, certificate):
        raise ValueError(
            Text(
                f"{public}: 不是 {secret} 的证书",
                f"{public}: is the certificate of another key than {secret}",
            )
        )
    found = CapKey(key, certificate)
    if not any(named):
        (place / "cap.pem").write_text(found.pem())
    return found


def _pair(key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> bool:
    """Does the key sign what the certificate's own verifies?"""
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey) or public != key.public_key():
        return False
    pad, digest = padding.PKCS1v15(), hashes.SHA256()
    try:
        public.verify(key.sign(b"fengsui", pad, digest), b"fengsui", pad, digest)
    except (InvalidSignature, ValueError):
        return False
    return True


def _create(secret: Path, district: District, live: bool) -> None:
    """Whole or not at all, and the first of two processes wins."""
    make_folder(secret.parent, 0o700)
    key = rsa.generate_private_key(
        public_exponent=65537, key_size=_BITS["live" if live else "exercise"]
    )
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{district.sender} CAP"[:64])])
    # an exercise plays on a day of its own
    since = now - datetime.timedelta(days=1) if live else datetime.datetime(2000, 1, 1)  # noqa: DTZ001
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    create_file(secret, private + certificate.public_bytes(serialization.Encoding.PEM))
