"""sources.toml: what is wrong is named, and nothing starts with it; the example of the documentation is
a file that loads."""

import re
import shutil
from pathlib import Path

import pytest

from config.load import ConfigError, load
from config.records.level import Level
from stream.mqtt.access import INGEST, SEND, rights
from tests.support.cap_world import pem_of

ROOT = Path(__file__).parents[3]
EXAMPLE = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "cap.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Yanqing with the documentation's example."""
    assert EXAMPLE is not None
    found = tmp_path / "yanqing"
    shutil.copytree(ROOT / "config" / "yanqing", found)
    (found / "sources.toml").write_text(EXAMPLE[1], "utf-8")
    for name in ("weather", "huailai", "chicheng"):
        (found / f"{name}.pem").write_text(pem_of(name))
    return found


def test_the_example_of_the_documentation_loads(folder: Path) -> None:
    found = load(folder).sources
    assert set(found.source) == {"weather", "huailai", "chicheng"}
    assert set(found.neighbour) == {"huailai", "chicheng"}
    weather = found.source["weather"]
    assert weather.hazards_of(["暴雨"]) == ("flash_flood", "debris_flow")
    assert weather.hazards_of(["沙尘暴"]) == ()
    assert weather.hazards_of(["river_flood"]) == ("river_flood",)
    assert weather.level_of("extreme") == Level.RED
    assert weather.level_of("橙色") == Level.ORANGE
    assert weather.level_of("None") == Level.NONE
    assert weather.level_of("紫色") is None
    assert found.neighbour["chicheng"].place(live=True) == ""


def test_a_changed_certificate_is_another_version_of_the_config(folder: Path) -> None:
    before = load(folder).version
    (folder / "weather.pem").write_text(pem_of("another"))
    assert load(folder).version != before


def test_without_the_file_nobody_is_heard() -> None:
    found = load(ROOT / "config" / "yanqing").sources
    assert not (found.source or found.neighbour or found.listen)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('id = "weather"', 'id = "a/b"', "source.a/b"),
        ('id = "weather"', 'id = "huailai"', "source.id"),
        ('name = "延庆区气象局"', 'name = " "', "source.weather.name"),
        ('senders = ["cma@weather.example"]', "senders = []", "source.weather.senders"),
        ('"cma@weather.example"', '"a b"', "source.weather.senders"),
        ('"cma@weather.example"', '"fengsui@huailai.example"', "source.senders"),
        ('certificates = ["weather.pem"]', "", "source.weather.certificates"),
        ('"weather.pem"', '"../weather.pem"', "source.weather.certificates"),
        ('"weather.pem"', '"absent.pem"', "absent.pem"),
        ("valid_s = 43200", "valid_s = 1", "source.weather.valid_s"),
        ("poll_s = 60", "poll_s = 0", "source.weather.poll_s"),
        ("poll_s = 60", 'hosts = ["http://x/"]', "source.weather.hosts"),
        ("poll_s = 60", 'poll = "x"', "source"),
        ('["debris_flow"]', '["avalanche"]', "source.weather.hazards.地质灾害气象风险"),
        ('"Extreme" = "red"', '"Extreme" = "purple"', "source.weather.levels.Extreme"),
        ('divisions = ["130730"]', 'divisions = ["13073x"]', "source.huailai.downstream.divisions"),
        ('areas = ["A01"], basins', 'areas = ["A99"], basins', "source.huailai.downstream.areas"),
        ('basins = ["B02"] }', 'basins = ["B99"] }', "source.huailai.downstream.basins"),
        ("https://weather.example/cap/feed.atom", "ftp://x/", "source.weather.feed"),
        ("https://weather.example/cap", "https://u:p@weather.example/cap", "source.weather.feed"),
        (
            "http://127.0.0.1:8093/cap",
            "http://localhost:8093/cap",
            "neighbour.huailai.exercise_url",
        ),
        ("http://127.0.0.1:8093/cap", "https://huailai.example/", "neighbour.huailai.exercise_url"),
        ('min_level = "blue"', 'min_level = "high"', "neighbour.huailai.min_level"),
        ('basins = ["B01"]  ', "  ", "neighbour.huailai"),
        (
            "[[neighbour]]                        #",
            '[[neighbour]]\nid = "x"\nareas = ["A01"]\n[[neighbour]] #',
            "neighbour.x",
        ),
        ("[116.1, 40.6], [116.1, 40.9]]", "[116.1, 40.6]]", "neighbour.chicheng.border"),
        ("[116.1, 40.9]]", "[116.1, 99.0]]", "neighbour.chicheng.border"),
        ('listen = "127.0.0.1:8090"', 'listen = "8090"', "listen"),
        ('listen = "127.0.0.1:8090"', 'exercise_listen = "0.0.0.0:8090"', "exercise_listen"),
        ('listen = "127.0.0.1:8090"', "listen = 5", "listen"),
    ],
)
def test_each_fault_is_named_with_its_place(folder: Path, old: str, new: str, place: str) -> None:
    file = folder / "sources.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigError) as e:
        load(folder)
    assert any(place in (p.column, p.file) or place in p.column for p in e.value.problems), [
        str(p) for p in e.value.problems
    ]


@pytest.mark.parametrize("body", [b"", b"no certificate", b"\xff\xfe"])
def test_a_certificate_that_is_none_is_named(folder: Path, body: bytes) -> None:
    (folder / "weather.pem").write_bytes(body)
    with pytest.raises(ConfigError) as e:
        load(folder)
    assert {p.file for p in e.value.problems} == {"weather.pem"}


def test_a_source_may_write_its_own_topic_and_no_other(folder: Path) -> None:
    table = rights(load(folder), "live")
    assert table["source-weather"] == (("fengsui/live/yanqing/source/weather/cap",), ())
    assert "fengsui/live/yanqing/source/#" in table[INGEST].read
    assert "fengsui/live/yanqing/cap/#" in table[SEND].write
