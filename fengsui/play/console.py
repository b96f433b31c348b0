"""Starts the console for a run, and keeps its users."""

import contextlib
import getpass
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

from config.language import Text, en, joined, text_of, zh
from config.records.door import OPEN
from console.auth.accounts import IDLE_MS, Users
from console.auth.hashing import hashed
from console.auth.record_end import ends
from console.model.desk_record import detail_at_the_desk
from console.routes.sources import Sources
from console.serve import Listen, lacks, serving
from dispatch.words.local_time import local
from fengsui.pictures.persons import hider
from fengsui.review import drills, page
from fengsui.review.incident import reports
from fengsui.run.recipients import place
from fengsui.run.run_log import frames_folder, open_run_log
from fengsui.run.service import answering
from fengsui.run.setup import Setup, free_port
from fengsui.run.signing import desk_of
from fengsui.run.terminal import echo
from fengsui.status.pages import asked
from ingest.people.photos.sealed_photos import SealedPhotos
from stream.disk.blobs import FrameStore
from stream.environment import Usage
from stream.history.open import open_history
from stream.metrics import watchdog
from stream.pace.stop_signals import stopping_on_signals
from stream.wall_clock import now_ms

DEMO_PORT = 8470
NOBODY_ENTERS = Text(
    "还没有用户，没人进得去：fengsui console user add NAME --role approver "
    "--officer ID；docs/console.md",
    "no user yet, nobody can enter: fengsui console user add NAME --role approver "
    "--officer ID; docs/en/console.md",
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def run_console(setup: Setup, folder: Path, listen: Listen) -> int:
    """The console alone, until a signal."""
    if missing := lacks():
        raise Usage(missing)
    if listen.host not in _LOOPBACK and not listen.secure:
        raise Usage(
            Text(
                f"--listen {listen.host}: 口令会明文传输：给 --cert 和 --key，或 --behind-proxy",
                f"--listen {listen.host}: passwords would travel in the clear: give --cert and "
                "--key, or --behind-proxy",
            )
        )
    if listen.proxy and not listen.proxies:
        echo(
            Text(
                "没有写代理的地址，所有浏览器看作同一处，限次也算在一处：--proxy ADDRESS",
                "the proxy's address is not named, all browsers count as one place: --proxy "
                "ADDRESS",
            ),
            err=True,
        )
    users = users_of(setup)
    if not users.everybody():
        echo(NOBODY_ENTERS, err=True)
    stop = threading.Event()
    try:
        with (
            stopping_on_signals(stop),
            answering(),
            serving(
                setup.district,
                setup.run,
                lambda: open_run_log(setup),
                users,
                listen,
                now=now_ms,
                sources=sources(setup),
                asked=asked(setup, folder),
            ) as address,
        ):
            threading.Thread(target=watchdog, args=(stop,), name="watchdog", daemon=True).start()
            echo(
                Text(
                    f"值班台：{address} ({setup.run.name})",
                    f"console: {address} ({setup.run.name})",
                )
            )
            stop.wait()
    except OSError as e:
        raise Usage(f"{listen.host}:{listen.port}: {e.strerror or e}") from e
    finally:
        users.close()
    return 0


def sources(setup: Setup) -> Sources:
    """What this run's pages read beside its log."""
    frames = FrameStore(frames_folder(setup))
    return Sources(
        contacts=place(setup),
        frame=frames.get,
        photograph=SealedPhotos(frames, place(setup)).get,
        hide=hider(setup.district),
        history=lambda: open_history(setup.history, setup.run.name, setup.district.id),
        prints={
            "report": lambda incident, lang: reports.printed(setup, incident, lang),
            "report-text": lambda incident, lang: reports.in_words(setup, incident, lang),
            "after-action": lambda incident, lang: page.printed(setup, incident, lang),
            "drill": lambda run, lang: drills.printed(setup, run, lang),
        },
        sign=desk_of(setup, lambda: open_run_log(setup)).sign,
    )


@contextlib.contextmanager
def beside(setup: Setup, folder: Path) -> Iterator[None]:
    """The console beside a line in this process, on loopback, with what to open printed. An
    exercise's has users for everybody to try."""
    if missing := lacks():
        echo(Text(f"值班台未启动：{zh(missing)}", f"no console: {en(missing)}"), err=True)
        yield
        return
    users = users_of(setup)
    listen = Listen(port=free_port(DEMO_PORT))
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        users,
        listen,
        now=now_ms,
        sources=sources(setup),
        asked=asked(setup, folder),
    ) as address:
        if setup.live:
            echo(Text(f"值班台：{address}", f"console: {address}"))
            if not users.everybody():
                echo("! " + NOBODY_ENTERS)
        else:
            _invite(setup, users, address)
        yield
    users.close()


def _invite(setup: Setup, users: Users, address: str) -> None:
    password = secrets.token_urlsafe(9)
    kept = hashed(password)  # the four have the same: a hash takes a tenth of a second
    officers = setup.district.officers
    first: dict[str, str] = {}
    for o in officers.values():
        first.setdefault(o.office, o.id)
    for name, role, officer in (
        ("viewer", "viewer", ""),
        ("duty", "duty", first.get("district", "")),
        ("approver", "approver", first.get("city", "")),
        ("district", "approver", first.get("district", "")),
    ):
        users.add(name, role, officer, password, kept=kept)
    enter = f"{address}/enter?once={users.link('district', now_ms(), IDLE_MS)}"
    echo(
        Text(
            f"值班台：{enter} "
            f"（一次有效）\n  其他演练用户：viewer、duty、approver、district，口令 {password}",
            f"console: {enter}#en "
            f"(works once)\n  other users: viewer duty approver district, password {password}",
        )
    )


