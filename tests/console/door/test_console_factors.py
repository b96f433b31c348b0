"""What the door asks for beside a password: rules for passwords, second factors, accounts by several
hands. Pure parts, and over real HTTP."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from config.language import Text
from config.load import ConfigError, load
from config.records.door import Door
from console.auth.accounts import LATER, Users
from console.auth.factors import Factors
from console.auth.password_rules import wrong
from console.auth.totp import CARD, STEP_MS, bare, code, shown, step_of, uri
from console.routes.accounts import for_once
from console.serve import Listen, serving
from fengsui.cli.root import cli
from fengsui.play.console import users_of
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from stream.wall_clock import now_ms
from tests.support.console_door import PASSWORD, Caller
from tests.support.decide_district import T0, yanqing
from tests.support.examples import examples

NOW = 1_753_531_200_000
RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, want: str) -> None:
    """Appendix B, SHA-1, the last six of its eight figures."""
    assert code(RFC_SECRET, seconds // 30) == want
    assert step_of(RFC_SECRET, want, seconds * 1000, 0) == seconds // 30


def test_a_code_counts_once_and_for_a_clock_half_a_minute_off() -> None:
    step = NOW // STEP_MS
    for off in (-1, 0, 1):
        assert step_of(RFC_SECRET, code(RFC_SECRET, step + off), NOW, 0) == step + off
    for off in (-2, 2):
        assert step_of(RFC_SECRET, code(RFC_SECRET, step + off), NOW, 0) is None
    assert step_of(RFC_SECRET, code(RFC_SECRET, step), NOW, step) is None


def test_what_an_app_reads_names_the_room_and_the_user() -> None:
    text = uri(RFC_SECRET, "王 lei", "fengsui-yanqing")
    assert text.startswith("otpauth://totp/fengsui-yanqing:%E7%8E%8B%20lei?secret=")
    assert shown(RFC_SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert bare(" １２3-456 ") == "123456"


@pytest.mark.parametrize(
    "password",
    [
        "short", "1234567890", "aaaaaaaaaa", "aaaaabbbbbccccc", "abcdefghijkl", "qwertyuiop",
        "password123", "P@ssw0rd2025", "Password!!!!", "zxcvbnm,./", "1qaz2wsx3edc", "9876543210",
        "admin123456", "wanglei12345", "fengsui2025", "yanqing12345", "防汛值班防汛值班防汛", "x" * 300,
        "ieLgnaw-12345",
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_no_password(password: str) -> None:
    assert wrong(password, "wanglei")


@pytest.mark.parametrize(
    "password",
    ["a long enough one", "correct horse battery", "马 电池 订书钉 正确 雨", "tr0ub4dor&3xx"],
)
def test_words_that_belong_to_nothing_are_one(password: str) -> None:
    assert wrong(password, "wanglei") == ""


@examples(300)
@given(st.text(max_size=60), st.text(max_size=20))
def test_no_text_breaks_the_rules(password: str, name: str) -> None:
    assert isinstance(wrong(password, name), str | Text)


def test_a_password_for_once_passes_the_rules() -> None:
    assert wrong(for_once("wanglei"), "wanglei") == ""


@pytest.fixture
def factors(tmp_path: Path) -> Iterator[Factors]:
    factors = Factors(tmp_path / "console.db", bytes(range(32)))
    yield factors
    factors.close()


def test_an_app_counts_once_a_code_was_shown_and_brings_a_card(
    factors: Factors, tmp_path: Path
) -> None:
    offered = factors.offer("wang", "app", NOW)
    assert factors.kind("wang") == ""
    assert not factors.confirm("wang", "000000", NOW)
    assert not factors.confirm("wang", offered.codes[0], NOW), "the card alone proves no app"
    first = code(offered.secret, NOW // STEP_MS)
    assert factors.confirm("wang", first, NOW)
    assert (factors.kind("wang"), factors.left("wang")) == ("app", CARD)
    assert factors.check("wang", first, NOW) == "", "it was used"
    later = NOW + STEP_MS
    assert factors.check("wang", code(offered.secret, later // STEP_MS), later) == "app"
    assert factors.check("wang", offered.codes[3].upper().replace("-", " "), later) == "card"
    assert factors.check("wang", offered.codes[3], later) == ""
    assert factors.left("wang") == CARD - 1
    kept = b"".join(p.read_bytes() for p in tmp_path.glob("console.db*"))
    assert offered.secret not in kept
    assert offered.codes[0].encode() not in kept


def test_a_card_is_used_up_and_then_another_is_asked_for(factors: Factors) -> None:
    offered = factors.offer("wang", "card", NOW)
    assert factors.confirm("wang", offered.codes[0], NOW)
    for one in offered.codes[1:]:
        assert factors.kind("wang") == "card"
        assert factors.check("wang", one, NOW) == "card"
    assert factors.kind("wang") == ""


def test_an_offer_is_over_after_a_while(factors: Factors) -> None:
    offered = factors.offer("wang", "card", NOW)
    assert not factors.confirm("wang", offered.codes[0], NOW + 3_600_000)


def test_beside_another_key_the_card_still_opens(factors: Factors, tmp_path: Path) -> None:
    offered = factors.offer("wang", "app", NOW)
    assert factors.confirm("wang", code(offered.secret, NOW // STEP_MS), NOW)
    restored = Factors(tmp_path / "console.db", bytes(32))
    at = NOW + STEP_MS
    assert restored.check("wang", code(offered.secret, at // STEP_MS), at) == ""
    assert restored.check("wang", offered.codes[0], at) == "card"
    restored.close()


# ---------------------------------------------------------------- over HTTP


@contextmanager
def room(folder: Path, door: Door | None = None) -> Iterator[Caller]:
    setup = make_setup(yanqing(), "exercise-room", folder, start_at=T0)
    users = Users(setup.folder, door or Door())
    for name, role, officer in (
        ("wang", "approver", "K-01"),
        ("zhao", "duty", "D-02"),
        ("chen", "administrator", ""),
        ("sun", "security", ""),
        ("wu", "auditor", ""),
    ):
        users.add(name, role, officer, PASSWORD, now=now_ms())
    with serving(
        setup.district, setup.run, lambda: open_run_log(setup), users, Listen(), now=now_ms
    ) as address:
        caller = Caller(address)
        caller.users = users
        yield caller
    users.close()


class Person:
    """One browser."""

    def __init__(self, caller: Caller, name: str) -> None:
        self.caller, self.name = caller, name
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def ask(self, path: str, body: Any = None, method: str = "") -> tuple[int, Any]:
        cookie = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        more = {"x_fengsui": "1", "x_csrf": self.csrf, "Cookie": cookie}
        how = method or ("GET" if body is None else "POST")
        status, headers, data = self.caller.ask(how, path, body, **more)
        for cookie_set in headers.get_all("set-cookie") or ():
            name, _, value = cookie_set.split(";")[0].partition("=")
            self.cookies[name] = value
        found = json.loads(data) if data.startswith((b"{", b"[")) else data
        if status == 200 and isinstance(found, dict) and "csrf" in found:
            self.csrf = found["csrf"]
        return status, found

    def login(self, password: str = PASSWORD) -> tuple[int, Any]:
        return self.ask("/api/login", {"name": self.name, "password": password})

    def enter_by_card(self) -> list[str]:
        """In, with a card made on the way; the codes that are left."""
        assert self.login()[1]["step"] == "factor"
        codes = self.ask("/api/login/offer", {"kind": "card"})[1]["codes"]
        assert self.ask("/api/login/confirm", {"code": codes[0]})[0] == 200
        return list(codes[1:])


def test_who_needs_a_second_factor_makes_it_on_the_way_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.auth.totp._AROUND", tuple(range(-40, 41)))  # on a slow machine
    with room(tmp_path) as caller:
        wang = Person(caller, "wang")
        status, found = wang.login()
        assert (status, found["step"], found["later"]) == (200, "factor", LATER)
        for path in ("me", "snapshot", "shift", "stream"):
            assert wang.ask(f"/api/{path}")[0] == 401, "half a log-in opens nothing"
        assert wang.ask("/api/login/step")[1]["step"] == "factor"
        offered = wang.ask("/api/login/offer", {"kind": "app"})[1]
        assert offered["picture"].startswith("data:image/svg+xml")
        assert wang.ask("/api/login/confirm", {"code": "000000"})[0] == 403
        secret = _secret(offered["secret"])
        status, me = wang.ask("/api/login/confirm", {"code": code(secret, now_ms() // STEP_MS)})
        assert (status, me["name"], me["factor"], me["codes"]) == (200, "wang", "app", CARD)
        assert wang.ask("/api/me")[0] == 200
        again = Person(caller, "wang")
        assert again.login()[1]["step"] == "code"
        assert again.ask("/api/login/offer", {"kind": "card"})[0] == 409, "no way round the code"
        assert again.ask("/api/login/later", {})[0] == 409
        assert again.ask("/api/login/code", {"code": "000000"})[0] == 403
        assert again.ask("/api/login/code", {"code": offered["codes"][0]})[0] == 200
        assert again.ask("/api/me")[0] == 200


def _secret(text: str) -> bytes:
    from base64 import b32decode

    return b32decode(text + "=" * (-len(text) % 8))


def test_at_three_in_the_morning_nobody_is_locked_out(tmp_path: Path) -> None:
    """No telephone, no card, no administrator: put it off; then a card on the spot; a lost card: a
    link from the command line."""
    with room(tmp_path) as caller:
        for left in range(LATER, 0, -1):
            wang = Person(caller, "wang")
            assert wang.login()[1]["later"] == left
            assert wang.ask("/api/login/later", {})[0] == 200
            assert "release" in wang.ask("/api/me")[1]["acts"]
        wang = Person(caller, "wang")
        assert wang.login()[1]["later"] == 0
        assert wang.ask("/api/login/later", {})[0] == 409
        codes = wang.ask("/api/login/offer", {"kind": "card"})[1]["codes"]
        assert wang.ask("/api/login/confirm", {"code": codes[0]})[0] == 200
        assert "release" in wang.ask("/api/me")[1]["acts"]
        lost = Person(caller, "wang")
        assert lost.login()[1]["step"] == "code"
        words = ["--state", str(tmp_path), "console", "user", "link", "wang"]
        made = CliRunner().invoke(cli, [*words, "--run", "exercise-room"])
        path = "/enter?once=" + made.stdout.strip().rpartition("once=")[2]
        assert lost.ask(path)[0] == 303
        assert "release" in lost.ask("/api/me")[1]["acts"]


def test_whose_role_needs_none_is_asked_for_none(tmp_path: Path) -> None:
    with room(tmp_path) as caller:
        assert Person(caller, "zhao").login()[1]["name"] == "zhao"
        assert "acts" in Person(caller, "zhao").login()[1]
    with room(tmp_path / "small", Door(second_factor=())) as caller:
        assert "acts" in Person(caller, "wang").login()[1]


def test_guessing_at_a_code_slows_down_for_everybody_who_is_not_known(tmp_path: Path) -> None:
    with room(tmp_path) as caller:
        wang = Person(caller, "wang")
        codes = wang.enter_by_card()
        thief = Person(caller, "wang")
        thief.login()
        found = [thief.ask("/api/login/code", {"code": f"{n:06}"})[0] for n in range(7)]
        assert (found[0], found[-1]) == (403, 429)
        assert thief.ask("/api/login/code", {"code": codes[0]})[0] == 429
        assert wang.login()[1]["step"] == "code"  # from their own browser
        assert wang.ask("/api/login/code", {"code": codes[0]})[0] == 200


def test_a_password_that_another_gave_is_changed_at_the_first_log_in(tmp_path: Path) -> None:
    with room(tmp_path) as caller:
        caller.users.add("zhao", "duty", "D-02", "given by another", now=now_ms(), change=True)
        zhao = Person(caller, "zhao")
        assert zhao.login("given by another")[1]["step"] == "change"
        assert zhao.ask("/api/me")[0] == 401
        for bad in ("given by another", "1234567890", "zhao zhao zhao x", "short"):
            assert zhao.ask("/api/login/change", {"password": bad})[0] == 422, bad
        status, me = zhao.ask("/api/login/change", {"password": "mine and nobody else's"})
        assert (status, me["name"]) == (200, "zhao")
        assert Person(caller, "zhao").login("given by another")[0] == 403


def test_a_password_ends_where_the_district_says_so(tmp_path: Path) -> None:
    with room(tmp_path, Door(password_days=90)) as caller:
        assert "acts" in Person(caller, "zhao").login()[1]
        with sqlite3.connect(tmp_path / "exercise-room" / "console.db") as db:
            db.execute("UPDATE users SET set_at=set_at-91*86400000 WHERE name='zhao'")
        assert Person(caller, "zhao").login()[1]["step"] == "change"


def test_ones_own_password_needs_the_old_one_and_ends_the_other_sessions(tmp_path: Path) -> None:
    with room(tmp_path) as caller:
        one, other = Person(caller, "zhao"), Person(caller, "zhao")
        one.login()
        other.login()
        fresh = {"password": "mine and nobody else's"}
        assert one.ask("/api/login/change", {**fresh, "old": "wrong"})[0] == 403
        assert one.ask("/api/login/change", {**fresh, "old": PASSWORD})[0] == 200
        assert one.ask("/api/me")[0] == 200
        assert other.ask("/api/me")[0] == 401


def test_a_step_asked_for_by_a_foreign_page_does_nothing(tmp_path: Path) -> None:
    with room(tmp_path) as caller:
        wang = Person(caller, "wang")
        wang.login()
        cookie = "; ".join(f"{k}={v}" for k, v in wang.cookies.items())
        assert caller.ask("POST", "/api/login/later", {}, Cookie=cookie)[0] == 403
        assert caller.ask("POST", "/api/login/later", {}, x_fengsui="1")[0] == 401


KEY = "0123456789abcdef"


def test_an_administrator_makes_accounts_and_it_is_on_record(tmp_path: Path) -> None:
    with room(tmp_path) as caller:
        chen = Person(caller, "chen")
        chen.enter_by_card()
        made = {"act": "add", "name": "liu", "role": "duty", "officer": "D-01", "key": KEY}
        status, told = chen.ask("/api/account", made)
        assert status == 200
        assert chen.ask("/api/account", made)[1] == told, "the same press twice is one act"
        liu = Person(caller, "liu")
        assert liu.login(told["password"])[1]["step"] == "change"
        for n, (act, more) in enumerate(
            (("role", {"role": "viewer"}), ("unlock", {}), ("link", {}), ("remove", {}))
        ):
            body = {"act": act, "name": "liu", "key": f"{n:016x}", **more}
            assert chen.ask("/api/account", body)[0] == 200, act
        noted = [(x.who, x.what) for x in caller.users.noted() if x.who == "chen"]
        for what in ("user added", "role given", "user unlocked", "link made", "user removed"):
            assert ("chen", what) in noted
        body = {"act": "role", "name": "chen", "role": "approver", "key": "f" * 16}
        assert chen.ask("/api/account", body)[0] == 409, "nobody gives themselves a role"
        assert chen.ask("/api/record")[1]["wrong"] == ""


def test_an_account_is_nobody_elses_to_change(tmp_path: Path) -> None:
    with room(tmp_path) as caller:
        for name, entering in (("zhao", Person.login), ("wang", Person.enter_by_card)):
            person = Person(caller, name)
            entering(person)
            assert person.ask("/api/accounts")[0] == 403
            assert person.ask("/api/record")[0] == 403
            for n, act in enumerate(
                ("add", "role", "password", "unlock", "factor", "link", "remove")
            ):
                body = {"act": act, "name": "chen", "role": "viewer", "key": f"{n:016x}"}
                assert person.ask("/api/account", body)[0] == 403, act


def test_where_three_are_needed_no_one_hand_is_enough(tmp_path: Path) -> None:
    with room(tmp_path, Door(separate_administrators=True)) as caller:
        hands = {n: Person(caller, n) for n in ("chen", "sun", "wu")}
        for person in hands.values():
            person.enter_by_card()
        allowed = {
            "chen": {"add", "password", "unlock", "remove"},
            "sun": {"role", "unlock", "factor"},
            "wu": set(),
        }
        for name, person in hands.items():
            for n, act in enumerate(("role", "password", "unlock", "factor", "link")):
                more = {"role": "duty"} if act == "role" else {}
                body = {"act": act, "name": "zhao", "key": f"{n:016x}", **more}
                want = 200 if act in allowed[name] else 403
                assert person.ask("/api/account", body)[0] == want, (name, act)
            assert person.ask("/api/record")[0] == (200 if name == "wu" else 403)
        body = {"act": "add", "name": "liu", "role": "approver", "key": "a" * 16}
        assert hands["chen"].ask("/api/account", body)[0] == 403
        assert hands["chen"].ask("/api/account", {**body, "role": "viewer"})[0] == 200


def test_a_live_run_asks_for_it_and_an_exercise_does_not(tmp_path: Path) -> None:
    for run, want in (("live", "factor"), ("exercise", "")):
        users = users_of(make_setup(yanqing(), run, tmp_path))
        users.add("wang", "approver", "K-01", PASSWORD, now=NOW)
        user = users.known("wang")
        assert user is not None
        assert users.step(user, NOW, "password") == want
        users.close()


@pytest.mark.parametrize(
    ("line", "named"),
    [("session_h = 0", "session_h"), ('second_factor = ["boss"]', "second_factor"), ("x = 1", "x")],
)
def test_a_wrong_door_is_told_by_its_key(tmp_path: Path, line: str, named: str) -> None:
    import shutil

    folder = tmp_path / "yanqing"
    shutil.copytree(yanqing().folder, folder)
    with (folder / "district.toml").open("a") as f:
        f.write(f"\n[console]\n{line}\n")
    with pytest.raises(ConfigError, match=named):
        load(folder)
