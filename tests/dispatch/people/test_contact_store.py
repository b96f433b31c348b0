"""The contact store: encrypted, erased for good, whole after a kill, and a list with broken rows."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from config.load import load, read
from config.records.district import Contact
from config.records.level import Level
from dispatch.channels import SendError
from dispatch.channels.addresses import address
from dispatch.people.contact_store import MASTER, ContactStore, Erased, master_file
from fengsui.cli.root import cli
from fengsui.run.contact_csv import read_list, write_list
from fengsui.run.recipients import with_people
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from tests.support.decide_district import yanqing

ROOT = Path(__file__).parents[3]


def person(n: int, **more: object) -> Contact:
    return msgspec.structs.replace(
        Contact(
            id=f"X-{n:06}",
            name=f"王小{n:06}",
            role="residents",
            areas=("A01",),
            lang="zh",
            channels=("sms", "email"),
            min_level=Level.YELLOW,
            phone=f"1991234{n:06}",
            email=f"someone{n}@village.example",
            hazards=("flash_flood",),
            quiet="22:00-06:30",
            people=3,
        ),
        **more,
    )


def raw(folder: Path) -> bytes:
    """Every byte of every file of the run."""
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def sealed(store: ContactStore, name: str) -> list[bytes]:
    """The two secrets of a row as they stand in the files."""
    db = store._db
    return [
        db.execute("SELECT private FROM contact WHERE id = ?", (name,)).fetchone()[0],
        db.execute("SELECT wrapped FROM keys.row WHERE id = ?", (name,)).fetchone()[0],
    ]


def test_what_goes_in_comes_out_and_stands_nowhere_in_plain(tmp_path: Path) -> None:
    people = [person(n) for n in range(50)]
    with ContactStore(tmp_path) as store:
        store.put(people)
    with ContactStore(tmp_path) as store:
        assert [store.whole(p.id) for p in people] == people
        assert store.whole("X-9") is None
        for c in store.load().values():
            assert (c.name, c.phone, c.app, c.email) == ("", "", "", "")
            assert c.quiet == "22:00-06:30"
    found = raw(tmp_path)
    for p in people:
        for text in (p.name, p.phone, p.email):
            assert text.encode() not in found
    for file in (tmp_path / "contacts.db", *(tmp_path / "keys").iterdir()):
        assert file.stat().st_mode & 0o077 == 0


def test_erased_is_gone_from_the_bytes_and_from_a_copy_of_the_rows(tmp_path: Path) -> None:
    with ContactStore(tmp_path) as store:
        store.put([person(n) for n in range(300)])
        secrets = sealed(store, "X-000007")
        assert all(s in raw(tmp_path) for s in secrets)
        copy = (tmp_path / "contacts.db").read_bytes()
        assert store.erase(["X-000007", "X-none"], 1) == ["X-000007"]
        assert not any(s in raw(tmp_path) for s in secrets)
        assert store.whole("X-000007") is None
        assert store.whole("X-000008") == person(8)
        with pytest.raises(Erased):
            store.put([person(7)])
    # a backup of the rows, put back beside today's keys
    (tmp_path / "contacts.db").write_bytes(copy)
    with ContactStore(tmp_path) as store:
        assert secrets[0] in copy
        assert store.whole("X-000007") is None
        assert store.whole("X-000008") == person(8)


def test_a_replaced_row_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    with ContactStore(tmp_path) as store:
        store.put([person(1)])
        before = sealed(store, "X-000001")
        store.put([person(1, phone="19900000000")])
        assert not any(s in raw(tmp_path) for s in before)


def test_rows_cannot_be_exchanged(tmp_path: Path) -> None:
    with ContactStore(tmp_path) as store:
        store.put([person(1), person(2)])
        store._db.execute(
            "UPDATE contact SET private = (SELECT private FROM contact WHERE id = 'X-000002')"
            " WHERE id = 'X-000001'"
        )
        with pytest.raises(ValueError, match="X-000001"):
            store.whole("X-000001")


def test_a_new_master_key_and_a_rotation_that_was_cut_off(tmp_path: Path) -> None:
    file = master_file(tmp_path)
    with ContactStore(tmp_path) as store, ContactStore(tmp_path) as other:
        store.put([person(1)])
        old = file.read_bytes()
        assert store.rotate() == 1
        assert file.read_bytes() != old
        assert other.whole("X-000001") == person(1)  # a process that had the old key
        new = file.read_bytes()
    # killed between the commit and the renaming
    file.with_name("contacts.key.next").write_bytes(new)
    file.with_name("contacts.key.next").chmod(0o600)
    file.write_bytes(old)
    with ContactStore(tmp_path) as store:
        assert store.whole("X-000001") == person(1)
    assert file.read_bytes() == new
    # killed before the commit: a key of which nothing came
    file.with_name("contacts.key.next").write_bytes(old)
    file.with_name("contacts.key.next").chmod(0o600)
    with ContactStore(tmp_path) as store:
        assert store.whole("X-000001") == person(1)
    file.with_name("contacts.key.next").unlink()
    file.write_bytes(old)
    with pytest.raises(ValueError, match="master key"):
        ContactStore(tmp_path)


def test_the_master_key_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MASTER, str(tmp_path / "elsewhere.key"))
    with ContactStore(tmp_path / "run") as store:
        store.put([person(1)])
    assert (tmp_path / "elsewhere.key").exists()
    assert not (tmp_path / "run" / "keys" / "contacts.key").exists()
    (tmp_path / "elsewhere.key").chmod(0o644)
    with pytest.raises(ValueError, match="others may read"):
        ContactStore(tmp_path / "run")


_CHILD = """
import sys
from pathlib import Path
from dispatch.people.contact_store import ContactStore
from tests.dispatch.people.test_contact_store import person
with ContactStore(Path(sys.argv[1])) as store:
    print("open", flush=True)
    for n in range(1000):
        with store.change():
            store.put([person(i, plan=str(n)) for i in range(500)])
        print(n, flush=True)
