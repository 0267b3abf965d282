import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.spec.choices import Start
from engine.spec.errors import InputError
from engine.spec.job import Job
from engine.spec.outcome import Pastiche
from engine.spec.pictures import StyleImage
from engine.spec.progress import Progress, Stage
from engine.spec.settings import DEFAULTS, Settings
from engine.storage.embedding import TEXT_LIMIT, xmp_packet
from engine.storage.images import picture_from_pixels
from engine.storage.recipes import (
    FORMAT,
    Ingredient,
    Recipe,
    StyleIngredient,
    read_recipe,
    recipe_of,
)

A, B = "a" * 64, "b" * 64
RECIPE = Recipe(
    settings=DEFAULTS,
    content=Ingredient(name="photo.jpg", sha256=A),
    styles=(StyleIngredient(name="night.jpg", sha256=B, weight=1.0),),
    network_sha256=A,
    size=(512, 384),
    steps=200,
    evaluations=210,
    seconds=12.5,
    complete=True,
)


def altered(**values: object) -> str:
    return json.dumps({**json.loads(RECIPE.to_json()), **values})


def with_setting(name: str, value: object) -> str:
    return altered(settings={**json.loads(RECIPE.to_json())["settings"], name: value})


hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\\"), max_size=255)
counts = st.integers(0, 2**53)
recipes = st.builds(
    Recipe,
    settings=st.builds(
        Settings,
        style_strength=st.floats(0, 1000),
        seed=st.integers(0, 2**31 - 1),
        start=st.sampled_from(Start),
        content_layers=st.sampled_from(["relu4_2:1", "relu4_2:0.1, conv5_1:2.5"]),
    ),
    content=st.none() | st.builds(Ingredient, name=names, sha256=hashes),
    styles=st.lists(
        st.builds(StyleIngredient, name=names, sha256=hashes, weight=st.floats(0, 1e9)),
        min_size=1,
        max_size=3,
    ).map(tuple),
    start=st.none() | st.builds(Ingredient, name=names, sha256=hashes),
    network_sha256=hashes,
    size=st.tuples(st.integers(1, 99999), st.integers(1, 99999)),
    steps=counts,
    evaluations=counts,
    seconds=st.floats(0, 1e9),
    complete=st.booleans(),
    preset=names,
)


@given(recipes)
@settings(max_examples=50, deadline=None)
def test_a_recipe_is_the_same_after_a_round_trip_through_json(recipe: Recipe) -> None:
    text = recipe.to_json()
    assert text.isascii()
    assert Recipe.from_json(text) == recipe


short = st.text(max_size=5)
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | short,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(short, inner, max_size=3),
    max_leaves=8,
)


@given(anything, st.sampled_from(sorted(Recipe.model_fields)))
@settings(max_examples=60, deadline=None)
def test_a_field_of_any_shape_is_a_recipe_or_an_input_error(value: object, field: str) -> None:
    try:
        recipe = Recipe.from_json(altered(**{field: value}))
    except InputError:
        return
    assert Recipe.from_json(recipe.to_json()) == recipe


@given(anything, st.sampled_from(sorted(Settings.model_fields)))
@settings(max_examples=60, deadline=None)
def test_a_setting_of_any_shape_is_a_recipe_or_an_input_error(value: object, name: str) -> None:
    try:
        recipe = Recipe.from_json(with_setting(name, value))
    except InputError:
        return
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is damaged"),
        ("Bake at 180 degrees.", "is damaged"),
        ("null", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        (RECIPE.to_json()[:-10], "is damaged"),
        ("[" * 100_000, "is damaged"),
        ('{"format":' * 100_000, "is damaged"),
        (altered(size=[0, 10]), "size"),
        (altered(size=[10]), "size"),
        (altered(steps="7"), "steps"),
        (altered(steps=True), "steps"),
        (altered(complete=1), "complete"),
        (altered(seconds=float("nan")), "seconds"),
        (altered(styles=[]), "styles"),
        (altered(network_sha256="xyz"), "network_sha256"),
        (altered(format=0), "format"),
        (altered(surprise=1), "surprise"),
        (altered(content={"name": "x", "sha256": A, "path": "/home/me"}), "path"),
        (altered(settings=[1, 2]), "settings"),
        (with_setting("style_strength", -1), "style_strength cannot be -1"),
        (with_setting("style_strength", float("inf")), "style_strength"),
        (with_setting("optimizer", "magic"), "optimizer cannot be 'magic'"),
        (with_setting("wand", 1), "There is no setting 'wand'"),
        (with_setting("style_layers", {"relu9_9": 1}), "relu9_9"),
    ],
)
def test_a_corrupt_recipe_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        Recipe.from_json(text, "night.png")
    assert message in refused.value.message
    assert "The recipe in night.png" in refused.value.message


def test_a_huge_wrong_value_does_not_fill_the_screen() -> None:
    with pytest.raises(InputError) as refused:
        Recipe.from_json(with_setting("optimizer", "x " * 20_000))
    assert len(refused.value.message) < 500


