"""A camera's picture: a JPEG of at most 2 MB, its time in the topic."""

import io

from PIL import Image

from config.language import Text
from stream.records import Rejected

MAX_BYTES = 2_000_000
MAX_PIXELS = 20_000_000


def check_frame(payload: bytes) -> Rejected | None:
    """None if the bytes are a picture that can be looked at. Its size is what its head says: nothing
    is unpacked."""
    if len(payload) > MAX_BYTES:
        return Rejected(
            "oversize",
            Text(
                f"{len(payload)} 字节，上限 {MAX_BYTES}",
                f"{len(payload)} bytes, at most {MAX_BYTES}",
            ),
        )
    try:
        with Image.open(io.BytesIO(payload), formats=("JPEG",)) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        return Rejected("bad_frame", Text("图像头说它太大", "its head says that it is too large"))
    except Exception as e:  # noqa: BLE001  # what the library raises of broken bytes is not written down
        return Rejected(
            "bad_frame", Text(f"不是 JPEG：{type(e).__name__}", f"not a JPEG: {type(e).__name__}")
        )
    if width * height > MAX_PIXELS:
        return Rejected(
            "bad_frame", Text(f"{width}x{height} 太大", f"{width}x{height} is too large")
        )
    return None
