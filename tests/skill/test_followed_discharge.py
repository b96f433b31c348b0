"""The runoff model that starts from the measured discharge: what it is fitted to, what is left out, and that it
says live what it says over a record."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.window_rule import Floats
from detectors.water.runoff.flow_score import Basins, FlowScore, ahead, follow, hydrographs
from detectors.water.runoff.gr4h import Gr4h, run
from skill.series.fit import objective
from skill.series.joint.balance import BALANCE
from tests.support.discharge import fitted, with_discharge
from tests.support.examples import examples
from tests.support.kinds import SMALL
from tests.support.live_record import live_and_over_a_record

TRUE = Gr4h(area_km2=120.0, x1=250.0, x2=0.0, x3=40.0, x4=5.0, days=20, ahead_h=4)


def season(seed: int, days: int = 120) -> tuple[Floats, Floats]:
    """(hours,) what a gauge caught of rain that fell elsewhere too, a quarter more or less each storm, and the
    discharge that fell from it, m3/s."""
    rng = np.random.default_rng(seed)
    fell, caught = np.zeros(days * 24), np.zeros(days * 24)
    for at in range(48, days * 24 - 48, 72):
        at += int(rng.integers(0, 36))
        storm = rng.dirichlet(np.full(6, 4.0)) * rng.uniform(5, 60)
        fell[at : at + 6] += storm
        caught[at : at + 6] += storm * np.exp(rng.normal(0, 0.25))
    flow = run(TRUE, fell[None], np.full((1, fell.size), 0.1)).flow[0] * TRUE.area_km2 / 3.6
    return np.round(caught, 1), flow


def reached(counts: Floats) -> float:
    """The best of any threshold."""
    return float(objective(counts.sum(axis=1), 1.0).max())


def test_with_the_discharge_more_floods_are_foretold_than_by_rain_alone(tmp_path: Path) -> None:
    rain, flow = season(4, days=90)
    found = with_discharge(tmp_path, rain[None], flow, folds=3)
    alone = fitted(BALANCE, tmp_path, rain[None], flow, folds=3)
    assert found.held is not None
    assert alone.held is not None
    assert reached(found.held.counts) > 0.8
    assert reached(found.held.counts) > reached(alone.held.counts) + 0.1
    assert len(found.outer) == 3
    p = found.whole.candidates[0].parameters
    assert {"level", "flow_60min", "miss_60min"} <= p["weights"].keys()


def test_a_catchment_that_is_known_foretells_its_recession_exactly() -> None:
    """Set to the discharge, and with the catchment's own parameters, the model says what came."""
    rain, flow = season(5, days=40)
    rain = np.where(np.arange(rain.size) < 800, rain, 0)
    flow = run(TRUE, rain[None], np.full((1, rain.size), 0.1)).flow[0]
    b = Basins(TRUE.x1, TRUE.x2, TRUE.x3, *hydrographs([TRUE.x4]), TRUE.start_s)
    told = ahead(b, follow(b, rain[:, None], flow[:, None], 0.1), 6, 150)[:, :, 0]
    assert flow[-150:].min() > 0
    for k in range(1, 7):  # rain has stopped, so nothing is unknown
        np.testing.assert_allclose(told[k - 1, :-6], flow[-150:][k : k - 6 or None], rtol=0.03)


def test_in_hours_without_a_discharge_the_model_runs_on() -> None:
    rain, _ = season(6, days=40)
    flow = run(TRUE, rain[None], np.full((1, rain.size), 0.1)).flow[0]
    b = Basins(TRUE.x1, TRUE.x2, TRUE.x3, *hydrographs([TRUE.x4]), TRUE.start_s)
    gone = flow.copy()
    gone[-5:] = np.nan
    seen, unseen = (
        ahead(b, follow(b, rain[:, None], x[:, None], 0.1), 3, 1)[:, 0, 0] for x in (flow, gone)
    )
    np.testing.assert_allclose(unseen, seen, rtol=0.03)


@examples(8)
@given(st.integers(0, 10_000))
def test_it_says_live_what_it_says_over_a_record(seed: int) -> None:
    p: FlowScore = SMALL["flow_score"]
    live, record = live_and_over_a_record(
        "flow_score", p, "discharge", np.random.default_rng(seed), 70
    )
    np.testing.assert_allclose(live, record, rtol=1e-9)
