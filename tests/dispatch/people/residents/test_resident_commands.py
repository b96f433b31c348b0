"""`fengsui residents` and `fengsui contacts erase` as an operator calls them."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from config.load import load
from dispatch.people.contact_store import ContactStore
from dispatch.people.residents.desk import Wish
from dispatch.people.signed_choices import public_of, verified
from fengsui.cli.root import cli
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import default_config, make_setup
from ingest.people.subscriber import Subscriber
from tests.support.choices import resident
from tests.support.residents import NUMBER, Clock, desk, with_store


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "zh")


def call(state: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["--state", str(state), *words])
    return done.exit_code, f"{done.output} {done.exception or ''}"


def test_the_sheets(tmp_path: Path) -> None:
    file = tmp_path / "sheets.html"
    code, said = call(tmp_path, "residents", "sheets", str(file))
    assert (code != 0, "residents_url" in said) == (True, True)
    url = ("--url", "https://warn.example")
    code, said = call(tmp_path, "residents", "sheets", str(file), *url, "--area", "A99")
    assert (code != 0, "A99" in said) == (True, True)
    code, said = call(tmp_path, "residents", "sheets", str(file), *url)
    assert (code, "residents_number" in said) == (0, True)
    assert file.read_text().count("<section>") == len(load(default_config()).areas)


def test_the_counts_name_nobody(tmp_path: Path) -> None:
    assert "还没有" in call(tmp_path, "residents", "counts")[1]
    d = with_store(tmp_path / "live")
    desk(d, Clock()).ask(NUMBER, Wish(("A01",), "zh"), "10.0.0.1")
    code, said = call(tmp_path, "residents", "counts")
    assert (code, "来自 1" in said) == (0, True)
    assert NUMBER not in said
    assert "10.0.0.1" not in said


def test_whoever_is_erased_by_command_is_gone_for_a_running_address_too(tmp_path: Path) -> None:
    with ContactStore(tmp_path / "live") as store:
        store.put([resident("S-1")])
    code, said = call(tmp_path, "contacts", "erase", "S-1", "S-2")
    assert (code, "S-1: 已删除" in said) == (1, True)
    log = open_run_log(make_setup(load(default_config()), "live", tmp_path))
    found = [msgspec.json.decode(e.value, type=Subscriber) for e in log.read("cases", 0, 0)]
    log.close()
    assert [(s.id, s.areas, s.way) for s in found] == [("S-1", (), "command")]
    with ContactStore(tmp_path / "live") as store:
        assert verified(found[0], public_of(store.signing_key), "yanqing")
