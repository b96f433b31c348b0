"""Guessing at the door: slow for whoever guesses, no hindrance to anybody else, over real HTTP."""

import http.client
import ipaddress
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console.auth import hashing
from console.auth.accounts import Users
from console.auth.attempts import FIRST_WAIT_MS, FREE, LONGEST_WAIT_MS, MANY, Attempts
from console.serve import Listen, serving
from fengsui.cli.root import cli
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from stream.pace.rate_limit import network_of
from stream.wall_clock import now_ms
from tests.support.console_door import PASSWORD, Caller
from tests.support.decide_district import T0, yanqing
from tests.support.examples import examples

NOW = 1_753_531_200_000


@pytest.fixture
def attempts(tmp_path: Path) -> Iterator[Attempts]:
    attempts = Attempts(tmp_path / "console.db")
    yield attempts
    attempts.close()


def test_each_wrong_one_after_the_free_ones_waits_longer(attempts: Attempts) -> None:
    at, waits = NOW, list[int]()
    for _ in range(FREE + 8):
        assert attempts.wait_ms("wang", "10.0.0.1", at) == 0
        attempts.refused("wang", "10.0.0.1", at)
        waits.append(attempts.wait_ms("wang", "10.0.0.1", at))
        at += waits[-1]
    assert waits[: FREE - 1] == [0] * (FREE - 1)
    assert waits[FREE - 1 : FREE + 1] == [FIRST_WAIT_MS, 2 * FIRST_WAIT_MS]
    assert waits[-1] == LONGEST_WAIT_MS
    attempts.passed("wang", "10.0.0.1")
    assert attempts.wait_ms("wang", "10.0.0.1", at) == 0


def test_a_clock_that_was_set_back_makes_nobody_wait_longer(attempts: Attempts) -> None:
    for _ in range(FREE):
        attempts.refused("wang", "10.0.0.1", NOW + 10 * LONGEST_WAIT_MS)
    assert attempts.wait_ms("wang", "10.0.0.1", NOW) <= FIRST_WAIT_MS


def test_guessing_from_many_places_is_told_and_locks_nobody(attempts: Attempts) -> None:
    for n in range(MANY):
        attempts.refused("wang", f"10.0.0.{n}", NOW)
    found = attempts.guessed(NOW)
    assert [(g.name, g.failed, g.places) for g in found] == [("wang", MANY, MANY)]
    assert attempts.wait_ms("wang", "10.0.0.1", NOW) == 0
    assert attempts.guessed(NOW + 11 * 60_000) == []
    assert attempts.free("wang") == MANY


@examples(200)
@given(st.one_of(st.ip_addresses().map(str), st.text(max_size=40)))
def test_every_host_has_a_place(host: str) -> None:
    found = network_of(host)
    if found != "?":
        assert ipaddress.ip_network(found).num_addresses in (1, 1 << 64)


def test_one_household_is_one_place() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("fe80::1%eth0") == network_of("fe80::1")


@contextmanager
def door(folder: Path, *proxies: str) -> Iterator[Caller]:
    setup = make_setup(yanqing(), "exercise-door", folder, start_at=T0)
    users = Users(setup.folder)
    if users.known("wang") is None:
        users.add("wang", "approver", "K-01", PASSWORD)
        users.add("screen", "viewer", "", PASSWORD)
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        users,
        Listen(proxies=proxies),
        now=now_ms,
    ) as address:
        caller = Caller(address)
        caller.users = users
        yield caller
    users.close()


def login(caller: Caller, password: str, said: str = "", cookie: str = "") -> int:
    body = {"name": "wang", "password": password}
    headers = {"x_fengsui": "1", "Cookie": cookie}
    if said:
        headers["X_Forwarded_For"] = said
    return caller.ask("POST", "/api/login", body, **headers)[0]


def test_a_forged_header_hides_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.auth.requests.monotonic", lambda: 100.0)  # all in one minute
    with door(tmp_path) as caller:
        codes = [login(caller, "wrong", f"10.9.8.{n}") for n in range(12)]
        assert codes[:FREE] == [403] * (FREE - 1) + [429]
        assert codes[-1] == 429
        assert [p for _, p in _tries(caller)] == ["127.0.0.1"]


def test_a_named_proxys_last_word_counts_and_what_stands_before_it_does_not(
    tmp_path: Path,
) -> None:
    with door(tmp_path, "127.0.0.1", "10.1.0.0/16") as caller:
        for n in range(FREE):
            login(caller, "wrong", f"1.2.3.{n}, 203.0.113.7, 10.1.0.{n}")
        assert [p for _, p in _tries(caller)] == ["203.0.113.7"]
        assert login(caller, PASSWORD, "203.0.113.7") == 429
        assert login(caller, PASSWORD, "203.0.113.8") == 200


def _tries(caller: Caller) -> list[tuple[str, str]]:
    db = caller.users.attempts._db
    return db.execute("SELECT name, place FROM tries").fetchall()


