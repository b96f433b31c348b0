"""What must be true of cameras.csv, and what a camera must be told before it can measure something."""

from typing import NamedTuple

from config.records.district import Camera

# quantity made of a camera's frames -> what cameras.csv must give for it
NEEDS: dict[str, tuple[str, ...]] = {
    "moving_share": (),
    "surface_speed": ("ground",),
    "image_speed": (),
    "front_speed": ("axis", "ground"),
    "image_front": ("axis",),
    "colour_shift": (),
    "water_line": ("staff",),
}


class Lacks(NamedTuple):
    """What a camera is not told."""

    camera: str
    what: tuple[str, ...]


def lacks(camera: Camera | None, name: str, quantity: str) -> Lacks | None:
    """None if this camera can measure it."""
    what = tuple(n for n in NEEDS[quantity] if camera is None or not camera.has(n))
    return Lacks(name, what) if what else None
