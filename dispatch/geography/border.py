"""Whether two areas touch. Pure."""

import shapely

Ring = tuple[tuple[float, float], ...]


def touches(border: Ring, polygon: Ring) -> bool:
    """Of two rings of (lon, lat), which may cross themselves; one without three points touches nothing."""
    if len(border) < 3 or len(polygon) < 3:
        return False
    theirs, ours = (shapely.make_valid(shapely.Polygon(x)) for x in (border, polygon))
    return bool(theirs.intersects(ours))
