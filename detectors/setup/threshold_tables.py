"""Which rules there are and how a district's tables become their rows."""

from collections.abc import Callable, Iterable

from config.records.district import District, StageThreshold
from config.records.district import RainThreshold as RainRowOfTable
from detectors.rain.limit_table import Limits, RainRow
from detectors.rain.rain_threshold import RainThreshold
from detectors.water.stage_trend import StageRow, StageTrend


def _mm(value: float | None) -> int | None:
    return None if value is None else round(value * 10)


def _m(value: float | None) -> int | None:
    return None if value is None else round(value * 1000)


def rain_threshold(district: District, areas: Iterable[str]) -> RainThreshold:
    """The rain rule of some areas: a row for each area, hazard and gauge."""
    of_area: dict[str, list[RainRowOfTable]] = {}
    for row in district.rain:
        of_area.setdefault(row.area, []).append(row)
    rows = []
    for area in areas:
        tables: dict[str, dict[str, dict[int, Limits]]] = {}
        for t in of_area.get(area, ()):
            tables.setdefault(t.hazard, {}).setdefault(t.wetness, {})[t.window_min] = (
                (_mm(t.blue_mm), _mm(t.yellow_mm), _mm(t.orange_mm), _mm(t.red_mm)),
                (_mm(t.prepare_mm), _mm(t.move_mm)),
            )
        for hazard, table in tables.items():
            for name in district.stations_of_area[area]:
                station = district.stations[name]
                if station.quantity in ("rain", "rain_counter"):
                    interval = max(1, station.sum_interval_s // 60)
                    if station.quantity == "rain_counter":
                        interval = max(1, station.interval_s // 60)
                    rows.append(RainRow(area, hazard, name, table, interval))
    rule = district.rules.rain
    return RainThreshold(
        rows,
        hold_min=rule.hold_min,
        clear_factor=rule.clear_factor,
        event_gap_min=rule.event_gap_min,
        late_min=district.rules.lateness_s // 60,
        late_ends=rule.late_ends,
        decay=rule.antecedent_decay,
        antecedent_days=rule.antecedent_days,
        wet_above=round(rule.wet_above_mm * 10),
        dry_below=round(rule.dry_below_mm * 10),
    )


def stage_trend(district: District, areas: Iterable[str]) -> StageTrend:
    """The stage rule of some areas."""
    wanted = set(areas)

    def row(t: StageThreshold) -> StageRow:
        return StageRow(
            t.area,
            t.hazard,
            t.station,
            (_m(t.blue_m), _m(t.yellow_m), _m(t.orange_m), _m(t.red_m)),
            (_m(t.prepare_m), _m(t.move_m)),
            round(t.rise_m_per_h * 1000),
            t.ahead_min,
        )

    rule = district.rules.stage
    return StageTrend(
        [row(t) for t in district.stage if t.area in wanted],
        hold_min=rule.hold_min,
        clear_margin=round(rule.clear_margin_m * 1000),
        window_min=rule.window_min,
        min_points=rule.min_points,
        late_min=district.rules.lateness_s // 60,
    )


# rules over rows of thresholds; `silence` and `camera_motion` have no table
ROW_RULES: dict[str, Callable[[District, Iterable[str]], RainThreshold | StageTrend]] = {
    "rain_threshold": rain_threshold,
    "stage_trend": stage_trend,
}
