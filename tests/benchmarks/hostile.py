"""Thousands of damaged and hostile pictures: does opening one ever cost more than a sentence?

    python -m tests.benchmarks.hostile [--count 10000] [--seed 1] [--json FILE]

Every picture is a small one of some format, mutated: bytes changed, cut, filled with zeros, parts
repeated, lengths and sizes in headers replaced; and bombs. Printed are, by kind of mutation, how
many opened, opened with a note and were refused, and what must not be: other exceptions, answers
after more than five seconds, processes above 1.5 GB, lines on stderr, incomplete files of
compressed formats that opened without a word.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image, PngImagePlugin

from engine.spec.errors import InputError
from engine.storage.images import open_picture
from engine.storage.recipes import read_recipe

SLOW_SECONDS, LARGE_BYTES = 5.0, 1_500_000_000

COMPRESSED = (".jpg", ".png", ".webp", ".avif", ".gif", ".heic", ".lzw.tif")
"""Endings of formats in which a missing part cannot be told from black by looking."""


@dataclass
class Tally:
    """What became of the pictures."""

    by_kind: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    incomplete: int = 0
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")

    def count(self, kind: str, ending: str) -> None:
        """One more that ended so."""
        self.by_kind.setdefault(kind, Counter())[ending] += 1


def main() -> int:
    """Open them all; the exit code says whether something happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--more", type=Path, help="a folder with more pictures to mutate")
    parser.add_argument("--json", type=Path, help="where to write all of it")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    seeds = {**drawn(), **(found(options.more) if options.more else {})}
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, listened() as said:
        for kind, suffix, data in hostile(seeds, options.count, chance):
            path = Path(folder) / f"hostile{suffix}"
            path.write_bytes(data)
            attempt(path, kind, tally)
            path.unlink()
    report(tally, said())
    if options.json:
        values = {**vars(tally), "stderr": said()}
        options.json.write_text(json.dumps(values, indent=1))
    return 1 if tally.faults or said() else 0


def attempt(path: Path, kind: str, tally: Tally) -> None:
    """Open one, and read its recipe, as the window does."""
    ending = "opened"
    name = f"{kind} {path.suffixes} {path.stat().st_size} bytes"
    forget_peaks()
    for work in (open_picture, read_recipe):
        begun = time.perf_counter()
        try:
            picture = work(path)
            if work is open_picture and picture.notes:
                ending = "noted"
        except InputError as error:
            if work is open_picture:
                ending = "refused"
            if "\n" in str(error) or len(str(error)) > 500:
                tally.faults.append(f"{name}: {error}")
        except BaseException as error:
            tally.faults.append(f"{name}: {error!r}")
            ending = "broke"
        taken = time.perf_counter() - begun
        tally.slowest = max(tally.slowest, (taken, name))
        if taken > SLOW_SECONDS:
            tally.faults.append(f"{name}: {taken:.1f} s")
    for process in processes():
        peak = peak_of(process)
        tally.largest = max(tally.largest, (peak, name))
        if peak > LARGE_BYTES:
            tally.faults.append(f"{name}: {peak / 1e9:.1f} GB")
    if kind in ("cut", "cut and closed", "zeros") and path.name.endswith(COMPRESSED):
        tally.incomplete += 1
        if ending == "opened":
            tally.silent.append(name)
    tally.count(kind, ending)


def processes() -> list[psutil.Process]:
    """This one and its helpers."""
    return [psutil.Process(), *psutil.Process().children(recursive=True)]


def forget_peaks() -> None:
    """Begin new peaks: what made the picture is not what opens it."""
    for process in processes():
        with contextlib.suppress(OSError):
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def peak_of(process: psutil.Process) -> int:
    """The most bytes that a process ever held."""
    try:
        words = Path(f"/proc/{process.pid}/status").read_text().split()
        return 1024 * int(words[words.index("VmHWM:") + 1])
    except (OSError, ValueError):
        return 0


class listened:  # noqa: N801 - used like a function
    """Catches what a person would see on stderr; called, it tells it."""

    def __enter__(self) -> Callable[[], str]:
        self._file = tempfile.TemporaryFile()
        sys.stderr.flush()
        self._before = os.dup(2)
        os.dup2(self._file.fileno(), 2)
        return self._told

    def __exit__(self, *_: object) -> None:
        os.dup2(self._before, 2)

    def _told(self) -> str:
        return os.pread(self._file.fileno(), 1 << 20, 0).decode(errors="replace")


