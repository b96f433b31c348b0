"""Far ends for `fengsui bench channels`: an HTTP and a mail sink of our own, and two SMSC programs
that are not ours, where `make services` has fetched them."""

import json
import os
import re
import shutil
import socketserver
import subprocess
import threading
import time
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from fengsui.run.setup import free_port

_HERE = Path(__file__).parents[2]
_SMSC = _HERE / ".services" / "smsc"
_NUMBER = re.compile(r"#(\d{6})#")


class Sink(Protocol):
    """Something that takes messages."""

    def first(self, word: str, channel: str) -> float | None:
        """When the first message with this word came, seconds since 1970."""
        ...


class HttpSink:
    """Answers 200 to everything."""

    def __enter__(self) -> "HttpSink":
        self._taken: list[tuple[float, str, str]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                at = time.time()
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                sink._taken.append((at, self.path.strip("/"), body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def do_HEAD(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def first(self, word: str, channel: str) -> float | None:
        return next((at for at, c, body in self._taken if c == channel and word in body), None)


class MailSink:
    """As much of RFC 5321 as taking a mail needs."""

    def __enter__(self) -> "MailSink":
        self._taken: list[tuple[float, str]] = []
        taken = self._taken

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 sink\r\n")
                while line := self.rfile.readline():
                    word = line[:4].upper().strip()
                    if word == b"DATA":
                        at = time.time()
                        self.wfile.write(b"354 go on\r\n")
                        body = b""
                        while (more := self.rfile.readline()) not in (b".\r\n", b""):
                            body += more
                        mail = message_from_bytes(body, policy=policy.default)
                        taken.append((at, str(mail.get_content())))
                    if word == b"QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    self.wfile.write(b"250 ok\r\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def first(self, word: str, channel: str) -> float | None:
        return next((at for at, body in self._taken if word in body), None)


class _Smsc:
    """A child process that is an SMSC."""

    def __init__(self, file: Path) -> None:
        self.file, self.port = file, free_port()
        self.url = f"smpp://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def _run(self, command: list[str], ready: str, **env: str) -> None:
        out = self.file.with_suffix(".log")
        with out.open("ab") as f:
            self._process = subprocess.Popen(command, stdout=f, stderr=f, env={**os.environ, **env})
        deadline = time.monotonic() + 60
        while ready not in out.read_text("utf-8", "replace"):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not start: {out.read_text()[-500:]}")
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def numbers(self) -> list[str]:
        """The serial numbers in the texts it took, with repetitions. (jSMPP prints the octets of
        UCS-2: every other one of a digit is 0.)"""
        return _NUMBER.findall(self.file.read_text("utf-8", "replace").replace("\0", ""))


class NodeSmsc(_Smsc):
    """The npm package smpp."""

    @staticmethod
    def is_here() -> bool:
        """Was it fetched?"""
        return (_SMSC / "node_modules" / "smpp").exists() and shutil.which("node") is not None

    def __enter__(self) -> "NodeSmsc":
        self.file.touch()
        options: dict[str, Any] = {"port": self.port, "file": str(self.file)}
        self._run(
            ["node", str(_HERE / "deploy" / "smsc" / "server.js"), json.dumps(options)],
            "listening",
            NODE_PATH=str(_SMSC / "node_modules"),
        )
        return self

    def first(self, word: str, channel: str) -> float | None:
        for line in self.file.read_text("utf-8").splitlines():
            if word in line:
                return float(json.loads(line)["at"]) / 1000
        return None


class JavaSmsc(_Smsc):
    """SMPPServerSimulator of jSMPP; its log is what it took."""

    @staticmethod
    def is_here() -> bool:
        """Was it fetched?"""
        return (_SMSC / "libs").exists() and shutil.which("java") is not None

    def __enter__(self) -> "JavaSmsc":
        self._run(
            ["java", "-Xmx256m", f"-Djsmpp.simulator.port={self.port}", "-Dfile.encoding=UTF-8",
             "-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "-cp", f"{_SMSC / 'libs'}/*",
             "org.jsmpp.examples.SMPPServerSimulator"],
            "Listening",
        )  # fmt: skip
        return self
