"""Carriers' programs that are not ours, on free loopback ports: two SMSCs, an SMS gateway, a mail
server, a webhook receiver. Each says what it has taken."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import unquote_to_bytes

import pytest

from tests.support.servers import SERVICES, absent, end, free_port, wait_for

SMSC = SERVICES / "smsc"
SERVER_JS = Path(__file__).parents[2] / "deploy" / "smsc" / "server.js"


class Taken(NamedTuple):
    """A message as the program took it; several parts joined."""

    to: str
    text: str


class _Part(NamedTuple):
    """Part of a message that was sent in `of` parts; `key` is the same for all of them."""

    key: Any
    to: str
    text: str
    of: int


def _joined(parts: Iterable[_Part]) -> list[Taken]:
    """The messages of which every part is here: a reader can come between two parts."""
    found: dict[Any, list[_Part]] = {}
    for part in parts:
        found.setdefault(part.key, []).append(part)
    return [
        Taken(some[0].to, "".join(part.text for part in some))
        for some in found.values()
        if len(some) >= some[0].of
    ]


def _lines(file: Path, encoding: str = "utf-8") -> list[str]:
    """The lines that are written to their end."""
    whole = file.read_bytes().rpartition(b"\n")[0]
    return whole.decode(encoding, "replace").split("\n")


def _until(check: Callable[[], bool], what: str, timeout_s: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class _Program:
    """A child process whose output goes to a file."""

    running: ClassVar[set["_Program"]] = set()

    def __init__(self, notes: Path) -> None:
        self.notes = notes
        self._processes: list[subprocess.Popen[bytes]] = []

    def _run(self, command: list[str], port: int = 0, **env: str) -> None:
        with self.notes.open("ab") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=out, env={**os.environ, **env}, cwd=self.notes.parent
            )
        self._processes.append(process)
        self.running.add(self)
        if port:
            wait_for(port, process, self.notes, 120)

    def stop(self) -> None:
        for process in reversed(self._processes):
            end(process)
        self._processes = []
        self.running.discard(self)

    def state(self) -> str:
        """Of its processes, and the last of what they said."""
        ended = [
            f"ended with {p.poll()}" if p.poll() is not None else "runs" for p in self._processes
        ]
        return f"{', '.join(ended)}\n{self.notes.read_text(errors='replace')[-3000:]}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """A test that failed tells what the carriers' programs said: what failed may be theirs."""
    report = yield
    if report.failed:
        report.sections += [(p.notes.name, p.state()) for p in sorted(_Program.running, key=id)]
    return report


class NpmSmsc(_Program):
    """The npm package smpp; options: see deploy/smsc/server.js."""

    user, password = "fengsui", "secret"

    def __init__(self, folder: Path, name: str = "npm", port: int = 0, **options: Any) -> None:
        super().__init__(folder / f"{name}.log")
        if not (SMSC / "node_modules" / "smpp").exists() or shutil.which("node") is None:
            absent("the npm package smpp")
        self.port, self.file, self._options = port or free_port(), folder / f"{name}.jsonl", options
        self.file.touch()

    def start(self) -> "NpmSmsc":
        options = {"port": self.port, "file": str(self.file), **self._options}
        self._run(
            ["node", str(SERVER_JS), json.dumps(options)], self.port,
            NODE_PATH=str(SMSC / "node_modules"),
        )  # fmt: skip
        return self

    def pdus(self) -> list[dict[str, Any]]:
        """Every submit_sm, as it came, and with `answers` what was answered."""
        return [json.loads(line) for line in _lines(self.file) if line]

    def taken(self) -> list[Taken]:
        return _joined(
            _Part(
                (p["to"], -p["udh"][2] if p["udh"] else n),
                p["to"],
                (p["payload"] or "") + p["text"],
                p["udh"][3] if p["udh"] else 1,
            )
            for n, p in enumerate(self.pdus())
            if "to" in p
        )


