"""Malformed images generated from seeds, as in folders from the internet."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image

Random = np.random.Generator
Made = tuple[str, bytes]  # suffix and bytes
PNG = b"\x89PNG\r\n\x1a\n"


def malformed(seed: int, index: int) -> Made:
    """The suffix and the bytes of a malformed image, or of a valid one of a rare kind."""
    random = np.random.default_rng([seed, index])
    way = WAYS[index % len(WAYS)]
    return way(random)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(header: tuple[int, ...], pixels: bytes, before: bytes = b"") -> bytes:
    """A PNG with any header (width, height, depth, colour, 0, 0, interlace) and any bytes as pixels."""
    beginning = PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    return beginning + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def saved(image: Image.Image, form: str, options: Mapping[str, Any] = MappingProxyType({})) -> bytes:
    """The bytes of an image in a file format, with options of Pillow."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _image(random: Random, mode: str = "RGB") -> Image.Image:
    height, width = random.integers(1, 80, 2)
    colours = Image.fromarray(random.integers(0, 256, (height, width, 4), dtype=np.uint8).repeat(2, 0))
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 1 << 16, (height, width), dtype=np.uint16))
    if mode == "F":
        return Image.fromarray(random.normal(size=(height, width)).astype(np.float32))
    return colours.convert("RGB").convert(mode) if mode in ("P", "1", "CMYK") else colours.convert(mode)


def _whole(random: Random) -> tuple[str, bytearray]:
    """A valid image of a common kind."""
    form = ("PNG", "JPEG", "WEBP")[random.integers(3)]
    modes = {"PNG": ("L", "RGB", "RGBA", "P", "LA", "1", "I;16"), "JPEG": ("L", "RGB", "CMYK"), "WEBP": ("RGB", "RGBA")}
    mode = modes[form][random.integers(len(modes[form]))]
    options = {"progressive": True} if form == "JPEG" and random.integers(2) else {}
    options |= {"lossless": True} if form == "WEBP" and random.integers(2) else {}
    if random.integers(3) == 0:
        exif = Image.Exif()
        exif[0x0112], exif[0x010E] = int(random.integers(0, 12)), "x" * int(random.integers(40))
        options["exif"] = exif
    return f".{form.lower()}", bytearray(saved(_image(random, mode), form, options))


def odd_mode(random: Random) -> Made:
    """A valid image of a rare mode, often with a wrong suffix."""
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK", "F")
    mode = modes[random.integers(len(modes))]
    form = {"CMYK": "JPEG", "F": "TIFF"}.get(mode, "PNG")
    options = {"transparency": int(random.integers(256))} if mode == "P" else {}
    suffix = (".png", ".jpg", ".jpeg", ".webp", ".PNG")[random.integers(5)]
    return suffix, saved(_image(random, mode), form, options)


def other_format(random: Random) -> Made:
    """An image in an unsupported format, or a file that is no image."""
    form = ("GIF", "BMP", "TIFF", "ICO", "PPM", "text", "zip", "nothing", "noise")[random.integers(9)]
    made = {
        "text": b"<html>404 not found</html>" * int(random.integers(1, 50)),
        "zip": b"PK\x03\x04" + random.bytes(60),
        "nothing": b"",
        "noise": random.bytes(int(random.integers(1, 4_000))),
    }
    raw = made[form] if form in made else saved(_image(random), form)
    return (".png", ".jpg", ".webp")[random.integers(3)], raw


def truncated(random: Random) -> Made:
    """The first part of an image."""
    suffix, raw = _whole(random)
    return suffix, bytes(raw[: random.integers(len(raw))])


def flipped(random: Random) -> Made:
    """An image with some flipped bits."""
    suffix, raw = _whole(random)
    for place in random.integers(0, len(raw), random.integers(1, 9)):
        raw[place] ^= 1 << int(random.integers(8))
    return suffix, bytes(raw)


def holed(random: Random) -> Made:
    """Some bytes replaced by zeros or noise, removed, or repeated."""
    suffix, raw = _whole(random)
    start, length = int(random.integers(len(raw))), int(random.integers(1, 200))
    chunk_ = raw[start : start + length]
    new = (bytes(len(chunk_)), random.bytes(len(chunk_)), b"", bytes(chunk_) * 2)[random.integers(4)]
    raw[start : start + length] = new
    return suffix, bytes(raw)