def report(tally: Tally, said: str) -> None:
    """Print what became of them."""
    for kind, endings in sorted(tally.by_kind.items()):
        words = ", ".join(f"{count} {ending}" for ending, count in endings.most_common())
        print(f"{kind:16} {words}")
    known = tally.incomplete - len(tally.silent)
    share = 100 * known / max(1, tally.incomplete)
    print(f"incomplete       {known} of {tally.incomplete} refused or noted ({share:.1f} %)")
    for name, times in Counter(tally.silent).most_common(10):
        print(f"                 silent: {name}" + (f", {times} times" if times > 1 else ""))
    print(f"slowest          {tally.slowest[0]:.2f} s: {tally.slowest[1]}")
    print(f"largest process  {tally.largest[0] / 1e6:.0f} MB: {tally.largest[1]}")
    print(f"on stderr        {said!r}"[:500])
    print(f"faults           {len(tally.faults)}")
    for fault in tally.faults[:20]:
        print("   ", fault[:300])


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    """A picture as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def drawn() -> dict[str, bytes]:
    """Pictures of every format and mode to begin with."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    image = Image.fromarray(noise).resize((200, 150), Image.Resampling.BICUBIC)
    text = PngImagePlugin.PngInfo()
    text.add_itxt("gramarye", '{"format": 2}')
    exif = Image.Exif()
    exif[0x0112] = 6
    grey = image.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    values = Image.fromarray(np.asarray(grey).astype(np.float32) / 99)
    frames = [image, image.rotate(180)]
    rows: list[tuple[str, Image.Image, str, dict[str, object]]] = [
        ("a.jpg", image, "JPEG", {"exif": exif}),
        ("b.jpg", image, "JPEG", {"progressive": True}),
        ("c.jpg", image.convert("CMYK"), "JPEG", {}),
        ("d.jpg", grey, "JPEG", {"restart_marker_blocks": 4}),
        ("a.png", image, "PNG", {"pnginfo": text}),
        ("b.png", image.convert("RGBA"), "PNG", {}),
        ("c.png", image.convert("P"), "PNG", {}),
        ("d.png", grey.convert("1"), "PNG", {}),
        ("e.png", deep, "PNG", {}),
        ("f.png", image, "PNG", {"save_all": True, "append_images": frames}),
        ("a.tif", image, "TIFF", {}),
        ("a.lzw.tif", image, "TIFF", {"compression": "tiff_lzw"}),
        ("b.lzw.tif", image, "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("b.tif", values, "TIFF", {}),
        ("c.tif", deep, "TIFF", {}),
        ("d.tif", image.convert("CMYK"), "TIFF", {}),
        ("e.lzw.tif", grey.convert("1"), "TIFF", {"compression": "group4"}),
        ("f.lzw.tif", image, "TIFF", {"compression": "jpeg"}),
        ("a.webp", image, "WEBP", {"exif": exif}),
        ("b.webp", image, "WEBP", {"lossless": True}),
        ("c.webp", image, "WEBP", {"save_all": True, "append_images": frames}),
        ("a.avif", image, "AVIF", {}),
        ("a.gif", image.convert("P"), "GIF", {}),
        ("b.gif", image, "GIF", {"save_all": True, "append_images": frames}),
        ("a.bmp", image, "BMP", {}),
        ("b.bmp", grey, "BMP", {}),
    ]  # fmt: skip
    pictures = {name: encoded(picture, kind, **options) for name, picture, kind, options in rows}
    try:
        from pi_heif import register_heif_opener
    except ImportError:
        return pictures
    register_heif_opener()
    return pictures


def found(folder: Path) -> dict[str, bytes]:
    """The small pictures in a folder."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.stat().st_size < 300_000 and path.suffix != ".md"
    }


def hostile(
    seeds: dict[str, bytes], count: int, chance: random.Random
) -> Iterator[tuple[str, str, bytes]]:
    """So many hostile pictures: the kind of harm done, the file's ending, its bytes."""
    names = list(seeds)
    made = 0
    for suffix, data in bombs():
        made += 1
        yield "bomb", suffix, data
    for number in range(count - made):
        name = names[number % len(names)]
        kind = chance.choice(list(MUTATIONS))
        data = MUTATIONS[kind](seeds[name], chance)
        yield kind, "".join(Path(name).suffixes[-2:]), data


def _changed(data: bytes, chance: random.Random) -> bytes:
    own = bytearray(data)
    for _ in range(chance.choice((1, 2, 5, 20, 100))):
        own[chance.randrange(len(own))] = chance.randrange(256)
    return bytes(own)


def _header_changed(data: bytes, chance: random.Random) -> bytes:
    own = bytearray(data)
    for _ in range(chance.choice((1, 2, 5))):
        own[chance.randrange(min(len(own), 400))] = chance.choice((0, 1, 127, 128, 255))
    return bytes(own)


def _numbers_changed(data: bytes, chance: random.Random) -> bytes:
    own = bytearray(data)
    for _ in range(chance.choice((1, 2, 4))):
        at = chance.randrange(max(1, min(len(own) - 4, 600)))
        number = chance.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 20_000, 100_000))
        order = chance.choice("<>")
        own[at : at + 4] = struct.pack(f"{order}I", number)
    return bytes(own)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data))]