def _listens(port: int) -> bool:
    """Whether somebody listens on a port, without a connection to it; where the system does not tell: yes."""
    tables = [t for t in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if t.exists()]
    rows = [line.split() for t in tables for line in t.read_text().splitlines()[1:]]
    return not tables or any(r[1].endswith(f":{port:04X}") and r[3] == "0A" for r in rows)


class JSmpp(_Program):
    """SMPPServerSimulator of jSMPP: it waits a second or more, then sends a receipt in which the
    message's id stands in decimal; it also says "Hello World" to whoever binds."""

    user, password = "j", "jpwd"

    def __init__(self, folder: Path, name: str = "jsmpp") -> None:
        super().__init__(folder / f"{name}.log")
        if not (SMSC / "libs").exists() or shutil.which("java") is None:
            absent("jSMPP")
        self.port = free_port()

    def start(self) -> "JSmpp":
        self._run(
            ["java", "-Xmx256m", f"-Djsmpp.simulator.port={self.port}",
             "-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "-Dfile.encoding=UTF-8",
             "-cp", f"{SMSC / 'libs'}/*", "org.jsmpp.examples.SMPPServerSimulator"]
        )  # fmt: skip
        # not by a connection: it would wait for that one to bind
        _until(lambda: b"Listening" in self.notes.read_bytes(), "jSMPP says that it listens")
        _until(lambda: _listens(self.port), "jSMPP listens")  # it says so a moment before
        return self

    def taken(self) -> list[Taken]:
        """Of what it prints: the octets of a text, not always its characters."""
        marker = "Receiving submit_sm '"
        return [
            Taken("", line.partition(marker)[2].rpartition("', and return")[0])
            for line in _lines(self.notes)
            if marker in line
        ]


class Kannel(_Program):
    """Kannel 1.4: its SMS gateway takes messages by HTTP and hands them to its fakesmsc."""

    user, password = "fengsui", "secret"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "fakesmsc.log")
        path = f"{os.environ['PATH']}:/usr/sbin"
        self._bearerbox = shutil.which("bearerbox", path=path)
        self._smsbox = shutil.which("smsbox", path=path)
        self._fakesmsc = Path("/usr/lib/kannel/test/fakesmsc")
        if not self._bearerbox or not self._smsbox or not self._fakesmsc.exists():
            absent("Kannel")
        admin, inner, self._fake, self.port = (free_port() for _ in range(4))
        self._inner = inner
        self.url = f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"
        self._settings = folder / "kannel.conf"
        self._settings.write_text(
            f"""group = core
admin-port = {admin}
admin-password = {self.password}
smsbox-port = {inner}
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = fake
port = {self._fake}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {inner}
sendsms-port = {self.port}

group = sendsms-user
username = {self.user}
password = {self.password}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
text = "none"
"""
        )

    def start(self) -> "Kannel":
        assert self._bearerbox is not None
        assert self._smsbox is not None
        boxes = self.notes
        self.notes = boxes.with_name("kannel.log")
        self._run([self._bearerbox, str(self._settings)], self._inner)
        self._run([self._smsbox, str(self._settings)], self.port)
        self.notes = boxes
        self._run([str(self._fakesmsc), "-r", str(self._fake), "-m", "0", "1 2 text nop"])
        _until(lambda: b"Connecting" in boxes.read_bytes(), "fakesmsc is connected")
        return self

    def taken(self) -> list[Taken]:
        """Of what its fakesmsc prints."""
        return _joined(
            self._part(n, line)
            for n, line in enumerate(_lines(self.notes, "latin-1"))
            if "Got message" in line
        )

    @staticmethod
    def _part(n: int, line: str) -> _Part:
        _, to, form, *rest = line.partition("<")[2].rstrip(">").split(" ")
        octets = unquote_to_bytes(rest[-1].replace("+", " "))
        text = octets.decode("utf-16-be" if form.startswith(("ucs", "udh")) else "latin-1")
        if not form.startswith("udh"):
            return _Part(n, to, text, 1)
        header = unquote_to_bytes(rest[0].replace("+", " "))  # 05 00 03, which message, of, part
        return _Part((to, header[3]), to, text, header[4])


