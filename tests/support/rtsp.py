"""Cameras that are not ours: GStreamer's RTSP server, with Digest and TLS."""

import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.servers import absent, end

_PYTHON = "/usr/bin/python3"  # of the system: GStreamer's names are its packages
_ASK = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
)
_PROGRAM = Path(__file__).with_name("rtsp_gstreamer.py")


def stream(key_every: int = 25, size: tuple[int, int] = (320, 240), more: str = "") -> str:
    """A launch line: 25 frames a second of a ball that moves, a key frame every so many."""
    return (
        "( videotestsrc is-live=true pattern=ball ! "
        f"video/x-raw,width={size[0]},height={size[1]},framerate=25/1 ! "
        f"x264enc tune=zerolatency speed-preset=ultrafast key-int-max={key_every} {more} ! "
        "rtph264pay name=pay0 pt=96 )"
    )


@cache
def _there() -> bool:
    done = subprocess.run([_PYTHON, "-c", _ASK], capture_output=True, check=False)
    return done.returncode == 0


class GStreamer:
    """One server at work while this lasts. certificate: a file with both, for rtsps."""

    def __init__(
        self,
        launch: str = "",
        user: str = "",
        password: str = "",
        certificate: Path | None = None,
        port: int = 0,
    ) -> None:
        if not Path(_PYTHON).exists() or not _there():
            absent("GStreamer's RTSP server")
        self._words = [launch or stream(), user, password, str(certificate or ""), str(port)]
        self._scheme = "rtsps" if certificate else "rtsp"
        self.port = 0

    def __enter__(self) -> "GStreamer":
        self._process = subprocess.Popen(
            [_PYTHON, str(_PROGRAM), *self._words], stdout=subprocess.PIPE, text=False
        )
        self.port = int(self.line())
        return self

    def line(self) -> str:
        """The next that it prints: its port, `came` and `left` of who connects."""
        assert self._process.stdout is not None
        found = self._process.stdout.readline().decode().strip()
        assert found, "the RTSP server ended"
        return found

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/cam"

    def __exit__(self, *error: object) -> None:
        assert self._process.stdout is not None
        end(self._process)
        self._process.stdout.close()


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, Path]:
    """A camera's own: the file with certificate and key, and the certificate alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(names)
        .issuer_name(names)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), False)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    both, alone = folder / "both.pem", folder / "camera.pem"
    both.write_bytes(private + public)
    alone.write_bytes(public)
    return both, alone
