"""What several tests use, by the one it was written for: table_skill."""

from pathlib import Path

import numpy as np

HEAD = "fire,i15,i30,total,steep,hit"
MAP = """\
[quantity]
intensity_15min = { column = "i15", unit = "mm/h" }
intensity_30min = { column = "i30", unit = "mm/h" }
storm_total = { column = "total", unit = "mm" }
burned_steep = { column = "steep", unit = "1" }
"""


def storms(n: int = 240, seed: int = 3, fires: int = 8) -> list[str]:
    """Rows whose chance is known: it rises with rain and with burnt ground."""
    rng = np.random.default_rng(seed)
    i15 = np.round(np.exp(rng.normal(2.8, 0.6, n)), 2)
    i30 = np.round(i15 * rng.uniform(0.6, 0.9, n), 2)
    total = np.round(i30 * rng.uniform(0.5, 3, n), 1)
    steep = np.round(rng.uniform(0, 1, n), 3)
    odds = -10 + 2 * np.log1p(i15) + 0.6 * np.log1p(total) + 3 * np.sqrt(steep)
    hit = rng.random(n) < 1 / (1 + np.exp(-odds))
    rows = zip(rng.integers(0, fires, n), i15, i30, total, steep, hit, strict=True)
    return [f"f{f},{a},{b},{c},{d},{int(h)}" for f, a, b, c, d, h in rows]


def put(folder: Path, rows: list[str], head: str = HEAD, map_: str = MAP) -> tuple[Path, Path]:
    table, columns = folder / "t.csv", folder / "map.toml"
    table.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    columns.write_text(map_, encoding="utf-8")
    return table, columns