class Mail(_Program):
    """aiosmtpd: puts what it takes into a Maildir."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "mail.log")
        self.port, self._folder = free_port(), folder / "maildir"

    def start(self) -> "Mail":
        self._run(
            [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}",
             "-c", "aiosmtpd.handlers.Mailbox", str(self._folder)],
            self.port,
        )  # fmt: skip
        return self

    def mails(self) -> list[Any]:
        # by the count that a Maildir has in its names: several may come within a tick of the clock
        files = sorted(
            (self._folder / "new").glob("*"), key=lambda p: int(p.name.split("Q")[1].split(".")[0])
        )
        return [message_from_bytes(p.read_bytes(), policy=policy.default) for p in files]

    def taken(self) -> list[Taken]:
        return [Taken(m["X-RcptTo"] or m["To"], m.get_content().rstrip("\n")) for m in self.mails()]


class Gotify(_Program):
    """Gotify: a push server; an application's token is where a message goes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "gotify.log")
        if not (SERVICES / "gotify").exists():
            absent("Gotify")
        self.port, self.token = free_port(), ""

    def start(self) -> "Gotify":
        self._run(
            [str(SERVICES / "gotify")], self.port,
            GOTIFY_SERVER_PORT=str(self.port), GOTIFY_SERVER_LISTENADDR="127.0.0.1",
            GIN_MODE="release",
        )  # fmt: skip
        self.token = self._ask("POST", "/application", {"name": "fengsui"})["token"]
        return self

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": "Basic YWRtaW46YWRtaW4="},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as r:
            return json.load(r)

    def taken(self) -> list[Taken]:
        rows = self._ask("GET", "/message?limit=200")["messages"]
        return [Taken("", row["message"]) for row in reversed(rows)]


class Hooks(_Program):
    """adnanh/webhook: runs a command with the body of each request that has the right header."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "webhook.log")
        if shutil.which("webhook") is None:
            absent("webhook")
        self.port, self._out = free_port(), folder / "hooks.jsonl"
        self._out.touch()
        script = folder / "take.sh"
        script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> "{self._out}"\n')
        script.chmod(0o755)
        rule = {"match": {"type": "regex", "regex": "^v1,", "parameter": {
            "source": "header", "name": "webhook-signature"}}}  # fmt: skip
        hook = {
            "id": "fengsui",
            "execute-command": str(script),
            "trigger-rule": rule,
            "trigger-rule-mismatch-http-response-code": 401,
            "pass-arguments-to-command": [{"source": "entire-payload"}],
        }
        (folder / "hooks.json").write_text(json.dumps([hook]))
        self._hooks = folder / "hooks.json"
        self.url = f"http://127.0.0.1:{self.port}/hooks/fengsui"

    def start(self) -> "Hooks":
        self._run(
            ["webhook", "-hooks", str(self._hooks), "-ip", "127.0.0.1", "-port", str(self.port),
             "-verbose"],
            self.port,
        )  # fmt: skip
        return self

    def taken(self) -> list[Taken]:
        rows = [json.loads(line) for line in _lines(self._out) if line]
        return [Taken("", row["text"]) for row in rows]


@pytest.fixture(scope="module")
def npm_smsc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NpmSmsc]:
    server = NpmSmsc(tmp_path_factory.mktemp("npm")).start()
    yield server
    server.stop()


@pytest.fixture
def jsmpp(tmp_path: Path) -> Iterator[JSmpp]:
    """One a test: jSMPP's simulator hears nobody any more once a session is closed before it has said its own
    word in it (jsmpp-examples 3.0.1, SMPPServerSimulator), as a probe that is soon done does."""
    server = JSmpp(tmp_path).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    server = Kannel(tmp_path_factory.mktemp("kannel")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    server = Mail(tmp_path_factory.mktemp("mail")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gotify(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gotify]:
    server = Gotify(tmp_path_factory.mktemp("gotify")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    server = Hooks(tmp_path_factory.mktemp("hooks")).start()
    yield server
    server.stop()
