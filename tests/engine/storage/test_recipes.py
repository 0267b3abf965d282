"""What made a picture: told, carried inside it, and read without trusting it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from computings import HOST
from flowing import FLOWING
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.spec.choices import Device, NetworkName, Precision, Start
from engine.spec.errors import InputError, NewerFormatError
from engine.spec.events import Place, Retuned, RolledBack, SmallerTiles, Stopped
from engine.spec.orientations import UPRIGHT
from engine.spec.outcome import Ending, Outcome, Pastiche
from engine.spec.pictures import PictureRef
from engine.spec.plan import Plan
from engine.spec.progress import Progress, Stage
from engine.spec.request import Request, StyleRef
from engine.spec.scales import Scale
from engine.spec.settings import DEFAULTS, Settings
from engine.spec.tiles import Tiling
from engine.storage.embedding import TEXT_LIMIT, fits, xmp_packet
from engine.storage.recipes import Reading, Recipe, parse_recipe, read_recipe, recipe_of

FORMAT_1 = Path(__file__).resolve().parents[2] / "data" / "format1"

A, B = "a" * 64, "b" * 64
PLAN = Plan(
    settings=DEFAULTS.changed(
        network=NetworkName.VGG19, device=Device.CPU, precision=Precision.FLOAT32
    ),
    network_file="",
    network_sha256=A,
    computing=HOST,
    orientations=(UPRIGHT,),
    tiling=Tiling(192, 4),
    scales=(Scale(canvas=(512, 384), styles=((512, 512),), steps=200),),
    bytes=1000,
)
EVENTS = (
    Retuned(
        at=Place(scale=1, step=3),
        settings={"style_strength": 2.0, "style_layers": {"relu1_1": 1.0}},
        shares=(1.0,),
    ),
    RolledBack(at=Place(scale=1, step=7)),
    SmallerTiles(at=Place(scale=1, step=9), tiling=Tiling(96), ran_out=True),
)
RECIPE = Recipe(
    request=Request(
        content=PictureRef(name="photo.jpg", sha256=A, size=(800, 600)),
        styles=(StyleRef(name="night.jpg", sha256=B, size=(500, 500)),),
    ),
    plan=PLAN,
    events=EVENTS,
    size=(512, 384),
    steps=200,
    evaluations=210,
    seconds=12.5,
    complete=True,
)


def stored() -> dict[str, Any]:
    return dict(json.loads(RECIPE.to_json()))


def altered(**values: object) -> str:
    return json.dumps({**stored(), **values})


def asking(**values: object) -> str:
    return altered(request={**stored()["request"], **values})


def with_setting(name: str, value: object) -> str:
    return asking(settings={**stored()["request"]["settings"], name: value})


hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\\"), max_size=255)
counts = st.integers(0, 2**53)
sizes = st.tuples(st.integers(1, 99999), st.integers(1, 99999))
pictures = st.builds(PictureRef, name=names, sha256=hashes, size=st.none() | sizes)
places = st.builds(Place, scale=counts, step=counts)
recipes = st.builds(
    Recipe,
    request=st.builds(
        Request,
        settings=st.builds(
            Settings,
            style_strength=st.floats(0, 1000),
            seed=st.integers(0, 2**31 - 1),
            start=st.sampled_from(Start),
            content_layers=st.sampled_from(["relu4_2:1", "relu4_2:0.1, conv5_1:2.5"]),
        ),
        content=st.none() | pictures,
        styles=st.lists(
            st.builds(StyleRef, name=names, sha256=hashes, weight=st.floats(0, 1e9)),
            min_size=1,
            max_size=3,
        ).map(tuple),
        start=st.none() | pictures,
    ),
    plan=st.none() | st.just(PLAN),
    events=st.lists(
        st.builds(Stopped, at=places)
        | st.builds(RolledBack, at=places)
        | st.builds(
            SmallerTiles,
            at=places,
            tiling=st.builds(Tiling, st.none() | st.integers(16, 999), st.integers(0, 4)),
            ran_out=st.booleans(),
        )
        | st.builds(
            Retuned,
            at=places,
            settings=st.just({"content_weight": 0.1}),
            shares=st.just((1.0,)),
        ),
        max_size=3,
    ).map(tuple),
    size=sizes,
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
    assert parse_recipe(text, "the file") == Reading(recipe)


short = st.text(max_size=5)
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | short,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(short, inner, max_size=3),
    max_leaves=8,
)


def survives(text: str) -> None:
    """A text is a recipe, which can be written and read again, or an `InputError`."""
    try:
        reading = parse_recipe(text, "the file")
    except InputError:
        return
    assert parse_recipe(reading.recipe.to_json(), "the file") == Reading(reading.recipe)


@given(anything, st.sampled_from(sorted(Recipe.model_fields)))
@settings(max_examples=60, deadline=None)
def test_a_field_of_any_shape_is_a_recipe_or_an_input_error(value: object, field: str) -> None:
    survives(altered(**{field: value}))


@given(anything, st.sampled_from(sorted(Request.model_fields)))
@settings(max_examples=60, deadline=None)
def test_a_request_of_any_shape_is_a_recipe_or_an_input_error(value: object, field: str) -> None:
    survives(asking(**{field: value}))


@given(anything, st.sampled_from(sorted(Plan.model_fields)))
@settings(max_examples=60, deadline=None)
def test_a_plan_of_any_shape_costs_at_most_itself(value: object, field: str) -> None:
    reading = parse_recipe(altered(plan={**stored()["plan"], field: value}), "the file")
    assert reading.recipe.request == RECIPE.request
    assert (reading.recipe.plan is None) == bool(reading.notes)


@given(anything, st.sampled_from(sorted(Settings.model_fields)))
@settings(max_examples=60, deadline=None)
def test_a_setting_of_any_shape_costs_at_most_itself(value: object, name: str) -> None:
    reading = parse_recipe(with_setting(name, value), "the file")
    found = reading.recipe.request.settings
    assert found == RECIPE.request.settings.changed(**{name: getattr(found, name)})


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
        (altered(seconds=float("nan")), "damaged"),
        (altered(format=0), "format"),
        (altered(surprise=1), "surprise"),
        (altered(events=[{"kind": "magic"}]), "events"),
        (asking(content={"name": "x", "sha256": "xyz"}), "sha256"),
        (asking(content={"name": "x", "sha256": A, "surprise": 1}), "surprise"),
    ],
)
def test_a_corrupt_recipe_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_recipe(text, "night.png")
    assert message in refused.value.message
    assert "The recipe in night.png" in refused.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (with_setting("style_strength", -1), "style_strength cannot be -1"),
        (with_setting("optimizer", "magic"), "optimizer cannot be 'magic'"),
        (with_setting("wand", 1), "wand"),
        (with_setting("style_layers", {"relu9_9": 1}), "relu9_9"),
        (with_setting("optimizer", "x " * 20_000), "optimizer"),
    ],
)
def test_a_setting_that_cannot_be_used_costs_only_itself(text: str, message: str) -> None:
    reading = parse_recipe(text, "night.png")
    assert reading.recipe.request == RECIPE.request
    (note,) = reading.notes
    assert message in note
    assert len(note) < 500


def test_a_recipe_of_a_newer_version_asks_for_an_update() -> None:
    newer = altered(format=stored()["format"] + 1, unheard_of="field")
    with pytest.raises(NewerFormatError, match=r"newer version.*Update"):
        parse_recipe(newer, "night.png")


def test_a_plan_of_a_newer_version_costs_only_itself() -> None:
    plan = {**stored()["plan"], "format": 99}
    reading = parse_recipe(altered(plan=plan), "night.png")
    assert reading.recipe.plan is None
    assert "newer version" in reading.notes[0]


def test_a_setting_that_is_not_named_takes_its_default() -> None:
    kept = stored()["request"]["settings"]
    del kept["smoothness"]
    assert parse_recipe(asking(settings=kept), "it").recipe.request.settings == DEFAULTS


@pytest.mark.parametrize("name", ["/home/me/photo.jpg", "C:\\Users\\me\\photo.jpg", "../photo.jpg"])
def test_a_picture_is_never_named_with_its_folder(name: str) -> None:
    assert PictureRef(name=name, sha256=A).name == "photo.jpg"
    reading = parse_recipe(asking(content={"name": name, "sha256": A}), "it")
    assert reading.recipe.request.content == PictureRef(name="photo.jpg", sha256=A)


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    """How a stopped job ended that was made of pictures with places."""
    done = Progress(Stage.RUNNING, step=70, evaluations=75, seconds=3.5)
    pastiche = Pastiche(np.zeros((30, 40, 3), np.uint8), done, 0)
    place = str(tmp_path)
    request = Request(
        content=PictureRef(name="photo.jpg", sha256=A, size=(8, 6), path=f"{place}/photo.jpg"),
        styles=(StyleRef(name="one", sha256=B, size=(6, 6), path=f"{place}/one"),),
        start=PictureRef(name="start", sha256=B, size=(6, 6), path=f"{place}/start"),
    )
    plan = PLAN.model_copy(update={"network_file": f"{place}/vgg19.safetensors"})
    return Outcome(Ending.STOPPED, request, plan, EVENTS, pastiche)


def test_the_recipe_of_a_job_tells_what_was_asked_decided_and_happened(outcome: Outcome) -> None:
    recipe = recipe_of(outcome, preset="Classic")
    assert recipe.request == outcome.request.without_folders()
    assert recipe.plan == PLAN
    assert recipe.events == EVENTS
    assert recipe.final.settings.style_strength == 2.0
    assert (recipe.size, recipe.steps, recipe.evaluations) == ((40, 30), 70, 75)
    assert (recipe.seconds, recipe.complete, recipe.preset) == (3.5, False, "Classic")
    assert recipe.notes == ()
    assert recipe_of(replace(outcome, ending=Ending.FINISHED)).complete


def test_a_recipe_never_says_where_things_lay(outcome: Outcome, tmp_path: Path) -> None:
    assert str(tmp_path) not in recipe_of(outcome).to_json()


def test_a_job_steered_without_end_has_a_recipe_with_its_last_settings(outcome: Outcome) -> None:
    changes = tuple(
        Retuned(
            at=Place(scale=1, step=step),
            settings={"style_strength": float(step)},
            shares=(1.0,),
        )
        for step in range(1000)
    )
    recipe = recipe_of(replace(outcome, events=changes))
    assert fits(recipe.to_json())
    assert recipe.events == ()
    assert recipe.request.settings.style_strength == 999
    assert "too often" in recipe.notes[0]


def test_a_recipe_of_the_second_format_says_what_it_said() -> None:
    """Until then style strength was a factor on the style weight alone."""
    kept = stored()
    asked = {"style_strength": 0.5, "style_weight": 8.0, "smoothness": 3.0, "tone": 1}
    decided = {**kept["plan"]["settings"], "style_strength": 0.5, "style_weight": 8.0}
    strength, smoother = ({**kept["events"][0], "settings": change}
                          for change in ({"style_strength": 4.0}, {"smoothness": 1.0}))  # fmt: skip
    former = {
        **kept,
        "format": 2,
        "request": {**kept["request"], "format": 1, "settings": asked},
        "plan": {**kept["plan"], "format": 2, "settings": decided},
        "events": [strength, smoother, kept["events"][1]],
    }
    recipe, (note,) = (reading := parse_recipe(json.dumps(former), "it")).recipe, reading.notes
    assert "tone" in note
    assert recipe.request.settings == FLOWING.changed(style_weight=4.0, smoothness=3.0)
    assert recipe.final.settings == FLOWING.changed(style_weight=32.0, smoothness=1.0)
    assert recipe.plan is not None
    assert recipe.plan.settings == PLAN.settings.changed(style_weight=4.0)
    assert recipe.events[-1] == EVENTS[1]
    assert parse_recipe(recipe.to_json(), "it") == Reading(recipe)


@pytest.mark.parametrize("name", ["pastiche.png", "early-and-deep.png"])
def test_a_picture_of_the_first_format_keeps_all_that_its_recipe_says(name: str) -> None:
    with Image.open(FORMAT_1 / name) as image:
        image.load()
        old = json.loads(str(image.info["gramarye"]))
    assert old["format"] == 1
    reading = read_recipe(FORMAT_1 / name)
    assert reading is not None
    assert reading.notes == ()
    recipe = reading.recipe
    found = recipe.request.settings.model_dump(mode="json")
    former = {"alpha": "content_weight", "beta": "style_weight", "gamma": "step_size",
              "history": "lbfgs_history"}  # fmt: skip
    said = {former.get(key, key): value for key, value in old["settings"].items()}
    # What there was not yet does nothing.
    assert {**FLOWING.model_dump(mode="json"), **said} == found
    assert recipe.request.content is not None
    assert recipe.request.content.sha256 == old["content"]["sha256"]
    assert [style.weight for style in recipe.request.styles] == [
        style["weight"] for style in old["styles"]
    ]
    assert (recipe.plan, recipe.events) == (None, ())
    assert recipe.network_sha256 == old["network_sha256"]
    assert (recipe.steps, recipe.device) == (old["steps"], old["device"])


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
    assert read_recipe(tmp_path / "a.jpg") == Reading(RECIPE)


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