def test_a_recipe_of_a_newer_version_asks_for_an_update() -> None:
    with pytest.raises(InputError, match=r"newer version.*Update"):
        Recipe.from_json(altered(format=FORMAT + 1, unheard_of="field"))


def test_a_setting_that_is_not_named_takes_its_default() -> None:
    stored = json.loads(RECIPE.to_json())["settings"]
    del stored["smoothness"]
    assert Recipe.from_json(altered(settings=stored)).settings == DEFAULTS


@pytest.mark.parametrize("name", ["/home/me/photo.jpg", "C:\\Users\\me\\photo.jpg", "../photo.jpg"])
def test_a_recipe_never_names_a_folder(name: str) -> None:
    assert Ingredient(name=name, sha256=A).name == "photo.jpg"
    stored = Recipe.from_json(altered(content={"name": name, "sha256": A}))
    assert stored.content == Ingredient(name="photo.jpg", sha256=A)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    grey = np.full((4, 6, 3), 128, np.uint8)
    weights = tmp_path / "vgg19.safetensors"
    weights.write_bytes(b"network")
    styles = tuple(StyleImage(picture_from_pixels(grey + i, f"style {i}"), 1.0) for i in (1, 2))
    content = picture_from_pixels(grey, "photo.jpg")
    return Job(content, styles, DEFAULTS, weights, start=content)


@pytest.fixture
def pastiche() -> Pastiche:
    done = Progress(Stage.RUNNING, step=70, evaluations=75, seconds=3.5)
    retuned = DEFAULTS.changed(style_weight=7.0)
    return Pastiche(np.zeros((30, 40, 3), np.uint8), done, False, 0, retuned, (0.25, 0.75))


def test_the_recipe_of_a_job_tells_how_it_ended(job: Job, pastiche: Pastiche) -> None:
    recipe = recipe_of(job, pastiche, preset="Classic")
    assert recipe.settings.style_weight == 7.0
    assert [style.weight for style in recipe.styles] == [0.25, 0.75]
    assert [style.name for style in recipe.styles] == ["style 1", "style 2"]
    assert job.content is not None
    assert recipe.content == Ingredient(name="photo.jpg", sha256=job.content.sha256)
    assert (recipe.size, recipe.steps, recipe.evaluations) == ((40, 30), 70, 75)
    assert (recipe.seconds, recipe.complete, recipe.preset) == (3.5, False, "Classic")


def test_the_start_picture_is_told_only_where_it_was_used(job: Job, pastiche: Pastiche) -> None:
    assert recipe_of(job, pastiche).start is None
    started = replace(pastiche, settings=DEFAULTS.changed(start=Start.PICTURE))
    assert recipe_of(job, started).start == recipe_of(job, started).content


def test_the_networks_hash_follows_its_file(job: Job, pastiche: Pastiche) -> None:
    first = recipe_of(job, pastiche).network_sha256
    assert first == hashlib.sha256(b"network").hexdigest()
    job.network_weights.write_bytes(b"another network")
    assert recipe_of(job, pastiche).network_sha256 != first


def test_a_network_file_that_is_gone_costs_only_its_hash(job: Job, pastiche: Pastiche) -> None:
    job.network_weights.unlink()
    assert recipe_of(job, pastiche).network_sha256 is None


def test_a_picture_without_a_recipe_has_none(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".tif", ".webp", ".gif", ".bmp"):
        path = tmp_path / f"plain{suffix}"
        Image.new("RGB", (4, 4)).save(path)
        assert read_recipe(path) is None


def test_another_programs_xmp_is_no_recipe(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", xmp=b"<x:xmpmeta>not even XML")
    assert read_recipe(tmp_path / "a.jpg") is None


def test_a_recipe_that_another_program_rewrote_as_an_attribute_is_found(tmp_path: Path) -> None:
    text = RECIPE.to_json().replace('"', "&quot;")
    packet = f'<r xmlns:g="urn:gramarye:" g:recipe="{text}"/>'.encode()
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", xmp=packet)
    assert read_recipe(tmp_path / "a.jpg") == RECIPE


@pytest.mark.parametrize(
    "packet",
    [
        xmp_packet(RECIPE.to_json())[:-30],
        b'<!DOCTYPE r [<!ENTITY a "aaaa">]><r xmlns:g="urn:gramarye:"><g:recipe>&a;</g:recipe></r>',
        xmp_packet("Bake at 180 degrees."),
    ],
)
def test_a_damaged_packet_is_told_plainly(tmp_path: Path, packet: bytes) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", xmp=packet)
    with pytest.raises(InputError, match=r"The recipe in a\.jpg is damaged"):
        read_recipe(tmp_path / "a.jpg")


def test_a_recipe_too_long_to_be_ours_is_refused(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_itxt("gramarye", " " * (TEXT_LIMIT + 1))
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(InputError, match="too long"):
        read_recipe(tmp_path / "a.png")


def test_reading_the_recipe_of_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text(RECIPE.to_json())
    with pytest.raises(InputError, match="not a picture"):
        read_recipe(tmp_path / "notes.txt")
