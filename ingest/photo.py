"""A person's photograph, made anew: upright, small, a JPEG, and nothing in it but the picture. The
place and the phone that its EXIF names are gone, and so is whatever else a file may hide.
"""

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from ingest.decode.reading import Rejected

MAX_BYTES = 8_000_000
_MAX_PIXELS = 64_000_000
_SIDE = 1600
_FORMATS = ("JPEG", "PNG", "WEBP")


def remade(body: bytes) -> bytes | Rejected:
    """The picture's JPEG; not a picture, too large, or a bomb: why not."""
    if len(body) > MAX_BYTES:
        return Rejected("oversize", f"照片 {len(body)} 字节 bytes, 上限 at most {MAX_BYTES}")
    try:
        with Image.open(io.BytesIO(body), formats=_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                return Rejected("bad_frame", f"{image.width}x{image.height} 太大 is too large")
            image.draft("RGB", (_SIDE, _SIDE))  # a JPEG is read at the size that is kept
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return Rejected("bad_frame", f"不是照片 not a picture: {', '.join(_FORMATS)}")
    upright.thumbnail((_SIDE, _SIDE))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=80)
    return out.getvalue()
