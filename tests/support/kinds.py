"""What several tests use, by the one it was written for: kinds."""

from typing import Any

from detectors.engine.window_rule import Kind
from detectors.rain.antecedent_rain import AntecedentRain
from detectors.rain.areal_intensity import ArealIntensity
from detectors.rain.areal_rain import ArealRain
from detectors.rain.cumulative_rain import CumulativeRain, RecentPriorRain
from detectors.rain.intensity_duration import IntensityDuration
from detectors.rain.peak_intensity import PeakIntensity
from detectors.rain.postfire_m1 import PostfireM1
from detectors.rain.storm.slope_chance import SlopeChance
from detectors.rain.storm.storm_score import StormScore
from detectors.statistics.moveout import Moveout
from detectors.water.flood_score import FloodScore
from detectors.water.level_and_rain import LevelAndRain
from detectors.water.level_forecast import LevelForecast
from detectors.water.runoff.flow_score import FlowScore
from detectors.water.runoff.gr4h import Gr4h
from detectors.water.runoff.unit_hydrograph import UnitHydrograph
from detectors.water.soil_and_rain import SoilAndRain
from detectors.water.travel_time import TravelTime

# small windows, so that a plain loop is quick
SMALL: dict[str, Any] = {
    "antecedent_rain": AntecedentRain(days=2, current_h=3),
    "areal_intensity": ArealIntensity(to_min=120, silent_min=30),
    "areal_rain": ArealRain(duration_min=60, silent_min=30),
    "cumulative_rain": CumulativeRain(over_h=6, slot_min=30),
    "recent_prior_rain": RecentPriorRain(recent_days=1, prior_days=2),
    "flood_score": FloodScore(
        zero_m=1.0,
        flood_m=7.0,
        power=0.5,
        weights={
            "level": 0.9,
            "level_squared": -0.1,
            "rise_120min": 1.5,
            "rain_180min": 0.02,
            "root_rain_60min": 0.05,
            "level_rain_120min": 0.01,
            "wet": 0.1,
        },
        unseen_min=60,
        unseen_intercept=0.1,
        unseen={"rain_180min": 0.03, "root_rain_60min": 0.02, "wet_rain_60min": 0.2, "wet": 0.1},
        days=1,
        silent_min=120,
    ),
    "level_and_rain": LevelAndRain(
        zero_m=1.0, flood_m=7.0, rise_weight=1.5, rain_min=180, rain_mm=12.0, silent_min=120
    ),
    "flow_score": FlowScore(
        zero_m=1.0,
        flood_m=7.0,
        area_km2=20.0,
        x1=300.0,
        x2=-0.1,
        x3=50.0,
        x4=3.3,
        start_by=0.1,
        usual_m3_s=2.0,
        intercept=0.1,
        weights={
            "level": 0.4,
            "rise_60min": 0.3,
            "rain_120min": 0.01,
            "flow_60min": 0.2,
            "flow_180min": 0.4,
            "miss_120min": 0.1,
            "miss_flow_60min": 0.2,
        },
        days=2,
        silent_h=2,
    ),
    "gr4h": Gr4h(area_km2=20.0, x1=300.0, x2=-0.1, x3=50.0, x4=3.3, days=2, ahead_h=3),
    "intensity_duration": IntensityDuration(to_min=120),
    "level_forecast": LevelForecast(
        reach=5.6, trend_min=10, lag_min=(30, 20), gain=(0.5, 0.7), memory_h=6, prior_n=2
    ),
    "moveout": Moveout(
        distance_m=(0, 40, 90),
        slow_m_s=1,
        fast_m_s=5,
        on=1.02,
        sta_s=6,
        lta_s=60,
        within_s=60,
        tolerance_s=2,
        together_s=2,
        min_share=0.3,
        village_m={"A01": 500},
    ),
    "peak_intensity": PeakIntensity(),
    "postfire_m1": PostfireM1(burned_steep=0.4, dnbr=0.3, soil_kf=0.2),
    "slope_chance": SlopeChance(
        to_min=120,
        silent_min=30,
        goes_on_min=0,
        near=0.2,
        intercept=-4.0,
        weights={
            "fallen": 1.0,
            "fallen_squared": -0.1,
            "goes_on": 0.5,
            "goes_on_squared": 0.1,
            "rain_5min": -0.2,
            "root_rain_15min": 0.8,
            "around_10min": 0.1,
            "root_around_30min": 0.5,
        },
    ),
    "soil_and_rain": SoilAndRain(rain_min=180, share=0.7, silent_min=120, soil_silent_min=240),
    "storm_score": StormScore(
        intercept=-9.0, weights={"intensity_15min": 1.0, "storm_total": 0.5}, gap_h=2, within_h=6
    ),
    "travel_time": TravelTime(lag_min=(30, 20), gain=(0.5, 0.7), downstream=True),
    "unit_hydrograph": UnitHydrograph(area_km2=20.0, memory_h=24, slot_min=30, cn=85.0),
}


def parameters(kind: Kind) -> Any:
    return SMALL.get(kind.name) or kind.parameters()
