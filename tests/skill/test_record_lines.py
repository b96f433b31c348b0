"""A record that is read at once says what the library's reader of CSV makes of the same rows, whatever they
hold; times that many readings share are indexed as an array is; a record in no order is put in order."""

import doctest
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import en
from skill.report.district import observed
from skill.series.csv_text import SeriesFault
from skill.series.read import read_observations
from skill.series.record import lines
from skill.series.track import spans, step_s, track
from skill.verify import shared_times
from skill.verify.hindcast import Readings
from skill.verify.shared_times import SharedTimes
from tests.support.examples import examples

STATIONS = ["a", "b", "溪口", "a-station-with-quite-a-long-name-0123456789", "x" * 70, " a", ""]
VALUES = [
    "0.0",
    "1.25",
    "-3",
    "+4",
    ".5",
    "7.",
    "1e2",
    "nan",
    "",
    "12345678901234",
    "-0.04",
    "1,5",
    "0.05",
]
TIMES = [
    "2016-02-29T23:55:00Z", "2016-02-30T00:00:00Z", "2016-03-01T00:00:00+08:00", "2016-03-01 00:05:00Z",
    "2016-03-01T00:10:00", "2016-03-01T00:15:00.500Z", "2016-03-01T24:00:00Z", "2016-03-01T00:20:60Z", "x",
]  # fmt: skip
plain = st.tuples(
    st.sampled_from(["a", "b", "溪口"]),
    st.sampled_from(["rain", "stage"]),
    st.integers(0, 400).map(
        lambda k: f"2016-03-{1 + k // 288:02d}T{k // 12 % 24:02d}:{k % 12 * 5:02d}:00Z"
    ),
    st.integers(-50, 900).map(lambda k: f"{k / 10:.1f}"),
)
odd = st.tuples(
    st.sampled_from(STATIONS), st.sampled_from(["rain", "stage", "temp"]),
    st.sampled_from(TIMES), st.sampled_from(VALUES),
)  # fmt: skip


def same(a: Readings, b: Readings) -> None:
    assert sorted(a.pairs) == sorted(b.pairs)
    for pair in a.pairs:
        one, two = a.of(*pair), b.of(*pair)
        np.testing.assert_array_equal(a.at[one], b.at[two])
        np.testing.assert_array_equal(a.counts[one], b.counts[two])


@examples(60)
@given(
    rows=st.lists(plain, min_size=60, max_size=90),
    odds=st.lists(st.tuples(st.integers(0, 60), odd), max_size=3),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_it_says_what_a_reader_of_csv_says(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, ...]],
    odds: list[tuple[int, tuple[str, ...]]],
    end: str,
    last: bool,
) -> None:
    folder = tmp_path_factory.mktemp("record")
    for at, row in odds:
        rows.insert(at, row)
    texts = [",".join(r) for r in rows]
    quick = folder / "o.csv"
    quick.write_bytes((end.join(["station,quantity,time,value", *texts]) + end * last).encode())
    slow = folder / "slow" / "o.csv"  # a comment's column: no plain line
    slow.parent.mkdir()
    with_more = ["station,quantity,time,value,more", *(f"{t},-" for t in texts)]
    slow.write_bytes((end.join(with_more) + end).encode())
    (one, notes), (two, expected) = read_observations(quick), read_observations(slow)
    same(one, two)
    told, wanted = (sorted(en(n).split(", first")[0] for n in x) for x in (notes, expected))
    assert told == wanted


def test_quotes_returns_marks_and_archives_are_read(tmp_path: Path) -> None:
    rows = [f"a,rain,2016-03-01T{h:02d}:00:00Z,{h}.5" for h in range(24)]
    text = "\n".join(["station,quantity,time,value", *rows]) + "\n"
    forms = {
        "plain": text.encode(),
        "mark": b"\xef\xbb\xbf" + text.encode(),
        "quoted": text.replace("a,rain,2016-03-01T05", '"a",rain,2016-03-01T05').encode(),
        "returns": text.replace("\n", "\r").encode(),
        "packed": gzip.compress(text.encode()),
    }
    found = {}
    for name, body in forms.items():
        (tmp_path / name).write_bytes(body)
        found[name] = read_observations(tmp_path / name)[0]
        same(found[name], found["plain"])
    (tmp_path / "other").write_bytes(text.encode() + b"a,rain,\xff\xfe,1\n")
    with pytest.raises(SeriesFault, match="UTF-8"):
        read_observations(tmp_path / "other")


