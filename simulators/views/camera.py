"""A rendered picture of a gully: a stream that swells and turns muddy with the flow, and a surge when
debris comes down. Seeded noise, by night in infrared grey, never the same bytes twice. A scene whose
speeds and stages are known is in `simulators.views.gully`."""

import io

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 320, 240
# red, green, blue of each, about 1
_ROCK, _CLEAR, _MUDDY = (1.04, 1.0, 0.92), (0.92, 1.05, 1.0), (1.3, 1.0, 0.62)


def render(seed: int, minute: int, flow: float, surge: bool, hour: float) -> bytes:
    """JPEG of minute `minute`; flow in parts of a full channel, `hour` of the local day."""
    rng = np.random.default_rng([seed, minute])
    scene = np.random.default_rng(seed)
    light = 0.45 + 0.55 * max(0.0, np.sin(np.pi * (hour - 5.0) / 14.0)) if 5 < hour < 19 else 0.45
    rocks = 70 + 60 * scene.random((HEIGHT // 8, WIDTH // 8))
    image = np.kron(rocks, np.ones((8, 8))).astype(
        np.float64
    )  # rocks and scrub, the same each time
    middle, half = WIDTH // 2, int(18 + 50 * min(flow, 1.4))
    rows = np.arange(HEIGHT)[:, None]
    columns = np.arange(WIDTH)[None, :]
    bank = middle + 14 * np.sin(rows / 37.0)
    water = (np.abs(columns - bank) < half * (0.5 + rows / HEIGHT)) & (rows > HEIGHT // 4)
    image = np.where(water, 95 + rng.normal(0, 4, image.shape), image)
    if surge:  # boulders and foam, everywhere else each frame
        blocks = np.kron(rng.uniform(20, 235, (HEIGHT // 12, WIDTH // 10)), np.ones((12, 10)))
        wide = np.abs(columns - bank) < 95
        image = np.where(wide & (rows > HEIGHT // 4), blocks, image)
    image = image * light * 1.5 + rng.normal(0, 2, image.shape)
    if 5 < hour < 19:
        mud = min(1.0, flow)
        wet = np.array(_MUDDY if surge else _CLEAR) * (1 - mud) + np.array(_MUDDY) * mud
        image = image[..., None] * np.where(water[..., None], wet, np.array(_ROCK))
    out = io.BytesIO()
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=70)
    return out.getvalue()
