"""An area, and a hazard of it, as a person names them on the command line."""

from config.language import Text, en, zh
from fengsui.run.setup import Setup
from stream.environment import Usage


def place(setup: Setup, area: str, hazard: str = "") -> None:
    """Raises Usage for an area that the district has not, with the id of one of that name; and for a
    hazard that the area does not know."""
    areas = setup.district.areas
    if area not in areas:
        named = [a.id for a in areas.values() if area in (a.name, a.name_en)]
        like = (
            Text(f"；是不是 {', '.join(named)}？", f"; did you mean {', '.join(named)}?")
            if named
            else f"：{' '.join(areas)}"
        )
        raise Usage(
            Text(
                f"{setup.district.id} 没有预警区 {area!r}{zh(like)}",
                f"there is no area {area!r} in {setup.district.id}{en(like)}",
            )
        )
    if hazard and hazard not in areas[area].hazards:
        raise Usage(
            Text(
                f"{area} 没有灾种 {hazard!r}，有：{', '.join(areas[area].hazards)}",
                f"{area} has no hazard {hazard!r}: {', '.join(areas[area].hazards)}",
            )
        )
