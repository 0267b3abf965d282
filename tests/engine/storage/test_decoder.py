"""A picture that crashes, hangs or fills its decoder costs a sentence, and the next one opens."""

import io
import os
import signal
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest
from drawn import encoded, painting
from PIL import Image

from engine.spec.errors import Cancelled, EngineError, InputError
from engine.storage import decoder, decoder_process, decoder_talk, decoding_costs
from engine.storage.decoder import Decoder
from engine.storage.decoding import decoded_here
from engine.storage.decoding_costs import Needs
from engine.system import helpers
from engine.system.exchange import Exchange
from engine.system.helpers import Helper


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    """A decoder whose helper does what a file is called."""
    monkeypatch.setattr(decoder, "_MODULE", "hostile_helpers")
    return Decoder()


def ask(asked: Decoder, name: str) -> str | None:
    return asked.text(Path(name), name)


def test_the_helper_lives_on_from_one_file_to_the_next(hostile: Decoder) -> None:
    assert ask(hostile, "well.png") == ask(hostile, "well.png")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("crash.png", "crash.png makes its decoder crash."),
        ("killed.png", "There is not enough memory to open killed.png."),
        ("spin.png", "spin.png takes far too long to decode."),
        ("grow.png", "grow.png takes more memory than a picture of its size."),
        ("greedy.png", "greedy.png needs about 1125899.9 GB of memory to be opened, and"),
    ],
)
def test_what_a_file_does_to_its_helper_costs_a_sentence(
    hostile: Decoder, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    seconds = 0.5 if name == "spin.png" else 60.0
    monkeypatch.setattr(
        decoder_talk, "HEADER", Needs(result=0, memory=300_000_000, seconds=seconds)
    )
    before = ask(hostile, "well.png")
    with pytest.raises(InputError) as refused:
        ask(hostile, name)
    assert message in refused.value.message
    assert refused.value.remedy
    after = ask(hostile, "well.png")
    assert after not in (before, None)
    assert not psutil.pid_exists(int(before or 0))


def test_a_helper_that_waits_for_its_disk_is_given_up_when_nobody_waits(hostile: Decoder) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        hostile.text(Path("sleep.png"), "sleep.png", lambda: next(asked))
    assert ask(hostile, "well.png")


def test_whoever_waits_for_another_file_can_be_told_to_stop(hostile: Decoder) -> None:
    at_work, enough = threading.Event(), threading.Event()

    def keep_waiting() -> bool:
        at_work.set()
        return enough.is_set()

    def sleep() -> None:
        with pytest.raises(Cancelled):
            hostile.text(Path("sleep.png"), "sleep.png", keep_waiting)

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    at_work.wait()
    with pytest.raises(Cancelled):
        hostile.text(Path("well.png"), "well.png", lambda: True)
    enough.set()
    sleeper.join()


def test_a_helper_that_ended_while_it_was_idle_is_not_the_next_files_fault(
    hostile: Decoder,
) -> None:
    process = psutil.Process(int(ask(hostile, "well.png") or 0))
    process.kill()
    process.wait()
    assert ask(hostile, "well.png") not in (str(process.pid), None)


def test_a_helper_that_ends_just_when_it_is_asked_is_not_the_files_fault(
    hostile: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = psutil.Process(int(ask(hostile, "well.png") or 0))
    process.kill()
    process.wait()
    monkeypatch.setattr(Helper, "alive", True)
    assert ask(hostile, "well.png") not in (str(process.pid), None)


def test_where_no_process_can_be_begun_a_sentence_says_so(
    hostile: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(helpers.subprocess, "Popen", refuse)
    with pytest.raises(EngineError, match="Resource temporarily unavailable"):
        ask(hostile, "well.png")


def test_a_helper_that_cannot_begin_is_not_the_files_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoder, "_MODULE", "there_is_no_such_module")
    for _ in range(2):
        with pytest.raises(EngineError, match="No module named 'there_is_no_such_module'"):
            ask(Decoder(), "well.png")


def test_a_helper_that_begins_slowly_is_not_the_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "import time\nwhile time.process_time() < 0.6: pass\nfrom hostile_helpers import serve\n"
    (tmp_path / "slow_helpers.py").write_text(slow)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(decoder, "_MODULE", "slow_helpers")
    monkeypatch.setattr(decoder_talk, "HEADER", Needs(result=0, memory=300_000_000, seconds=0.3))
    assert ask(Decoder(), "well.png")


def test_bytes_that_lie_in_no_file_are_decoded_as_well(own: Decoder) -> None:
    for side in (64, 640, 32):
        assert own.picture(encoded(painting(side, side), "PNG"), "pasted").size == (side, side)
    with pytest.raises(InputError, match="empty"):
        own.picture(b"", "pasted")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a group of processes")
def test_ctrl_c_does_not_reach_the_helper(hostile: Decoder) -> None:
    helper = int(ask(hostile, "well.png") or 0)
    assert os.getpgid(helper) != os.getpgid(0)
    os.kill(helper, signal.SIGKILL)


def test_a_module_in_the_current_folder_does_not_stand_for_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(1)")
    painting().save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert Decoder().picture(Path("a.png"), "a.png").size == (64, 48)


def test_the_helper_ends_with_what_began_it(tmp_path: Path) -> None:
    helper = Helper("hostile_helpers")
    helper.say('{"name": "well"}')
    assert helper.heard(60)
    process = helper._process
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    painting().save(path)
    helper = decoder_process._Helper(Exchange(), io.StringIO())
    request = {"path": os.fsencode(path).hex(), "name": "a.png"}
    with helper._file(request) as file:
        assert file.read(1)
    with (
        pytest.raises(InputError, match=r"a\.png was changed while it was read"),
        helper._file(request),
    ):
        path.write_bytes(b"more")


def test_what_c_libraries_print_is_seen_by_nobody(
    own: Decoder, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(encoded(painting(), "TIFF", compression="tiff_lzw"))
    middle = len(data) // 2
    for at in range(middle, middle + 40):
        data[at] ^= 0x5A
    with pytest.raises(InputError):
        decoded_here(io.BytesIO(bytes(data)), "broken.tif")
    assert "Using code not yet in table" in capfd.readouterr().err
    with pytest.raises(InputError, match="decoder error"):
        own.picture(bytes(data), "broken.tif")
    assert capfd.readouterr() == ("", "")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *, bits: int, colour: int, chunks: bytes = b"") -> bytes:
    """A PNG of one colour, as small as that can be."""
    channels = {0: 1, 2: 3}[colour]
    row = 1 + (width * bits * channels + 7) // 8
    packed, rows = zlib.compressobj(6), bytes(row * 1000)
    left = row * height
    data = b""
    while left:
        data += packed.compress(rows[:left])
        left -= min(left, len(rows))
    data += packed.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )  # fmt: skip


@pytest.fixture(scope="module")
def own() -> Decoder:
    return Decoder()


BOMBS = {
    "bits.png": lambda: png_of(17_000, 17_000, bits=1, colour=0),
    "tall.png": lambda: png_of(30, 2_200_000, bits=8, colour=2),
    "lying.jpg": lambda: lying_jpeg(17_000),
}


def lying_jpeg(side: int) -> bytes:
    data = bytearray(encoded(painting(), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(data)


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_would_take_gigabytes_is_refused(own: Decoder, name: str) -> None:
    data = BOMBS[name]()
    assert len(data) < 2_000_000
    with pytest.raises(InputError, match="hardly anything is in it"):
        own.picture(data, name)


def test_a_lying_jpeg_below_the_limit_is_known_to_be_incomplete(own: Decoder) -> None:
    with pytest.raises(InputError, match="a part of the JPEG is missing"):
        own.picture(lying_jpeg(5000), "lying.jpg")


def test_half_a_million_chunks_do_not_hold_anyone_up(
    own: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_talk, "HEADER", Needs(result=0, memory=400_000_000, seconds=0.2))
    chunks = chunk(b"tEXt", b"a\0b") * 500_000
    with pytest.raises(InputError, match="takes far too long to decode"):
        own.picture(png_of(8, 8, bits=8, colour=2, chunks=chunks), "chunks.png")


def test_a_picture_that_does_not_fit_into_memory_is_refused_before_it_is_decoded(
    own: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_talk, "memory_available", lambda: 100_000_000)
    with pytest.raises(InputError, match=r"a\.png needs about 0\.2 GB of memory to be opened"):
        own.picture(encoded(painting(), "PNG"), "a.png")


@pytest.mark.parametrize(
    ("mode", "file_format", "options"),
    [
        ("RGB", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {}),
        ("RGB", "PNG", {"compress_level": 1}),
        ("RGBA", "PNG", {"compress_level": 1}),
        ("F", "TIFF", {}),
        ("RGB", "TIFF", {"compression": "tiff_lzw"}),
        ("RGB", "WEBP", {}),
        ("RGB", "AVIF", {"speed": 10}),
        ("P", "GIF", {}),
    ],
)
def test_decoding_takes_no_more_memory_than_its_header_foretells(
    mode: str, file_format: str, options: dict[str, object]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2000, 3000, 3), np.uint8)
    data = encoded(Image.fromarray(noise).convert(mode), file_format, **options)
    alone = Decoder()
    alone.picture(encoded(painting(), "PNG"), "small.png")
    assert alone._helper is not None
    before = alone._helper.memory
    needs = decoding_costs.needs_of(Image.open(io.BytesIO(data)), len(data))
    alone.picture(data, "large")
    status = Path(f"/proc/{alone._helper._process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not tell a process's peak")
    words = status.read_text().split()
    peak = 1024 * int(words[words.index("VmHWM:") + 1])
    assert peak - before < needs.memory
    assert needs.memory < 10 * (peak - before)