def _cut_and_closed(data: bytes, chance: random.Random) -> bytes:
    ends = {b"\xff\xd8": b"\xff\xd9", b"\x89P": data[-12:], b"GI": b"\0;"}
    return _cut(data, chance) + ends.get(data[:2], b"")


def _zeros(data: bytes, chance: random.Random) -> bytes:
    kept = chance.randrange(1, len(data))
    return data[:kept] + bytes(len(data) - kept)


def _hole(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:begin] + bytes(end - begin) + data[end:]


def _repeated(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:end] + data[begin:end] * chance.choice((1, 3, 30)) + data[end:]


def _without_a_part(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:begin] + data[end:]


def _foreign(data: bytes, chance: random.Random) -> bytes:
    head = chance.choice((b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"GIF89a"))
    return head + data[chance.randrange(len(data)) :]


MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "changed": _changed,
    "header": _header_changed,
    "numbers": _numbers_changed,
    "cut": _cut,
    "cut and closed": _cut_and_closed,
    "zeros": _zeros,
    "hole": _hole,
    "repeated": _repeated,
    "part missing": _without_a_part,
    "foreign head": _foreign,
}


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that take gigabytes or minutes where nobody looks first."""
    lying = bytearray(encoded(Image.new("RGB", (64, 64), "red"), "JPEG"))
    at = lying.index(b"\xff\xc0") + 5
    for side in (17_000, 7_900, 5_000):
        lying[at : at + 4] = struct.pack(">HH", side, side)
        yield ".jpg", bytes(lying)
    for width, height, bits, colour in ((17_000, 17_000, 1, 0), (30, 9_900_000, 8, 2),
                                        (7_900, 8_000, 8, 2), (7_900, 8_000, 8, 6),
                                        (16_000, 18_000, 16, 2)):  # fmt: skip
        yield ".png", _plain_png(width, height, bits, colour)
    values = Image.new("F", (7_900, 8_000))
    yield ".tif", encoded(values, "TIFF", compression="tiff_adobe_deflate")
    values = Image.new("F", (8_200, 8_200))
    yield ".tif", encoded(values, "TIFF", compression="tiff_adobe_deflate")
    small = encoded(Image.new("RGB", (8, 8)), "PNG")
    yield ".png", small[:33] + _chunk(b"tEXt", b"a\0b") * 500_000 + small[33:]
    yield ".png", small[:33] + _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8)))
    jpeg = encoded(Image.new("RGB", (64, 64)), "JPEG")
    yield ".jpg", jpeg[:2] + b"\xff" * 60_000_000 + jpeg[2:]
    packet = b"http://ns.adobe.com/xap/1.0/\0" + b"<a/>" * 16_000
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    yield ".jpg", jpeg[:2] + segment * 900 + jpeg[2:]
    yield ".jpg", _many_scans(3_000)
    gif = encoded(Image.new("P", (8, 8)), "GIF")
    comment = b"!\xfe" + (b"\xff" + b"x" * 255) * 200_000 + b"\0"
    yield ".gif", gif[:-1] + comment + b";"
    yield ".gif", gif[:13] + comment + gif[13:]
    yield ".tif", _many_strips(3_000_000)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _plain_png(width: int, height: int, bits: int, colour: int) -> bytes:
    channels = {0: 1, 2: 3, 6: 4}[colour]
    left = height * (1 + (width * bits * channels + 7) // 8)
    packed, data, zeros = zlib.compressobj(9), b"", bytes(1 << 22)
    while left:
        data += packed.compress(zeros[:left])
        left -= min(left, len(zeros))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    return head + _chunk(b"IDAT", data + packed.flush()) + _chunk(b"IEND", b"")


def _many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded(Image.new("L", (2_500, 2_500), 90), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def _many_strips(count: int) -> bytes:
    """A TIFF of one pixel a strip."""
    entries = {256: 1, 257: count, 258: 8, 259: 1, 262: 1, 277: 1, 278: 1}
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    after = 8 + 2 + 12 * (len(entries) + 2) + 4
    strips = [struct.pack("<HHII", tag, 4, count, after + 4 * count * number)
              for number, tag in enumerate((273, 279))]  # fmt: skip
    rows = sorted([*(table[i : i + 12] for i in range(0, len(table), 12)), *strips])
    rows.sort(key=lambda row: struct.unpack("<H", row[:2]))
    body = struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4)
    offsets = struct.pack("<I", 8) * count + struct.pack("<I", 1) * count
    return b"II*\0" + struct.pack("<I", 8) + body + offsets


if __name__ == "__main__":
    sys.exit(main())
