"""What several tests use, by the one it was written for: orders."""

from tests.support.districts import yanqing

DISTRICT = yanqing()
GROUP = DISTRICT.group_of_area["A01"]
AREAS = [a for a, g in DISTRICT.group_of_area.items() if g == GROUP and a in DISTRICT.areas]
GAUGES = sorted(
    {s for a in AREAS for s in DISTRICT.stations_of_area[a] if DISTRICT.stations[s].quantity == "rain"}
)[:4]  # fmt: skip
LATE_MIN = DISTRICT.rules.lateness_s // 60
