"""What a backup holds beside the records: accounts, links and contacts under a passphrase, and no secret of
the district's folder."""

import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Said, en
from config.load import load
from console.auth.accounts import Users
from dispatch.people.contact_store import ContactStore, master_file
from fengsui.files.backup import take
from fengsui.files.photographs import Photographs, brought_back, photographs, where
from fengsui.files.redact import private, redacted
from fengsui.files.restore import restore
from fengsui.files.sealed_state import PASSPHRASE, opened, sealed
from fengsui.run.run_log import frames_folder
from fengsui.run.setup import default_config, make_setup
from ingest.observation import PersonSays
from ingest.people.links import Links
from ingest.people.photos.sealed_photos import SealedPhotos
from stream.disk.blobs import FrameStore
from stream.disk.files import write_file
from stream.environment import Usage
from stream.log.open import open_log
from stream.log.port import Out
from stream.records import encode
from stream.stages.run_identity import begin
from tests.support.choices import resident
from tests.support.districts import yanqing
from tests.support.examples import examples

DISTRICT = yanqing()


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter22secret"',
        "password = 'hunter22secret'",
        'token = "hunter22secret"',
        'secret="hunter22secret"',
        'smtp_password = "hunter22secret"',
        'api_key = "hunter22secret"',
        '"x-api-key" = "hunter22secret"',
        'headers = { Authorization = "Bearer hunter22secret", "X-Any" = "hunter22secret" }',
        '[carrier.headers]\nX-Any = "hunter22secret"',
        'url = "https://u:hunter22secret@host/x"',
        'url = "https://host/x?token=hunter22secret&a=1"',
        'url = "wxwork://hunter22secret"',
        'url = "dingtalk://hunter22secret/13800000000"',
        'urls = ["feishu://hunter22secret", "tgram://1:hunter22secret/5"]',
        'carrier = { kind = "http", token = "hunter22secret" }',
    ],
)
def test_no_secret_of_a_table_goes_along(line: str) -> None:
    text = f'name = "kept"\n{line}\n[other]\nplain = "kept too"\n'.encode()
    out = redacted(text)
    assert b"hunter22secret" not in out
    assert b'"kept"' in out
    assert b'"kept too"' in out
    assert redacted(out) == out


