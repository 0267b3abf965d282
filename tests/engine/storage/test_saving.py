import errno
import itertools
import os
import stat
import tempfile
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from engine.spec.errors import InputError
from engine.spec.pictures import PictureRef
from engine.spec.request import Request, StyleRef
from engine.storage import saving
from engine.storage.formats import SUFFIXES
from engine.storage.images import open_picture
from engine.storage.naming import free_path, output_name
from engine.storage.recipes import Reading, Recipe, read_recipe
from engine.storage.saving import check_place, save_pixels

LOSSLESS = [".png", ".tif", ".tiff"]
PREDICTOR, HORIZONTAL_DIFFERENCES = 317, 2  # TIFF 6.0, section 14
RECIPE = Recipe(
    request=Request(
        content=PictureRef(name="Größe & <夜> 😀.jpg", sha256="a" * 64),
        styles=(StyleRef(name="x" * 255, sha256="b" * 64, weight=1 / 3),),
    ),
    size=(48, 32),
    steps=1,
    evaluations=1,
    seconds=0.1,
    complete=True,
)


def pastiche(height: int = 32, width: int = 48) -> np.ndarray:
    noise = np.random.default_rng(2).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_saved_picture_opens_with_its_pixels_recipe_and_profile(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"夜 pastiche{suffix}"
    save_pixels(pastiche(), path, recipe=RECIPE)
    opened = open_picture(path)
    assert np.abs(opened.pixels.astype(int) - pastiche()).mean() < (
        0.01 if suffix in LOSSLESS else 8
    )
    assert opened.notes == ()
    assert read_recipe(path) == Reading(RECIPE)
    with Image.open(path) as image:
        assert b"acsp" in image.info["icc_profile"]
    assert list(contents(tmp_path)) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_saved_without_a_recipe_has_none(tmp_path: Path, suffix: str) -> None:
    save_pixels(pastiche(), tmp_path / f"a{suffix}")
    assert read_recipe(tmp_path / f"a{suffix}") is None


@given(
    pixels=arrays(
        np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=20).map(lambda s: (*s, 3))
    ),
    suffix=st.sampled_from(LOSSLESS),
)
@settings(max_examples=30, deadline=None)
def test_lossless_formats_keep_every_pixel(pixels: np.ndarray, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        save_pixels(pixels, path, recipe=RECIPE)
        np.testing.assert_array_equal(open_picture(path).pixels, pixels)


def test_a_view_of_a_larger_array_is_saved_as_it_looks(tmp_path: Path) -> None:
    view = pastiche()[::-2, 5:40:3]
    save_pixels(view, tmp_path / "a.png")
    np.testing.assert_array_equal(open_picture(tmp_path / "a.png").pixels, view)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_quality_buys_likeness_with_bytes(tmp_path: Path, suffix: str) -> None:
    sizes, errors = [], []
    for quality in (20, 95):
        path = tmp_path / f"{quality}{suffix}"
        save_pixels(pastiche(), path, quality=quality)
        sizes.append(path.stat().st_size)
        errors.append(np.abs(open_picture(path).pixels.astype(int) - pastiche()).mean())
    assert sizes[0] < sizes[1]
    assert errors[0] > errors[1]


@pytest.mark.parametrize("quality", [1, 100])
def test_a_quality_at_either_end_is_accepted(tmp_path: Path, quality: int) -> None:
    save_pixels(pastiche(), tmp_path / "a.jpg", quality=quality)
    assert open_picture(tmp_path / "a.jpg").size == (48, 32)


def test_saturated_colours_do_not_bleed_into_each_other_in_a_jpeg(tmp_path: Path) -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    stripes[:, 1::2, 2] = 255
    save_pixels(stripes, tmp_path / "a.jpg")
    opened = open_picture(tmp_path / "a.jpg").pixels.astype(int)
    assert np.abs(opened - stripes).mean() < 10


def test_a_tiff_of_brushwork_is_no_longer_than_it_need_be(tmp_path: Path) -> None:
    save_pixels(pastiche(), tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as image:
        assert image.tag_v2[PREDICTOR] == HORIZONTAL_DIFFERENCES


@pytest.mark.parametrize("quality", [0, 101])
def test_an_impossible_quality_is_refused(tmp_path: Path, quality: int) -> None:
    with pytest.raises(InputError, match="quality"):
        save_pixels(pastiche(), tmp_path / "a.jpg", quality=quality)


def test_a_saved_file_is_as_public_as_any_other(tmp_path: Path) -> None:
    save_pixels(pastiche(), tmp_path / "a.png")
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.png", "plain")]
    assert modes[0] == modes[1]


def test_an_existing_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(InputError, match=r"a\.png exists already"):
        save_pixels(pastiche(), path)
    assert contents(tmp_path) == {"a.png": b"precious"}
    save_pixels(pastiche(), path, overwrite=True)
    assert open_picture(path).size == (48, 32)


def test_a_file_that_appears_while_saving_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    encode = saving._encoded

    def encode_slowly(*arguments: object) -> bytes:
        path.write_bytes(b"precious")
        return encode(*arguments)

    monkeypatch.setattr(saving, "_encoded", encode_slowly)
    with pytest.raises(InputError, match="exists already"):
        save_pixels(pastiche(), path)
    assert contents(tmp_path) == {"a.png": b"precious"}


def test_of_many_saving_to_one_name_exactly_one_succeeds(tmp_path: Path) -> None:
    outcomes: list[str] = []

    def save() -> None:
        try:
            save_pixels(pastiche(), tmp_path / "a.png")
            outcomes.append("saved")
        except InputError as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=save) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["a.png exists already."] * 7 + ["saved"]
    assert list(contents(tmp_path)) == ["a.png"]


@pytest.mark.parametrize("name", ["a", "a.xyz", "a.gif", ".png"])
def test_a_name_that_tells_no_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="which format"):
        save_pixels(pastiche(), tmp_path / name)
    assert contents(tmp_path) == {}


