"""How long a place needs from the order to move until its last people are at the shelter. Pure.

A district that has walked its own plan writes the minutes in areas.csv (`move_min`); nothing that is
reckoned comes near a measured time. Where it has not: people leave `START_MIN` after the order and walk
`shelter_m` (or `FAR_M`) at `WALK_M_S`, at night at `NIGHT` of that.

START_MIN, FAR_M: Miyagi prefecture's guideline for tsunami evacuation gives about 15 minutes until people
leave, and 500 m as the farthest to go on foot. WALK_M_S: those who fled the tsunami of 11 March 2011 on
foot made 38 m a minute (Japan's ministry of land and transport, survey of 2011). NIGHT: 80 % of the
day's speed (working group on the Nankai trough, first report, 2012). For mountain floods no such figures
were found; in rain and on slopes people are not faster.
"""

from config.records.district import Area

START_MIN = 15
FAR_M = 500
WALK_M_S = 38 / 60
NIGHT = 0.8


def move_needs_s(area: Area, *, night: bool) -> int:
    """Seconds from the order until everybody is safe.

    >>> from config.records.district import Area
    >>> import msgspec
    >>> plain = {f.name: "" for f in msgspec.structs.fields(Area) if f.required}
    >>> plain |= {"lon": 0.0, "lat": 0.0, "population": 100, "hazards": ()}
    >>> move_needs_s(Area(**plain), night=False) // 60, move_needs_s(Area(**plain), night=True) // 60
    (28, 31)
    >>> move_needs_s(Area(**plain | {"move_min": 12}), night=True) // 60
    12
    """
    if area.move_min is not None:
        return area.move_min * 60
    way = area.shelter_m if area.shelter_m is not None else FAR_M
    speed = WALK_M_S * (NIGHT if night else 1.0)
    return round(START_MIN * 60 + way / speed)


def is_upstairs_unsafe(area: Area, to_m: float) -> bool:
    """Whether to go upstairs (就地上楼) is no refuge there: where debris flows come, for they take houses, and
    where water stands deeper than `to_m` above the ground floor."""
    return "debris_flow" in area.hazards or (area.depth_m is not None and area.depth_m > to_m)