@pytest.mark.parametrize(
    "line",
    [
        'password = "env:SMS_PASSWORD"',
        'token = "file:/etc/fengsui/token"',
        'url = "https://host/send"',
        'log = "kafka://host:9092"',
        'body = "mobile={to}&password={password}"',
        'id_field = "msgid"',
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redacted(line.encode()) == line.encode()


def test_the_example_s_tables_are_as_they_were() -> None:
    for path in default_config().rglob("*.toml"):
        assert redacted(path.read_bytes()) == path.read_bytes(), path


@examples(200)
@given(st.binary(max_size=300))
def test_any_bytes_can_be_looked_through(body: bytes) -> None:
    once = redacted(body)
    assert redacted(once) == once
    assert not private(body) or b"PRIVATE KEY" in body


def test_accounts_come_back_with_the_passphrase_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "yanqing"
    shutil.copytree(default_config(), folder)
    (folder / "device.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
    )
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n")
    setup = make_setup(load(folder), "live", tmp_path / "var")
    log = open_log(setup.log, "live", "yanqing", DISTRICT.partitions)
    begin(log, setup.run)
    log.close()
    users = Users(setup.folder)
    users.add("duty", "duty", "", "a long enough password")
    users.close()
    token = Links(setup.folder).make("C-0001", 1, 30)
    monkeypatch.setenv(PASSPHRASE, "eleven char")
    with pytest.raises(Usage, match=PASSPHRASE):
        take(setup, folder, tmp_path / "short.tar.gz", 1)
    monkeypatch.setenv(PASSPHRASE, "correct horse battery")
    file = tmp_path / "b.tar.gz"
    made = take(setup, folder, file, 1)
    assert "config/device.pem" in made.redacted
    with tarfile.open(file) as tar:
        names = set(tar.getnames())
        whole = b"".join(
            body.read() for m in tar.getmembers() if (body := tar.extractfile(m)) is not None
        )
    assert {"state/console.db.sealed", "state/people-links.json.sealed", "config/ca.pem"} <= names
    assert "config/device.pem" not in names
    assert b"SQLite format 3" not in whole
    assert token.encode() not in whole

    def at(place: str):  # type: ignore[no-untyped-def]
        return lambda district, run: make_setup(district, run, tmp_path / place)

    monkeypatch.setenv(PASSPHRASE, "another passphrase")
    with pytest.raises(Usage, match=PASSPHRASE):
        restore(file, "", at("wrong"))
    monkeypatch.setenv(PASSPHRASE, "correct horse battery")
    back = restore(file, "", at("right"))
    with closing(sqlite3.connect(back.folder / "console.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    users = Users(back.folder)
    assert [u.name for u in users.everybody()] == ["duty"]
    users.close()
    assert Links(back.folder).read().keys() == {"C-0001"}
    assert (back.folder / "console.db").stat().st_mode & 0o077 == 0
    monkeypatch.delenv(PASSPHRASE)
    said: list[str] = []
    without = restore(file, "", at("without"), said.append)
    assert not (without.folder / "console.db").exists()
    assert any(PASSPHRASE in s for s in said)


def test_who_subscribed_comes_back_with_the_passphrase_and_the_master_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE, "correct horse battery")
    folder = default_config()
    setup = make_setup(load(folder), "live", tmp_path / "var")
    log = open_log(setup.log, "live", "yanqing", DISTRICT.partitions)
    begin(log, setup.run)
    log.close()
    before = resident("S-1", phone="13800138000", until="2026-08-01", category="tourist")
    with ContactStore(setup.folder) as store:
        store.put([before, resident("S-2", phone="13900139000")])
        store.erase(["S-2"], 1)
        master = master_file(setup.folder).read_bytes()
    file = tmp_path / "b.tar.gz"
    take(setup, folder, file, 1)
    with tarfile.open(file) as tar:
        whole = b"".join(
            body.read() for m in tar.getmembers() if (body := tar.extractfile(m)) is not None
        )
    assert master.strip() not in whole
    assert b"13800138000" not in whole
    back = restore(file, "", lambda d, run: make_setup(d, run, tmp_path / "back"))
    keys = back.folder / "keys"
    assert (keys / "contacts-keys.db").stat().st_mode & 0o077 == 0
    write_file(keys / "contacts.key", master)
    with ContactStore(back.folder) as store:
        assert store.whole("S-1") == before
        assert store.with_number("13800138000") == ["S-1"]
        assert (store.whole("S-2"), store.erased()) == (None, {"S-2"})


def test_a_restore_tells_of_photographs_which_are_here_and_what_to_put_back(tmp_path: Path) -> None:
    folder = default_config()
    setup = make_setup(load(folder), "live", tmp_path / "var")
    log = open_log(setup.log, "live", "yanqing", DISTRICT.partitions)
    begin(log, setup.run)
    photos = SealedPhotos(FrameStore(frames_folder(setup)), setup.folder)
    sent = [photos.put("C-1", b"a shelter"), photos.put("C-2", b"a road")]
    log.append([Out("observations", "A01", encode(says(digest)), 0) for digest in sent])
    assert photographs(setup, log) == Photographs(2, 2, [])
    log.close()
    file, said = tmp_path / "b.tar.gz", list[Said]()
    take(setup, folder, file, 1)
    back = restore(file, "", lambda d, run: make_setup(d, run, tmp_path / "back"), said.append)
    (told,) = [en(x) for x in said if "photographs" in en(x)]
    assert "records name 2, 0 can be seen here" in told
    (todo,) = [en(x) for x in said if "fengsui audit --once" in en(x)]
    log = open_log(back.log, "live", "yanqing", DISTRICT.partitions)
    for mine, place in zip(where(setup), where(back), strict=True):
        assert str(place) in todo
        assert photographs(back, log).seen == 0, "one without the others shows nothing"
        place.parent.mkdir(exist_ok=True)
        (shutil.copytree if mine.is_dir() else shutil.copy)(mine, place)
    found = photographs(back, log)
    log.close()
    assert found == Photographs(2, 2, [])
    assert "all of them here and whole" in en(next(brought_back(found)))


def says(digest: str) -> PersonSays:
    return PersonSays(
        id=digest[:8], person="C-1", role="household", area="A01", what="moved", said_at=1,
        received_at=1, way="form", photo=digest,
    )  # fmt: skip


def test_a_sealed_file_is_its_own_and_unchanged() -> None:
    body = sealed("console.db", b"x" * 100, "correct horse battery")
    assert opened("console.db", body, "correct horse battery") == b"x" * 100
    for name, changed in (
        ("contacts.db", body),
        ("console.db", body[:-1] + bytes([body[-1] ^ 1])),
        ("console.db", body[:20]),
        ("console.db", b""),
    ):
        with pytest.raises(Usage):
            opened(name, changed, "correct horse battery")