def edited_beginning(random: Random) -> Made:
    """Some of the first bytes, those of the header, replaced."""
    suffix, raw = _whole(random)
    for place in random.integers(0, min(64, len(raw)), random.integers(1, 5)):
        raw[place] = (0, 255, 127, int(random.integers(256)))[random.integers(4)]
    return suffix, bytes(raw)


def edited_header(random: Random) -> Made:
    """A PNG whose header has another size, depth or colour type than its pixels, with a correct checksum."""
    width, height = (int(n) for n in random.integers(1, 64, 2))
    pixels = zlib.compress(random.bytes((3 * width + 1) * height))
    sides = [width, height, 0, 1, 2**31 - 1, 2**32 - 1, 65_535, 8_000, 1_000]
    header = (
        sides[random.integers(len(sides))],
        sides[random.integers(len(sides))],
        (1, 2, 4, 8, 16, 3, 0)[random.integers(7)],
        (0, 2, 3, 4, 6, 1, 7)[random.integers(7)],
        *(int(n) for n in random.integers(0, 2, 3)),
    )
    return ".png", png_of(header, pixels, chunk(b"PLTE", random.bytes(3 * int(random.integers(0, 257)))))


def bomb(random: Random) -> Made:
    """A small file that declares or contains something huge."""
    zeros = zlib.compress(bytes(40 << 20), 9)
    made: tuple[Callable[[], bytes], ...] = (
        lambda: png_of((65_535, 65_535, 8, 2, 0, 0, 0), zlib.compress(bytes(1_000))),
        lambda: png_of((65_535, 65_535, 1, 0, 0, 0, 1), zeros),
        lambda: png_of((8, 8, 8, 2, 0, 0, 0), zeros),
        lambda: png_of((8, 8, 8, 2, 0, 0, 0), zlib.compress(bytes(200)), chunk(b"zTXt", b"x\0\0" + zeros)),
        lambda: png_of((8, 8, 8, 2, 0, 0, 0), zlib.compress(bytes(200)), chunk(b"iCCP", b"x\0\0" + zeros)),
        lambda: png_of((8, 8, 8, 2, 0, 0, 0), zlib.compress(bytes(200)), chunk(b"tEXt", b"x\0y") * 20_000),
        lambda: png_of((8_000, 8_000, 1, 0, 0, 0, 0), zlib.compress(bytes(8_000 * 1_001), 9)),
        lambda: png_of((1, 60_000_000, 1, 0, 0, 0, 0), zlib.compress(bytes(1_000))),
        lambda: _huge_jpeg(),
        lambda: _large_exif(random),
    )
    return (".png", ".jpg")[random.integers(2)], made[random.integers(len(made))]()


def animated(random: Random) -> Made:
    """An animated PNG or WebP, intact or not."""
    form = ("PNG", "WEBP")[random.integers(2)]
    first, *others = (_image(random).resize((20, 30)) for _ in range(int(random.integers(2, 6))))
    raw = bytearray(saved(first, form, {"save_all": True, "append_images": others}))
    for place in random.integers(0, len(raw), random.integers(0, 4)):
        raw[place] ^= 255
    return f".{form.lower()}", bytes(raw)


def _huge_jpeg() -> bytes:
    raw = bytearray(saved(Image.new("RGB", (16, 16)), "JPEG"))
    at = raw.index(b"\xff\xc0") + 5
    raw[at : at + 4] = struct.pack(">HH", 65_535, 65_535)
    return bytes(raw)


def _large_exif(random: Random) -> bytes:
    """An image with megabytes of circular EXIF data."""
    notes = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8) + random.bytes(65_000)
    segment = b"\xff\xe1" + struct.pack(">H", 65_533) + notes[:65_531].ljust(65_531, b"\0")
    raw = saved(Image.new("RGB", (16, 16)), "JPEG")
    return raw[:2] + segment * int(random.integers(1, 60)) + raw[2:]


WAYS = (
    *(truncated, flipped, flipped, holed, odd_mode, edited_beginning),
    *(edited_header, truncated, bomb, flipped, animated, other_format, holed),
)
