"""Where several places have few floods each, what is fitted rests on all of them together."""

from pathlib import Path

from bench.tune import written
from config.language import en, text_of
from skill.series.tune import tune


def test_three_places_with_two_floods_each_are_enough_for_a_forecast(tmp_path: Path) -> None:
    observations, events, many = written(tmp_path, 3, 200, 2)
    assert many >= 5
    heard: list[str] = []
    found = tune(
        observations,
        events,
        3600,
        tmp_path / "rules.toml",
        told=lambda w: heard.append(en(text_of(w))),
    )
    assert {"forecast from rain and level", "chance from rain and level"} <= {
        r["how"].split(" ", 1)[1] for r in found["rivals"]
    }
    assert "stage of 3 gauges" in heard
    assert "cross-validation once more, by stretches of time" in heard