"""


@pytest.mark.parametrize("lines", [2, 4])
def test_a_kill_in_an_import_leaves_all_or_nothing_of_it(tmp_path: Path, lines: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    for _ in range(lines):
        assert child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with ContactStore(tmp_path) as store:
        found = [store.whole(i) for i in store.ids()]
    assert len(found) == 500
    assert len({c.plan for c in found if c is not None}) == 1


GOOD = "X-1,王一,residents,A01,zh,sms,blue,199-0000-1111,"
BROKEN = f"""id,name,role,areas,lang,channels,min_level,phone,app
{GOOD}
X-2,王二,residents,A01,zh,sms,blue,这个号码忘了,
X-3,"王三,residents,A01,zh,sms,blue,199-0000-1113,
X-4,王四,residents,A01,zh
X-5,王五,residents,A77,zh,sms,blue,199-0000-1115,
X-1,王六,residents,A01,zh,sms,blue,199-0000-1116,
X-7,王七,residents,A01,199-0000-1117,sms,blue,199-0000-1117,
X 8,王八,residents,A01,zh,sms,blue,199-0000-1118,

X-9,王九,residents,A02;A01,zh,sms;app,red,199-0000-1119,tok
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_with_broken_rows(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "phones.csv"
    file.write_bytes(BROKEN.replace("\n", "\r\n").encode(encoding))
    listed = read_list(file, yanqing(), erased=[])
    assert [c.id for c in listed.contacts] == ["X-1", "X-9"]
    assert listed.contacts[0].name == "王一"
    where = [(p.row, p.column) for r in listed.rejects for p in r.problems]
    assert where == [
        (3, "phone"), (4, ""), (5, ""), (6, "areas"), (7, "id"), (8, "lang"), (9, "id"),
    ]  # fmt: skip
    told = "\n".join(str(p) for r in listed.rejects for p in r.problems)
    for n in range(1111, 1120):
        assert f"199-0000-{n}" not in told
    assert "王" not in told
    taken = {r.line for r in listed.rejects} | {GOOD, BROKEN.splitlines()[-1]}
    assert taken == {x for x in BROKEN.splitlines()[1:] if x}  # nothing is lost


def test_export_is_import(tmp_path: Path) -> None:
    people = [person(n, name='引"号', plan="预案,3") for n in range(3)]
    write_list(people, tmp_path / "out.csv")
    assert read_list(tmp_path / "out.csv", yanqing()).contacts == people


def test_the_commands_tell_ids_only(tmp_path: Path) -> None:
    file = tmp_path / "phones.csv"
    file.write_text(BROKEN, encoding="utf-8")
    said = ""

    def call(*args: str) -> int:
        nonlocal said
        result = CliRunner().invoke(cli, ["--state", str(tmp_path / "var"), "contacts", *args])
        said = result.output
        assert "199-0000" not in said
        assert "王" not in said
        return result.exit_code

    assert call("import", str(file), "--dry-run") == 1
    assert not (tmp_path / "phones.rejects.csv").exists()
    assert call("import", str(file)) == 1
    rejects = tmp_path / "phones.rejects.csv"
    assert len(rejects.read_text(encoding="utf-8").splitlines()) == 8
    assert rejects.stat().st_mode & 0o077 == 0
    assert call("list") == 0
    assert said.split("\n")[0].startswith("X-1 resident A01 zh sms blue")
    assert call("export", str(tmp_path / "out.csv")) == 0
    assert "199-0000-1111" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert call("rotate-key") == 0
    assert call("erase", "X-1") == 0
    assert call("erase", "X-1") == 1
    assert call("import", str(file)) == 1
    assert "erased" in said
    assert call("list") == 0
    assert "X-1 " not in said
    whole = raw(tmp_path / "var")
    assert b"199-0000" not in whole


def test_who_was_erased_as_the_machine_went_down_is_told_to_the_log_by_the_next_try(tmp_path: Path) -> None:
    setup = make_setup(yanqing(), "exercise-a", tmp_path)
    with ContactStore(setup.folder) as store:
        store.put([yanqing().contacts["C-0001"]])
        store.erase(["C-0001"], 1)  # and no word of it in the log
    words = ["--state", str(tmp_path), "contacts", "erase", "C-0001", "X-9", "--run", "exercise-a"]
    assert CliRunner().invoke(cli, words).exit_code == 1
    log = open_run_log(setup)
    assert [e.key for p in range(len(log.ends("cases"))) for e in log.read("cases", p, 0)] == ["C-0001"]
    log.close()


def test_a_run_reads_its_store_and_an_erased_person_at_once_no_more(tmp_path: Path) -> None:
    setup = make_setup(yanqing(), "exercise-a", tmp_path)
    joined = with_people(setup, "send")
    assert joined.contacts.keys() == yanqing().contacts.keys()
    assert not any(c.phone or c.name for c in joined.contacts.values())
    assert address(joined, "C-0001", "sms") == yanqing().contacts["C-0001"].phone
    with ContactStore(setup.folder) as store:
        store.erase(["C-0001"], 1)
    with pytest.raises(SendError, match="no contact C-0001"):
        address(joined, "C-0001", "sms")
    again = with_people(setup, "send")  # contacts.csv still names this person
    assert "C-0001" not in again.contacts
    assert "C-0002" in again.contacts


def test_the_store_may_lie_apart_and_each_run_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGSUI_CONTACTS", str(tmp_path / "shared"))
    found = {
        name: with_people(make_setup(yanqing(), name, tmp_path / "var"), "send").vault
        for name in ("live", "exercise-a")
    }
    assert found == {n: tmp_path / "shared" / n for n in found}
    assert not (tmp_path / "var").exists()


def test_a_live_run_reads_the_store_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = make_setup(yanqing(), "live", tmp_path)
    with ContactStore(setup.folder) as store:
        store.put([person(1)])
    assert list(with_people(setup, "send").contacts) == ["X-000001"]
    said = "".join(capsys.readouterr())
    assert "contacts.csv" in said
    assert "199-" not in said


def test_a_folder_without_a_list_is_well(tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "yanqing"
    shutil.copytree(ROOT / "config" / "yanqing", folder)
    (folder / "contacts.csv").unlink()
    assert read(folder)[1] == []
    setup = make_setup(load(folder), "live", tmp_path / "var")
    assert with_people(setup, "send").contacts == {}