def test_a_missing_folder_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        save_pixels(pastiche(), tmp_path / "none" / "a.png")


def test_a_folder_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        save_pixels(pastiche(), tmp_path / "a.png", overwrite=True)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_name_too_long_for_the_disk_is_told_plainly(tmp_path: Path, overwrite: bool) -> None:
    with pytest.raises(InputError, match="name is too long"):
        save_pixels(pastiche(), tmp_path / ("x" * 260 + ".png"), overwrite=overwrite)
    assert contents(tmp_path) == {}


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_may_not_be_written_to_is_told_plainly(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="Nothing may be written"):
            save_pixels(pastiche(), tmp_path / "a.png")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "The disk is full; a.png was not saved."),
        (errno.EDQUOT, "The disk is full; a.png was not saved."),
        (errno.EROFS, "Nothing may be written to"),
        (errno.EACCES, "Nothing may be written to"),
        (errno.EIO, "a.png could not be saved: Input/output error."),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failing_disk_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, message: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "b.png").write_bytes(b"precious")
    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr("engine.storage.paths.move_to_free", fail)
        monkeypatch.setattr(Path, "replace", fail)
    for name, overwrite in (("a.png", False), ("a.png", True), ("b.png", True)):
        with pytest.raises(InputError) as refused:
            save_pixels(pastiche(), tmp_path / name, overwrite=overwrite)
        assert message.replace("a.png", name) in refused.value.message
        assert refused.value.remedy
    assert contents(tmp_path) == {"b.png": b"precious"}


