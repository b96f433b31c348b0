"""The parameters of rules: rules.toml as it is loaded."""

from typing import Any

import msgspec

from config.records.level import Action, Level
from config.records.row import Row


class RainRule(Row, frozen=True, kw_only=True):
    """Parameters of `rain_threshold`."""

    hold_min: int = 60
    clear_factor: float = 0.7  # clear when every sum is below this part of its threshold
    event_gap_min: int = 240  # so long without rain ends the event: older rain holds no level
    late_ends: bool = (
        True  # judge a late value at every window end it touches, not at the head only
    )
    antecedent_decay: float = 0.85  # per day
    antecedent_days: int = 15
    wet_above_mm: float = 50.0
    dry_below_mm: float = 15.0
    speaks: bool = True  # false: heard only by compound rules, as those of `[[rule]]`


class StageRule(Row, frozen=True, kw_only=True):
    """Parameters of `stage_trend`."""

    hold_min: int = 60
    clear_margin_m: float = 0.2
    window_min: int = 30
    min_points: int = 5
    speaks: bool = True


class CameraRule(Row, frozen=True, kw_only=True):
    """Parameters of `camera_motion`, and of how every camera is looked through (`camera_sight`)."""

    hold_min: int = 20
    moving_share: float = 0.25  # of the region of interest that moves
    frames: int = 2  # consecutive frames that must agree
    dark_below: float = 18.0  # mean grey level, 0–255
    blurred_below: float = 15.0  # variance of the Laplacian
    fogged_below: float = 40.0  # grey levels between the 5th and 95th percentile
    moved_share: float = 0.03  # of the picture's width
    frozen_frames: int = 5
    blind_frames: int = 2  # so many bad frames in a row before it is told blind
    see_frames: int = 3  # so many good ones before it is told to see again
    pair_s: float = 2.0  # frames further apart show no speed
    usual_h: int = 6  # what the colour of the water is compared with
    level: Level = Level.YELLOW
    action: Action = Action.PREPARE
    hazard: str = "debris_flow"


class SilenceRule(Row, frozen=True, kw_only=True):
    """Parameters of `silence`."""

    min_live_share: float = 0.5  # below it an area's evidence is thin
    grace_s: int = 0  # after the start, before a station never seen counts as silent


class Climate(Row, frozen=True, kw_only=True):
    """One `[[quality.climate]]`: the most rain that falls in so many minutes in these months."""

    months: tuple[int, ...]
    minutes: tuple[float, ...]
    most_mm: tuple[float, ...]
    source: str


class QualityRule(Row, frozen=True, kw_only=True):
    """Parameters of the quality tests that need memory or neighbours (QARTOD)."""

    climate: tuple[Climate, ...] = ()  # months without one: the world's records

    stage_rate_m_per_min: float = 1.0
    stage_spike_m: float = 1.5
    stage_flat_min: int = 720
    stage_step_m: float = 0.4  # out of rest, with no rain near: not by so much at once
    stage_fall_m_per_min: float = 0.06
    stage_move_m: float = 0.1  # a level that jumped and then moves so much is water
    stage_calm_h: float = 6.0  # in calm a new datum is taken after so long
    stage_wet_mm: float = 3.0  # of rain near in the last hour: a step may be a flood
    rain_extreme_mm_10min: float = 40.0  # above it a neighbour should agree
    rain_neighbour_share: float = 0.1  # of its sum, at the best neighbour, over as long
    neighbour_km: float = 12.0
    clog_near_mm: float = 10.0  # in an hour, at each of the nearest gauges
    clog_share: float = 0.15  # of the driest of them: with less a gauge is clogged
    undercatch_near_mm: float = 25.0  # in a day, at each of the nearest gauges
    undercatch_share: float = 0.35  # of the driest of them: with less a gauge catches too little
    undercatch_much: float = 0.5  # the same from twice that rain on
    undercatch_ends: float = 0.6  # with so much it is well again
    fill_near_mm: float = (
        2.0  # at two of the nearest since its last rain: what it missed is laid in
    )


class ObserverRule(Row, frozen=True, kw_only=True):
    """Parameters of `observer`: what people's reports say of an area."""

    trusted: tuple[str, ...] = ("observer", "responsible")  # roles of contacts.csv that count
    valid_min: int = 60  # a report counts for so long
    one_level: Level = Level.YELLOW  # one person alone: suspect, 准备转移 at the most
    one_action: Action = Action.PREPARE
    two_level: Level = Level.ORANGE  # two persons
    two_action: Action = Action.MOVE
    # may two persons who both wrote by SMS be two? false: the sender of an SMS can be forged, so that
    # one of them must come by a personal link or an app, or an instrument must confirm
    sms_confirms: bool = True
    confirmed_level: Level = Level.ORANGE  # one person and an instrument
    confirmed_action: Action = Action.MOVE
    # what is reported -> of which hazards it is a sign; a report of damage is told and says nothing
    hazards: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: {
            "report_flood": ("flash_flood", "river_flood"),
            "report_debris_flow": ("debris_flow",),
            "report_landslide": ("debris_flow",),
        }
    )


class RuleRow(Row, frozen=True, kw_only=True):
    """One `[[rule]]` of rules.toml: a kind of `detectors` with its parameters and thresholds.

    Thresholds are in the kind's own unit (docs/rules.md); None where the rule says nothing about
    that level. With stations left away, every station of an area that measures `quantity` counts.
    """

    id: str
    kind: str
    hazard: str
    source: str
    areas: tuple[str, ...] = ("*",)  # every area that has the hazard
    stations: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()  # of `stations`; away: by distance where the kind is joint
    quantity: str = "rain"
    beside: dict[str, tuple[str, ...]] = {}  # quantity: stations, of kinds that take several
    blue: float | None = None
    yellow: float | None = None
    orange: float | None = None
    red: float | None = None
    prepare: float | None = None
    move: float | None = None
    hold_min: int = 60
    clear: float = 0.7  # a level is held until the value is this part of its threshold
    speaks: bool = True  # false: heard only by compound rules
    parameters: dict[str, Any] = {}


class Rules(Row, frozen=True, kw_only=True):
    """rules.toml."""

    rain: RainRule = RainRule()
    stage: StageRule = StageRule()
    camera: CameraRule = CameraRule()
    silence: SilenceRule = SilenceRule()
    quality: QualityRule = QualityRule()
    observer: ObserverRule = ObserverRule()
    lateness_s: int = 1800
    # which rules a district runs, by name
    run: tuple[str, ...] = ("rain_threshold", "stage_trend", "camera_motion", "silence")
    rule: tuple[RuleRow, ...] = ()