def test_nobody_can_lock_an_officer_out_in_the_middle_of_a_storm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All browsers look like one address, as behind a proxy that nobody named."""
    monkeypatch.setattr("console.auth.requests.monotonic", lambda: 100.0)  # all in one minute
    with door(tmp_path) as caller:
        caller.enter("wang")
        cookies = "; ".join(c.split(";")[0] for c in caller.set_cookies)
        for n in range(30):
            login(caller, f"wrong {n}")
        assert login(caller, PASSWORD) == 429  # from a browser that nobody knows
        assert login(caller, PASSWORD, cookie=cookies) == 200
        assert login(caller, PASSWORD, cookie=cookies.replace("browser=", "browser=x")) == 429
        assert caller.ask("GET", "/api/me")[0] == 200


def test_the_duty_room_hears_of_it_and_an_administrator_ends_it(tmp_path: Path) -> None:
    with door(tmp_path, "127.0.0.1") as caller:
        for n in range(MANY):
            login(caller, "wrong", f"203.0.113.{n % 2}")
        login(caller, "wrong", "198.51.100.9")
        what = [(x.who, x.what) for x in caller.users.noted()]
        assert what.count(("wang", "guessed at")) == 1
        caller.enter("screen")
        while b'"door":{"wang"' not in (data := caller.ask("GET", "/api/snapshot")[2]):
            assert b'"door":{}' in data or b"words" in data  # it is drawn soon
        assert login(caller, PASSWORD, "203.0.113.0") == 429
        words = ["--state", str(tmp_path), "console", "user", "unlock", "wang"]
        done = CliRunner().invoke(cli, [*words, "--run", "exercise-door"])
        assert done.exit_code == 0, done.output
        assert login(caller, PASSWORD, "203.0.113.0") == 200


def test_a_name_that_nobody_has_is_not_written_down(tmp_path: Path) -> None:
    with door(tmp_path) as caller:
        body = {"name": "my secret passphrase", "password": "x"}
        assert caller.ask("POST", "/api/login", body, x_fengsui="1")[0] == 403
        assert "passphrase" not in str(caller.users.noted())


@pytest.mark.parametrize("word", ["\ud800", "\x00", "x" * 1000, "口令"])
def test_any_password_and_name_is_only_wrong(tmp_path: Path, word: str) -> None:
    with door(tmp_path) as caller:
        body = {"name": word[:80], "password": word}
        assert caller.ask("POST", "/api/login", body, x_fengsui="1")[0] in (403, 422)
        assert caller.ask("GET", "/api/me")[0] == 401


@pytest.mark.parametrize("body", [b"\xff", b'{"name":"\xff","password":"x"}', b"[" * 60_000])
def test_a_body_that_is_none_is_refused(tmp_path: Path, body: bytes) -> None:
    with door(tmp_path) as caller:
        line = http.client.HTTPConnection(caller.host, timeout=120)
        line.request("POST", "/api/login", body, {"x-fengsui": "1"})
        assert line.getresponse().status == 422
        line.close()


def test_nobodys_password_takes_what_anybodys_takes_and_fits_none() -> None:
    """Made without hashing, so a start costs no hash; looked at with the same costs."""
    hasher = PasswordHasher(time_cost=2, memory_cost=128, parallelism=1)
    nobody = hashing._of_nobody(hasher)
    assert extract_parameters(nobody) == extract_parameters(hasher.hash("x"))
    assert len(nobody) == len(hasher.hash("x"))
    assert hashing._of_nobody(hasher) != nobody
    with pytest.raises(VerifyMismatchError):
        hasher.verify(nobody, "x")
    assert not hashing.fits("", "")


def test_while_strangers_passwords_are_hashed_nobody_else_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, began = threading.Event(), threading.Event()
    real = hashing.fits

    def fits(kept: str, password: str) -> bool:
        if password == "wrong":
            began.set()
            assert held.wait(300)
        return real(kept, password)

    with door(tmp_path, "127.0.0.1") as caller:
        caller.enter("wang")
        cookies = "; ".join(c.split(";")[0] for c in caller.set_cookies)
        monkeypatch.setattr("console.auth.accounts.fits", fits)
        with ThreadPoolExecutor(60) as guests:
            try:
                coming = [guests.submit(login, caller, "wrong", f"10.0.0.{n}") for n in range(60)]
                assert began.wait(90)
                # not one of those that wait is through, and the page and a known browser are
                assert caller.ask("GET", "/api/me")[0] == 200
                assert login(caller, PASSWORD, cookie=cookies) == 200
                assert caller.ask("GET", "/api/shift")[0] == 200
                sent_away = [c for c in coming if c.done()]
            finally:
                held.set()
            codes = [c.result() for c in coming]
        assert set(codes) == {403, 503}
        assert all(c.result() == 503 for c in sent_away)
        assert json.loads(caller.ask("GET", "/api/me")[2])["name"] == "wang"


@pytest.mark.servers
def test_with_a_certificate_of_its_own_it_speaks_tls_and_marks_its_cookies(tmp_path: Path) -> None:
    cert, key = tmp_path / "c.crt", tmp_path / "c.key"
    ask = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    name = [
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    subprocess.run([*ask, *name, "-out", cert, "-keyout", key], check=True, capture_output=True)
    setup = make_setup(yanqing(), "exercise-tls", tmp_path, start_at=T0)
    users = Users(setup.folder)
    users.add("wang", "approver", "K-01", PASSWORD)
    listen = Listen(cert=str(cert), key=str(key))
    with serving(
        setup.district, setup.run, lambda: open_run_log(setup), users, listen, now=now_ms
    ) as address:
        context = ssl.create_default_context(cafile=str(cert))
        host = address.removeprefix("https://")
        line = http.client.HTTPSConnection(host, timeout=120, context=context)
        body = json.dumps({"name": "wang", "password": PASSWORD})
        line.request("POST", "/api/login", body, {"x-fengsui": "1"})
        answer = line.getresponse()
        assert answer.status == 200
        assert all("Secure" in c for c in answer.headers.get_all("set-cookie") or ["none"])
        line.close()
    users.close()