def test_many_stations_at_one_time_keep_it_once(tmp_path: Path) -> None:
    rows = [
        f"g{k},rain,2016-03-{d:02d}T{h:02d}:00:00Z,{(k + h) % 5}.0"
        for d in range(1, 4) for h in range(24) for k in range(8)
    ]  # fmt: skip
    (tmp_path / "o.csv").write_text(
        "station,quantity,time,value\n" + "\n".join(rows) + "\n", "utf-8"
    )
    found, notes = read_observations(tmp_path / "o.csv")
    assert isinstance(found.at, SharedTimes)
    assert not notes
    assert found.of("g3", "rain").tolist() == list(range(3, 576, 8))
    t = track(found, "g3", "rain", step_s(found, "g3", "rain"), "max")
    assert observed(found, "g3", "rain") == spans(t)
    turned = rows[:96] + rows[104:112] + rows[96:104] + rows[112:]
    (tmp_path / "t.csv").write_text(
        "station,quantity,time,value\n" + "\n".join(turned) + "\n", "utf-8"
    )
    other, notes = read_observations(tmp_path / "t.csv")
    same(found, other)
    assert any("put in order" in en(n) for n in notes)


def test_a_value_that_a_later_row_corrects_is_not_told_as_out_of_range(tmp_path: Path) -> None:
    rows = [f"a,rain,2016-03-01T{h:02d}:00:00Z,0.5" for h in range(24)]
    rows[3:3] = ["a,rain,2016-03-01T03:00:00Z,99999.0"]
    rows += ["a,rain,2016-03-02T00:00:00Z,99999.0"]
    (tmp_path / "o.csv").write_text(
        "station,quantity,time,value\n" + "\n".join(rows) + "\n", "utf-8"
    )
    notes = [en(n) for n in read_observations(tmp_path / "o.csv")[1]]
    assert [n.split(" outside")[0] for n in notes if "outside" in n] == ["a rain: 1 values"]


@examples(60)
@given(
    runs=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    cut=st.tuples(st.integers(-30, 30), st.integers(-30, 30)),
)
def test_shared_times_are_indexed_as_an_array(runs: list[int], cut: tuple[int, int]) -> None:
    values = np.arange(len(runs), dtype=np.int64) * 10
    whole = np.repeat(values, runs)
    m = SharedTimes(values, np.append(0, np.cumsum(runs)[:-1]), whole.size)
    np.testing.assert_array_equal(m[slice(*cut)], whole[slice(*cut)])
    some = np.arange(whole.size)[::-2]
    np.testing.assert_array_equal(m[some], whole[some])
    assert m[-1] == whole[-1]
    assert (m + 7)[0] == whole[0] + 7


@pytest.mark.parametrize("module", [lines, shared_times])
def test_the_examples_in_the_texts_run(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted
    assert not found.failed


def test_names_keep_their_numbers_whichever_block_brings_them() -> None:
    """Names are learnt a block at a time; each keeps the number of the order in which it came."""
    found = lines.Lines(lambda station, _: station != "unknown")
    names = [f"g{n * 7919 % 1000:03d}" for n in range(1000)]
    seen = []
    for begin in range(0, 1000, 90):
        mine = ["unknown", *names[begin : begin + 90], *names[:begin:17]]
        block = "".join(f"{name},rain,2016-01-01T00:00:00Z,1.5\n" for name in mine).encode()
        read = found.read(block)
        assert read is not None
        assert read.odd.tolist() == [0]
        seen += [found.pairs[k][0] for k in read.which.tolist()[1:]]
        assert seen[-len(mine) + 1 :] == mine[1:]
    assert [station for station, _ in found.pairs] == names
