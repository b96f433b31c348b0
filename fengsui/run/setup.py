"""Where a run keeps its things and which adapters it uses: options, environment, district, in that
order."""

import itertools
import os
import re
import socket
import sys
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import config
from config.language import Text
from config.records.district import District
from stream.disk.files import make_folder
from stream.environment import Usage, secret
from stream.mqtt.broker import as_user
from stream.records import Run
from stream.wall_clock import now_ms

BROKER_SCHEMES = ("mqtt", "mqtts")
LOG_SCHEMES = ("sqlite", "kafka", "kafkas")
HISTORY_SCHEMES = ("sqlite", "influx", "influxs")
_RUN_NAME = re.compile(r"(live|exercise(-[A-Za-z0-9]{1,40})?)")


def default_config() -> Path:
    """The district that comes with the package."""
    return Path(config.__file__).parent / "yanqing"


@dataclass(frozen=True)
class Setup:
    """One run of one district: its name, its folder and its adapters."""

    district: District
    run: Run
    folder: Path  # var/RUN
    broker: str  # "" : the embedded one, started by `run`
    log: str
    history: str
    begun: bool = False  # must have been: to open its log makes none

    @property
    def live(self) -> bool:
        return self.run.kind == "live"

    @property
    def broker_file(self) -> Path:
        """Where `run` leaves the embedded broker's URL for `simulate` and `replay`."""
        return self.folder / "broker.url"

    def broker_url(self, user: str) -> str:
        """The broker named, or the embedded one of a line that is running on this machine, for one
        of its users (`stream.mqtt.access`): it stands in the place of {user} in an address that is
        named."""
        if self.broker:
            return self.broker.replace("{user}", user)
        if self.broker_file.exists():
            return as_user(self.broker_file.read_text().strip(), self.folder, user)
        raise Usage(
            Text(
                "没有 MQTT 服务器：用 --broker 或 FENGSUI_BROKER 指定"
                "（mqtt://USER:PASSWORD@HOST:PORT），或用 `fengsui run` 启动一个（找过 "
                f"{self.broker_file}）",
                "no broker: name one with --broker or FENGSUI_BROKER "
                "(mqtt://USER:PASSWORD@HOST:PORT), or start one with `fengsui run` (looked for "
                f"{self.broker_file})",
            )
        )


def refuse_live_keys(setup: Setup) -> None:
    """Raises `Usage` if an exercise's folder holds a key of the live run beside it."""
    if setup.live:
        return
    ours, theirs = (
        {p.read_bytes(): p for p in folder.glob("*/*.key")}
        for folder in (setup.folder, setup.folder.parent / "live")
    )
    for body in ours.keys() & theirs.keys():
        raise Usage(
            Text(
                f"{ours[body]}: 是实况运行的密钥，演练不启动：删去 {ours[body].parent}，演练自造"
                "密钥",
                f"{ours[body]}: is the live run's key, the exercise does not start: remove "
                f"{ours[body].parent}; an exercise makes its own",
            )
        )


def own(folder: Path) -> Path:
    """A folder of a run, made where it is not, for its owner's eyes whatever the umask: what stands
    in it (log, history, photographs, CAP) is then as well."""
    make_folder(folder)
    if folder.stat().st_uid == os.getuid() and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def shown(url: str) -> str:
    """A URL as it may be printed: without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}").geturl()


def _adapter(
    option: str, variable: str, declared: str, default: str, schemes: tuple[str, ...], example: str
) -> str:
    url = option or secret(variable) or declared or default
    if url and urlsplit(url).scheme not in schemes:
        raise Usage(
            Text(
                f"{variable}: 不认识的地址 {url!r}；可用 "
                f"{', '.join(s + '://' for s in schemes)}，如 {example}",
                f"{variable}: {url!r} has a scheme that does not exist here; there are "
                f"{', '.join(s + '://' for s in schemes)}, for example {example}",
            )
        )
    return url


def make_setup(
    district: District,
    run_name: str,
    state: Path,
    *,
    broker: str = "",
    log: str = "",
    history: str = "",
    start_at: int = 0,
    speed: float = 1.0,
    seed: int | None = None,
    scenario: str = "",
) -> Setup:
    """Resolve everything; raises `Usage` with what to do."""
    if not _RUN_NAME.fullmatch(run_name):
        raise Usage(
            Text(
                f"--run {run_name!r}: 运行名应为 `live`、`exercise` 或 `exercise-NAME`（字母和数"
                "字）",
                f"--run {run_name!r}: a run is called `live`, `exercise` or `exercise-NAME` "
                "(letters and digits)",
            )
        )
    folder = (state / run_name).resolve()
    embedded = f"sqlite:///{folder}"
    run = Run(
        name=run_name,
        kind="live" if run_name == "live" else "exercise",
        district=district.id,
        config=district.version,
        start_at=start_at or now_ms(),
        speed=speed,
        seed=seed,
        scenario=scenario,
    )
    return Setup(
        district,
        run,
        folder,
        _adapter(
            broker,
            "FENGSUI_BROKER",
            district.broker,
            "",
            BROKER_SCHEMES,
            "mqtt://USER:PASSWORD@HOST:1883",
        ),
        _adapter(log, "FENGSUI_LOG", district.log, embedded, LOG_SCHEMES, "kafka://HOST:9092"),
        _adapter(
            history,
            "FENGSUI_HISTORY",
            district.history,
            embedded,
            HISTORY_SCHEMES,
            "influx://HOST:8086/ORG/BUCKET",
        ),
    )


def stamp() -> str:
    """A name part for a fresh run."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def answers(port: int) -> bool:
    """Does anybody listen on it on loopback?"""
    with socket.socket() as s:
        s.settimeout(1.0)
        return s.connect_ex(("127.0.0.1", port)) == 0


# Below the ports that a system lends to outgoing connections (Linux from 32768, others from 49152): a
# port told free there may be gone before its user has bound it.
_PORTS = itertools.count(os.getpid() * 7_891)  # by the golden section: neighbours begin far apart
_FIRST_PORT, _LAST_PORT = 20_000, 32_767
_CLAIMS: deque[socket.socket] = deque()
_CLAIMS_MOST = 200  # who has told so many has long bound the first


def free_port(preferred: int = 0) -> int:
    """`preferred` if nobody listens on it on loopback, else a free port that this process has not
    told before (until it has told all 12,768 of them), and on Linux one that no other living process was
    told lately. Connections of a listener that is gone, which are still closing, take nobody's port."""
    size = _LAST_PORT - _FIRST_PORT + 1
    others = (_FIRST_PORT + next(_PORTS) % size for _ in range(size))
    for port in itertools.chain([preferred] if preferred else [], others):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(port == preferred))
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port == preferred or _claimed(port):
                return port
    raise AssertionError("no free port on loopback")


def _claimed(port: int) -> bool:
    """A server that is slow to start binds a port seconds after it was told, and another process could
    be told the same one meanwhile: two programs would then believe that they speak to their own. The
    claim is a name that belongs to one process and goes with it (unix(7): abstract sockets)."""
    if sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0fengsui-port-{port}")
    except OSError:
        claim.close()
        return False
    _CLAIMS.append(claim)
    if len(_CLAIMS) > _CLAIMS_MOST:
        _CLAIMS.popleft().close()
    return True