def users_of(setup: Setup) -> Users:
    """The door of a run: a live one asks what the district says, an exercise for a password only."""
    return Users(setup.folder, setup.district.console if setup.live else OPEN)


def _hand() -> str:
    """Who is at this machine's command line, as far as it knows."""
    try:
        return f"command line {getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"


def noted(setup: Setup, what: str, detail: str) -> None:
    """Put what was done at this machine's command line on the duty room's record."""
    users = users_of(setup)
    try:
        users.note(now_ms(), _hand(), what, detail)
    finally:
        users.close()


def add_user(setup: Setup, name: str, role: str, officer: str, password: str, *, own: bool) -> int:
    """Add, or give a new role and password. own: they typed it themselves."""
    if officer and officer not in setup.district.officers:
        raise Usage(
            Text(
                f"--officer {officer}: officers.csv 里没有",
                f"--officer {officer}: does not stand in officers.csv",
            )
        )
    users = users_of(setup)
    try:
        before = users.known(name)
        users.add(name, role, officer, password, now=now_ms(), change=not own)
        what = "user changed, new password" if before else "user added"
        users.note(now_ms(), _hand(), what, f"{name} {role} {officer}".rstrip())
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        users.close()
    echo(f"✓ {name} {role} {officer}".rstrip())
    return 0


def remove_user(setup: Setup, name: str) -> int:
    users = users_of(setup)
    gone = users.remove(name)
    if gone:
        users.note(now_ms(), _hand(), "user removed", name)
    users.close()
    echo(f"✓ {name}" if gone else Text(f"没有用户 {name}", f"no user {name}"), err=not gone)
    return 0 if gone else 1


def unlock_user(setup: Setup, name: str) -> int:
    """Let a name be tried from everywhere again."""
    users = users_of(setup)
    places = users.attempts.free(name)
    if places:
        users.note(now_ms(), _hand(), "user unlocked", name)
    users.close()
    echo(
        Text(f"✓ {name}: {places} 处", f"✓ {name}: {places} places")
        if places
        else Text(f"{name} 没有被限", f"{name} was not held up")
    )
    return 0


def reset_user(setup: Setup, name: str) -> int:
    """Take a second factor away; the user makes another at the next log-in."""
    users = users_of(setup)
    gone = users.factors.forget(name)
    if gone:
        users.sessions.end(name)
        users.note(now_ms(), _hand(), "second factor taken away", name)
    users.close()
    echo(
        f"✓ {name}" if gone else Text(f"{name} 没有第二因素", f"{name} has no second factor"),
        err=not gone,
    )
    return 0 if gone else 1


def link_user(setup: Setup, name: str, address: str) -> int:
    """Print a link that lets this user in once, for a quarter of an hour."""
    users = users_of(setup)
    try:
        if users.known(name) is None:
            raise Usage(Text(f"没有用户 {name}", f"no user {name}"))
        link = users.link(name, now_ms())
        users.note(now_ms(), _hand(), "link made", name)
    finally:
        users.close()
    echo(Text("15 分钟内一次有效：", "works once, within 15 minutes:"), err=True)
    echo(f"{address.rstrip('/')}/enter?once={link}")
    return 0


def list_users(setup: Setup) -> int:
    users = users_of(setup)
    for u in users.everybody():
        held = users.attempts.held(u.name, now_ms())
        marks = (
            users.factors.kind(u.name)
            and Text(
                f"第二因素 {users.factors.kind(u.name)}",
                f"second factor {users.factors.kind(u.name)}",
            ),
            users.must_change(u.name)
            and Text("首次登录换口令", "chooses a password when they enter"),
            held and Text(f"限次 {held} 处", f"held up at {held} places"),
        )
        echo(joined((x for x in (u.name, u.role, u.officer, *marks) if x), " "))
    users.close()
    return 0


def add_token(setup: Setup, name: str, role: str, officer: str) -> int:
    """Prints the token, and nothing else, on standard output."""
    if officer and officer not in setup.district.officers:
        raise Usage(
            Text(
                f"--officer {officer}: officers.csv 里没有",
                f"--officer {officer}: does not stand in officers.csv",
            )
        )
    users = users_of(setup)
    try:
        token = users.issue(name, role, officer)
        users.note(now_ms(), _hand(), "token add", f"{name} {role} {officer}".rstrip())
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        users.close()
    echo(Text("令牌只显示这一次：", "this is shown once only:"), err=True)
    echo(token)
    return 0


def remove_token(setup: Setup, name: str) -> int:
    users = users_of(setup)
    gone = users.revoke(name)
    if gone:
        users.note(now_ms(), _hand(), "token remove", name)
    users.close()
    echo(f"✓ {name}" if gone else Text(f"没有令牌 {name}", f"no token {name}"), err=not gone)
    return 0 if gone else 1


def list_tokens(setup: Setup) -> int:
    users = users_of(setup)
    for name, role, officer, seen_at in users.issued():
        used = (
            local(seen_at, setup.district.timezone) if seen_at else Text("从未使用", "never used")
        )
        echo(f"{name} {role} {officer or '-'} {used}")
    users.close()
    return 0


def show_record(setup: Setup) -> int:
    """Print it; 1 where another hand changed it, or took entries from its end."""
    users, log = users_of(setup), open_run_log(setup)
    try:
        for at, who, what, detail in users.noted(ends(log)):
            line = f"{local(at, setup.district.timezone)} {who} {what}"
            echo(f"{line} " + text_of(detail_at_the_desk(what, detail)) if detail else line)
    except ValueError as e:
        echo(e, err=True)
        return 1
    finally:
        users.close()
        log.close()
    return 0
