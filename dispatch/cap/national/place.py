"""Where the release platform takes files and lays its answers: two folders, of this machine or by FTP. Files
stand there under their own name only once they are whole; nothing is deleted."""

import ftplib
import io
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from config.language import Text
from dispatch.channels import SendError
from stream.disk.files import SHARED, make_folder, write_file

_LONGEST = 100_000  # bytes of an answer
_PART = ".part"
_NO_LOGIN, _NONE = ("530", "532"), "550"


class _Enough(Exception):
    """More of an answer than is read."""


class Place(Protocol):
    """All raise SendError where the place cannot be reached, or refuses."""

    def put(self, name: str, body: bytes) -> None:
        """The file under its name, whole; again is the same."""
        ...

    def names(self) -> list[str]:
        """What lies where answers are laid."""
        ...

    def get(self, name: str) -> bytes:
        """At most 100,000 bytes of an answer, and one."""
        ...


class Folder:
    """outward, inward: folders of this machine; inward may be missing. One that is away, a share that is not
    mounted, is a failed attempt and nothing more."""

    def __init__(self, outward: Path, inward: Path | None) -> None:
        self._outward, self._inward = outward, inward

    def put(self, name: str, body: bytes) -> None:
        try:
            make_folder(self._outward)
            write_file(self._outward / name, body, SHARED)
        except OSError as e:
            raise SendError(f"{name}: {e.strerror}") from e

    def names(self) -> list[str]:
        if self._inward is None:
            return []
        try:
            return sorted(f.name for f in self._inward.iterdir() if f.is_file())
        except FileNotFoundError:
            return []
        except OSError as e:
            raise SendError(f"{self._inward.name}: {e.strerror}") from e

    def get(self, name: str) -> bytes:
        assert self._inward is not None
        try:
            with (self._inward / name).open("rb") as f:
                return f.read(_LONGEST + 1)
        except OSError as e:
            raise SendError(f"{name}: {e.strerror}") from e


class Ftp:
    """url: ftp://USER@HOST/FOLDER or ftps://, where files go; inward: the folder of answers, "" for none.
    A connection for each thing that is done."""

    def __init__(self, url: str, inward: str, password: str, timeout_s: float) -> None:
        self._parts = urlsplit(url)
        self._inward, self._password, self._timeout_s = inward, password, timeout_s

    def put(self, name: str, body: bytes) -> None:
        with self._session() as ftp:
            ftp.cwd(unquote(self._parts.path) or "/")
            ftp.storbinary(f"STOR {name}{_PART}", io.BytesIO(body))
            try:
                ftp.rename(name + _PART, name)
            except (
                ftplib.error_perm
            ):  # a server that renames onto nothing that is there: ours, of an
                ftp.delete(name)  # attempt before this one
                ftp.rename(name + _PART, name)

    def names(self) -> list[str]:
        if not self._inward:
            return []
        with self._session() as ftp:
            ftp.cwd(self._inward)
            try:
                return sorted(posixpath.basename(n) for n in ftp.nlst())
            except ftplib.error_perm as e:
                if str(e)[:3] == _NONE:  # what some servers say of a folder with nothing in it
                    return []
                raise

    def get(self, name: str) -> bytes:
        found = bytearray()

        def more(block: bytes) -> None:
            found.extend(block[: _LONGEST + 1 - len(found)])
            if len(found) > _LONGEST:  # a file without end keeps nobody
                raise _Enough

        with suppress(_Enough), self._session() as ftp:
            ftp.cwd(self._inward)
            ftp.retrbinary(f"RETR {name}", more)
        return bytes(found)

    @contextmanager
    def _session(self) -> Iterator[ftplib.FTP]:
        kind = ftplib.FTP_TLS if self._parts.scheme == "ftps" else ftplib.FTP
        try:
            with kind(timeout=self._timeout_s, encoding="utf-8") as ftp:
                ftp.connect(self._parts.hostname or "", self._parts.port or 21)
                ftp.login(unquote(self._parts.username or ""), self._password)
                if isinstance(ftp, ftplib.FTP_TLS):
                    ftp.prot_p()
                yield ftp
        except ftplib.error_perm as e:
            code = str(e)[:3]
            words = Text("12379 的 FTP 未收：", "the FTP server refuses: ") + code
            # a password or a folder is mended by a person: later attempts may do
            raise SendError(words, blames_route=code in _NO_LOGIN) from e
        except (OSError, EOFError, ftplib.Error, ValueError) as e:
            words = Text("12379 的 FTP 连不上：", "the FTP server cannot be reached: ")
            raise SendError(words + type(e).__name__) from e