@pytest.mark.parametrize(
    "refused", [["_rename_exclusively"], ["_rename_exclusively", "_link_and_unlink"]]
)
def test_a_file_system_that_knows_little_never_overwrites_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: list[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EPERM, "not here")

    for way in refused:
        monkeypatch.setattr(f"engine.system.renaming.{way}", fail)
    save_pixels(pastiche(), tmp_path / "a.png")
    assert np.array_equal(open_picture(tmp_path / "a.png").pixels, pastiche())
    monkeypatch.setattr("engine.storage.saving.check_place", lambda *_, **__: None)
    with pytest.raises(InputError, match="exists"):
        save_pixels(pastiche()[::-1].copy(), tmp_path / "a.png")
    assert np.array_equal(open_picture(tmp_path / "a.png").pixels, pastiche())


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_file_that_reads_back_otherwise_is_not_called_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr("engine.storage.paths.read_back", lambda file: file.read()[:-1] + b"?")
        with pytest.raises(InputError, match="was not saved"):
            save_pixels(pastiche(), tmp_path / f"a{suffix}", recipe=RECIPE)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("suffix", "fault"),
    [
        *itertools.product(SUFFIXES, ["half the file", "a missing row"]),
        *itertools.product(LOSSLESS, ["one pixel of another colour"]),
    ],
)
def test_an_encoder_that_failed_quietly_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, fault: str
) -> None:
    encode = saving._encoded

    def encode_wrongly(pixels: np.ndarray, *rest: object) -> bytes:
        if fault == "a missing row":
            return encode(pixels[:-1], *rest)
        if fault == "one pixel of another colour":
            pixels = pixels.copy()
            pixels[5, 7, 1] ^= 1
            return encode(pixels, *rest)
        data = encode(pixels, *rest)
        return data[: len(data) // 2]

    monkeypatch.setattr(saving, "_encoded", encode_wrongly)
    with pytest.raises(InputError, match="was not saved"):
        save_pixels(pastiche(), tmp_path / f"a{suffix}")
    assert contents(tmp_path) == {}


def test_a_lost_recipe_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = saving._encoded
    monkeypatch.setattr(
        saving,
        "_encoded",
        lambda pixels, kind, recipe, quality: encode(pixels, kind, None, quality),
    )
    with pytest.raises(InputError, match="was not saved"):
        save_pixels(pastiche(), tmp_path / "a.jpg", recipe=RECIPE)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(("suffix", "side"), [(".webp", 16384), (".jpg", 65501)])
def test_a_side_too_long_for_the_format_is_told_plainly(
    tmp_path: Path, suffix: str, side: int
) -> None:
    with pytest.raises(InputError, match="cannot be longer than"):
        save_pixels(np.zeros((1, side, 3), np.uint8), tmp_path / f"a{suffix}")
    with pytest.raises(InputError, match="cannot be longer than"):
        save_pixels(np.zeros((side, 1, 3), np.uint8), tmp_path / f"a{suffix}")
    save_pixels(np.zeros((1, side - 1, 3), np.uint8), tmp_path / f"a{suffix}")
    save_pixels(np.zeros((1, side, 3), np.uint8), tmp_path / "a.png")


def test_a_recipe_too_long_for_a_picture_is_told_plainly(tmp_path: Path) -> None:
    style = StyleRef(name="x" * 250, sha256="b" * 64)
    request = RECIPE.request.model_copy(update={"styles": (style,) * 240})
    endless = RECIPE.model_copy(update={"request": request})
    for suffix in SUFFIXES:
        with pytest.raises(InputError, match="recipe is too long"):
            save_pixels(pastiche(), tmp_path / f"a{suffix}", recipe=endless)
    assert contents(tmp_path) == {}


def name_of(folder: Path, **fields: object) -> str:
    given_fields = {"content": "c.jpg", "style": "s.jpg", "preset": "p", "size": (640, 480)}
    return output_name(folder, **{**given_fields, **fields}).name


def test_an_output_is_named_after_what_made_it(tmp_path: Path) -> None:
    name = name_of(tmp_path, content="Tübingen.jpg", style="night.v2.png", preset="Classic")
    assert name == "Tübingen_night.v2_Classic_640x480_001.png"
    assert name_of(tmp_path, content="", preset="", suffix=".tif") == "s_640x480_001.tif"


def test_an_output_name_is_always_free(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        path = tmp_path / name_of(tmp_path)
        assert path.name == f"c_s_p_640x480_{number:03}.png"
        path.touch()


@given(content=st.text(max_size=300), style=st.text(max_size=300), preset=st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_an_output_name_is_allowed_everywhere(content: str, style: str, preset: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = output_name(
            Path(folder), content=content, style=style, preset=preset, size=(16384, 16384)
        )
        assert path.parent == Path(folder)
        assert len(path.name.encode()) <= 255
        assert not set(path.name) & set('<>:"/\\|?*\0\n')
        assert path.name[0] not in " .-"
        assert path.name.endswith("16384x16384_001.png")
        path.touch()


def test_long_names_share_the_room(tmp_path: Path) -> None:
    name = name_of(tmp_path, content="夜" * 200 + ".jpg", style="short.jpg", preset="Classic")
    assert len(name.encode()) > 250
    assert name.endswith("夜_short_Classic_640x480_001.png")


@pytest.mark.parametrize("before", ["", "x", "xx"])
def test_a_long_name_is_never_cut_inside_a_character(tmp_path: Path, before: str) -> None:
    name = name_of(tmp_path, content=before + "夜" * 200)
    assert set(name.partition("_")[0]) <= set("x夜")


def test_a_name_is_written_with_whole_characters_whichever_way_it_was_spelt(
    tmp_path: Path,
) -> None:
    spelt = unicodedata.normalize("NFD", "Tübingen")
    assert name_of(tmp_path, content=spelt).startswith("Tübingen_")


def test_a_free_path_is_taken_as_it_is_and_a_taken_one_is_numbered(tmp_path: Path) -> None:
    path = tmp_path / "night.png"
    assert free_path(path) == path
    path.touch()
    assert free_path(path) == tmp_path / "night_001.png"
    (tmp_path / "night_001.png").touch()
    assert free_path(path) == tmp_path / "night_002.png"
    longest = tmp_path / ("x" * 251 + ".png")
    longest.touch()
    assert len(free_path(longest).name) == 255


def test_a_good_place_passes_and_stays_untouched(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(b"precious")
    check_place(tmp_path / "new.png")
    check_place(tmp_path / "old.png", overwrite=True)
    assert contents(tmp_path) == {"old.png": b"precious"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("old.png", "exists already"),
        ("folder.png", "is a folder"),
        ("a.xyz", "which format"),
        ("none/a.png", "There is no folder"),
        ("old.png/a.png", "There is no folder"),
        ("x" * 260 + ".png", "name is too long"),
    ],
)
def test_a_bad_place_is_refused_before_the_work(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "old.png").write_bytes(b"precious")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match=message):
        check_place(tmp_path / name)


def test_a_link_to_nothing_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "none")
    with pytest.raises(InputError, match="exists already"):
        check_place(tmp_path / "a.png")
    assert free_path(tmp_path / "a.png") == tmp_path / "a_001.png"


def test_a_folder_closed_to_writing_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="Nothing may be written"):
        check_place(tmp_path / "a.png")
