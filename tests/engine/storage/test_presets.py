"""Presets carry a look and nothing else; a bad file changes nothing and says why."""

from __future__ import annotations

import errno
import json
import os
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from flowing import FLOWING
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.spec.choices import Canvas, Start, StyleLoss
from engine.spec.errors import InputError, NewerFormatError
from engine.spec.settings import DEFAULTS, PARAMETERS
from engine.storage.paths import config_folder
from engine.storage.preset_store import PresetStore, known_presets, preset_named
from engine.storage.presets import Preset, builtin_presets, parse_preset, read_preset, write_preset
from resources import PRESETS

FORMAT1 = Path(__file__).parents[2] / "data" / "format1"
"""Files that the program wrote in the first format of each kind."""

DAMAGED = {
    "empty": b"",
    "text": b"a text",
    "archive": b"PK\x03\x04\x00",
    "bad encoding": b'{"name": "\xff"}',
    "deep": b"[" * 100_000,
    "huge": b'{"name": "a"}' + b" " * 2**20,
    "a list": b"[]",
    "no name": b"{}",
    "name of a number": b'{"name": 3}',
    "null name": b'{"name": null}',
    "half a character": b'{"name": "\\ud800"}',
    "no format": b'{"format": "two", "name": "a"}',
    "twice": b'{"name": "a", "name": "b"}',
    "setting twice": b'{"name": "a", "settings": {"content_weight": 1, "content_weight": 2}}',
    "settings of a list": b'{"name": "a", "settings": []}',
    "nan": b'{"name": "a", "settings": {"content_weight": NaN}}',
    "infinity": b'{"name": "a", "settings": {"content_weight": -Infinity}}',
}
"""Files that are no presets at all."""

UNUSABLE = {
    "deep": (b'"content_weight": ' + b"[" * 900 + b"]" * 900, "content_weight"),
    "unknown": (b'"magic": 1', "magic"),
    "long unknown": (b'"' + b"z" * 90_000 + b'": 1', "zzz"),
    "overflow": (b'"content_weight": 1e999', "content_weight"),
    "long integer": (b'"content_weight": 1' + b"0" * 400, "content_weight"),
    "longer integer": (b'"steps": 1' + b"0" * 9000, "steps"),
    "out of range": (b'"content_weight": -1', "content_weight"),
    "truth": (b'"steps": true', "steps"),
    "fraction": (b'"steps": 2.5', "steps"),
    "null": (b'"steps": null', "steps"),
    "word": (b'"style_loss": "love"', "style_loss"),
    "unknown layer": (b'"style_layers": {"relu9_1": 1}', "style_layers"),
    "layer of the other network": (b'"style_layers": {"relu3_4": 1}', "relu3_4"),
    "the machine's": (b'"device": "cuda"', "device"),
    "the occasion's": (b'"seed": 7', "seed"),
    "a former name beside the present one": (b'"alpha": 3, "content_weight": 2.5', "alpha"),
}
"""Settings that cost themselves, and what a note on each names."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config" / "presets"


@pytest.fixture
def store(folder: Path) -> PresetStore:
    return PresetStore(folder)


def look(name: str = "Dusk", **values: Any) -> Preset:
    return Preset(name=name, description="Late light.", settings=values or {"content_weight": 2.5})


def names(store: PresetStore) -> list[str]:
    return [preset.name for preset in store.presets()]


def test_the_built_in_presets_stand_in_their_order() -> None:
    assert [preset.name for preset in builtin_presets()] == [
        "Brushwork",
        "Bold",
        "Flowing",
        "Line",
        "Classic (Gatys 2016)",
        "Texture",
        "Early and deep",
    ]
    for preset in builtin_presets():
        assert preset.description
        assert preset.applied_to(DEFAULTS)


def test_the_built_in_presets_are_what_they_are_called() -> None:
    looks = [preset.applied_to(DEFAULTS) for preset in builtin_presets()]
    brushwork, bold, flowing, line, classic, texture, early = looks
    assert brushwork == DEFAULTS
    assert brushwork.matched_weight > 0
    assert brushwork.canvas is Canvas.PYRAMID
    assert bold.content_weight == 0 < bold.matched_weight
    assert flowing.style_loss is StyleLoss.WASSERSTEIN
    assert flowing.averaging > 0 == flowing.matched_weight
    assert line.keep_edges > 0
    assert (classic.optimizer, classic.pooling, classic.padding) == ("lbfgs", "average", "zeros")
    assert classic.coarsest_size == 16384
    assert texture.content_weight == 0
    assert texture.start is Start.STYLE_NOISE
    assert [layer for layer, _ in early.style_layers] == [
        "conv1_1",
        "conv1_2",
        "conv2_1",
        "conv5_4",
    ]


def test_what_a_preset_does_not_name_returns_to_its_default() -> None:
    changed = DEFAULTS.changed(style_weight=3.0, steps=7, content_weight=9.0)
    assert look(content_weight=2.5).applied_to(changed) == DEFAULTS.changed(content_weight=2.5)


def test_what_belongs_to_machine_and_occasion_is_left_alone() -> None:
    mine = {"output_size": 777, "seed": 5, "device": "cpu", "precision": "float32", "tile": "64"}
    assert {row.name for row in PARAMETERS if not row.preset} == mine.keys()
    current = DEFAULTS.changed(**mine)
    assert look(content_weight=2.5).applied_to(current) == current.changed(content_weight=2.5)


def test_a_preset_of_settings_brings_all_of_their_look_back() -> None:
    chosen = DEFAULTS.changed(
        content_weight=3.0, style_layers="relu2_2:0.25", start="noise", seed=9
    )
    preset = Preset(name="All", settings=chosen)
    assert preset.applied_to(DEFAULTS.changed(seed=9)) == chosen
    assert "seed" not in preset.settings


def test_values_may_be_written_as_people_write_them() -> None:
    preset = look(steps="12", style_layers="relu1_1, relu2_1:0.5")
    assert preset == look(steps=12, style_layers={"relu1_1": 1.0, "relu2_1": 0.5})


@pytest.mark.parametrize(
    "name", ["", "   ", "a/b", "a\\b", "..\\..\\x", "line\nbreak", "bell\a", "x" * 81]
)
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be named"):
        look(name)


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_is_refused_in_one_sentence_and_changes_nothing(
    store: PresetStore, folder: Path, tmp_path: Path, content: bytes
) -> None:
    store.save(look())
    path = tmp_path / "hostile.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"hostile\.json") as caught:
        store.import_file(path)
    assert len(caught.value.message) < 300
    assert names(store) == ["Dusk"]
    assert len(list(folder.iterdir())) == 1
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nan", "NaN"),
        ("no format", "format"),
        ("twice", "twice"),
        ("huge", "too large"),
        ("deep", "nested"),
        ("no name", "no name"),
        ("settings of a list", "settings"),
    ],
)
def test_a_refusal_says_why(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "a.json").write_bytes(DAMAGED[content])
    with pytest.raises(InputError, match=reason):
        read_preset(tmp_path / "a.json")


@pytest.mark.parametrize(("text", "named"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_setting_that_cannot_be_used_costs_only_itself(text: bytes, named: str) -> None:
    content = b'{"format": 3, "name": "Dusk", "settings": {"network": "vgg16", ' + text + b"}}"
    preset, (note,), _ = parse_preset(content, "dusk.json")
    rest = {"content_weight": 2.5} if named == "alpha" else {}
    assert preset == Preset(name="Dusk", settings={"network": "vgg16", **rest})
    assert named in note
    assert note.startswith("dusk.json: ")
    assert len(note) < 300


@pytest.mark.parametrize("field", [b'"run": "rm"', b'"description": "bell\\u0007"'])
def test_what_else_cannot_be_used_costs_only_itself(field: bytes) -> None:
    content = b'{"format": 3, "name": "Dusk", "settings": {"steps": 7}, ' + field + b"}"
    preset, notes, _ = parse_preset(content, "dusk.json")
    assert preset == Preset(name="Dusk", settings={"steps": 7})
    assert len(notes) == 1


def test_an_imported_preset_with_an_unknown_setting_is_kept_without_it_and_told(
    store: PresetStore, tmp_path: Path
) -> None:
    path = tmp_path / "shared.json"
    path.write_text('{"format": 3, "name": "Dusk", "settings": {"steps": 7, "magic": 1}}')
    assert store.import_file(path) == Preset(name="Dusk", settings={"steps": 7})
    assert ["magic" in problem for problem in store.problems] == [True]


def test_a_file_with_an_unknown_setting_stays_as_it_is_until_it_is_saved_again(
    store: PresetStore, folder: Path
) -> None:
    folder.mkdir(parents=True)
    path = folder / "dusk.json"
    path.write_text('{"format": 3, "name": "Dusk", "settings": {"steps": 7, "magic": 1}}')
    before = path.read_bytes()
    for _ in range(2):
        assert store.presets() == (Preset(name="Dusk", settings={"steps": 7}),)
    assert path.read_bytes() == before
    assert list(folder.iterdir()) == [path]
    assert ["magic" in problem for problem in store.problems] == [True]
    store.save(look(steps=9), overwrite=True)
    assert list(folder.iterdir()) == [path]
    assert read_preset(path) == (look(steps=9), (), {})


def test_a_newer_file_is_told_of_and_left_where_it_is(store: PresetStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    newer = b'{"format": 99, "name": "Dusk", "look": {"of": "tomorrow"}}'
    store.save(look())
    (own,) = folder.iterdir()
    own.write_bytes(newer)
    assert names(store) == []
    store.save(look("Dawn"))
    assert names(store) == ["Dawn"]
    assert own.read_bytes() == newer
    assert len(list(folder.iterdir())) == 2
    assert len(store.problems) == 1
    assert "newer version" in store.problems[0]
    with pytest.raises(NewerFormatError, match="Gramarye"):
        read_preset(own)


@pytest.mark.parametrize("overwrite", [True, False])
def test_the_name_of_a_newer_preset_is_taken(
    store: PresetStore, folder: Path, overwrite: bool
) -> None:
    store.save(look())
    (own,) = folder.iterdir()
    own.write_bytes(b'{"format": 99, "name": "Dusk", "look": {"of": "tomorrow"}}')
    store.save(look("Dawn"))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match="A newer version of Gramarye has a preset named DUSK"):
        store.save(look("DUSK"), overwrite)
    with pytest.raises(InputError, match="newer version"):
        store.rename("Dawn", "Dusk")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_preset_that_is_renamed_keeps_what_only_another_version_understands(
    store: PresetStore, folder: Path
) -> None:
    folder.mkdir(parents=True)
    values = {
        "format": 3, "name": "Dusk", "description": "bell\a", "regions": {"sky": [1, None]},
        "settings": {"steps": 7, "magic": 1, "style_loss": "love", "smoothness": 1.0},
    }  # fmt: skip
    (folder / "dusk.json").write_text(json.dumps(values))
    for old, new in (("Dusk", "Dawn"), ("Dawn", "DAWN")):
        store.rename(old, new)
        (path,) = folder.iterdir()
        assert json.loads(path.read_text()) == {**values, "name": new}
    settings = {"steps": 7, "smoothness": 1.0}
    assert store.presets() == (Preset(name="DAWN", settings=settings),)


def test_what_cannot_be_written_again_does_not_keep_a_preset_from_being_renamed(
    store: PresetStore, folder: Path
) -> None:
    folder.mkdir(parents=True)
    (folder / "dusk.json").write_text(
        '{"name": "Dusk", "deep": ' + "[" * 900 + "]" * 900 + ', "long": 1e999, "half": "\\ud800"}'
    )
    store.rename("Dusk", "Dawn")
    (path,) = folder.iterdir()
    assert json.loads(path.read_text()).keys() == {"format", "name", "description", "settings"}


@pytest.mark.usefixtures("never_waits")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_among_the_presets_is_told_and_left(
    store: PresetStore, folder: Path, tmp_path: Path
) -> None:
    store.save(look())
    os.mkfifo(folder / "x.json")
    os.mkfifo(tmp_path / "shared.json")
    assert names(store) == ["Dusk"]
    assert store.problems == ("x.json cannot be read: this is a pipe.",)
    assert (folder / "x.json").exists()
    with pytest.raises(InputError, match=r"shared\.json cannot be read: this is a pipe"):
        store.import_file(tmp_path / "shared.json")


def test_presets_of_the_first_format_open_with_their_values(
    store: PresetStore, folder: Path
) -> None:
    shutil.copytree(FORMAT1, folder, ignore=lambda *_: ["preferences.json"])
    before = {path: path.read_bytes() for path in folder.glob("*.json")}
    early, dusk = (each.applied_to(DEFAULTS) for each in store.presets()[::-1])
    assert dusk == FLOWING.changed(
        content_weight=2.5, style_weight=33.0, step_size=0.002, lbfgs_history=7, steps=40
    )
    assert early == FLOWING.changed(
        network="draft",
        style_loss="gram",
        style_weight=20.0,
        content_layers="conv4_2:1",
        style_layers="conv1_1:1, conv1_2:1, conv2_1:1, conv5_1:1",
    )
    assert store.problems == ()
    assert {path: path.read_bytes() for path in folder.glob("*.json")} == before


def test_a_preset_is_written_in_the_newest_format_by_the_present_names(tmp_path: Path) -> None:
    write_preset(Preset(name="Dusk", settings={"alpha": 3}), tmp_path / "dusk.json")
    written = json.loads((tmp_path / "dusk.json").read_text())
    assert written["format"] == 3
    assert written["settings"] == {"content_weight": 3.0}


def test_a_preset_of_an_earlier_format_is_the_look_it_was() -> None:
    for number in (1, 2):
        values = {"format": number, "name": "Dusk", "settings": {"style_strength": 4.0}}
        preset, notes, rest = parse_preset(json.dumps(values).encode(), "dusk.json")
        assert (notes, rest) == ((), {})
        assert set(preset.settings) == {row.name for row in PARAMETERS if row.preset}
        found = preset.applied_to(DEFAULTS)
        weights = found.effective_content_weight(), found.effective_style_weight()
        assert weights == (1.0, 40.0)
        assert (found.steps, found.learning_rate, found.coarsest_size) == (150, 0.02, 128)


def test_the_shipped_presets_lean_on_no_default_but_the_first() -> None:
    for preset in builtin_presets()[1:]:
        assert set(preset.settings) == {row.name for row in PARAMETERS if row.preset}, preset.name


def test_the_shipped_presets_are_of_the_newest_format_and_used_whole() -> None:
    for path in PRESETS.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["format"] == 3
        assert read_preset(path).notes == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
PARAMETER_NAMES = st.sampled_from([row.name for row in PARAMETERS])


@settings(max_examples=50)
@given(st.dictionaries(PARAMETER_NAMES, JSON))
def test_any_settings_are_each_taken_or_told_of(values: dict[str, Any]) -> None:
    content = json.dumps({"format": 3, "name": "Any", "settings": values}).encode()
    try:
        preset, notes, _ = parse_preset(content, "any.json")
    except InputError:
        return
    assert preset.applied_to(DEFAULTS)
    assert len(preset.settings) + len(notes) == len(values)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(InputError):
        parse_preset(content, "any.json")


@given(st.text(min_size=1, max_size=80))
def test_any_name_that_may_be_is_kept_under_a_safe_file_name(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    try:
        preset = look(name)
    except InputError:
        return
    assume(preset.name.casefold() not in {each.name.casefold() for each in builtin_presets()})
    folder = tmp_path_factory.mktemp("presets")
    PresetStore(folder).save(preset)
    (path,) = folder.iterdir()
    assert PresetStore(folder).presets() == (preset,)
    assert len(path.name.encode()) < 200
    assert not set(path.name) & set('<>:"/\\|?*')


def test_saved_presets_are_there_next_time_by_name(store: PresetStore, folder: Path) -> None:
    assert store.presets() == ()
    for preset in (look("Zinc"), look("ärger"), look("Amber", style_layers="relu3_1:0.5")):
        store.save(preset)
    again = PresetStore(folder)
    assert names(again) == ["Amber", "Zinc", "ärger"]
    assert again.presets()[0] == look("Amber", style_layers="relu3_1:0.5")
    assert again.problems == ()


def test_without_a_folder_they_stand_in_the_users_config() -> None:
    PresetStore().save(look())
    assert names(PresetStore()) == ["Dusk"]


def test_a_preset_is_found_by_its_name_whoever_made_it() -> None:
    PresetStore().save(look())
    assert preset_named("brush").preset == builtin_presets()[0]
    assert preset_named("painterly").preset == builtin_presets()[2]
    assert preset_named("classic").preset == builtin_presets()[4]
    assert preset_named("du").preset == look()
    assert preset_named("DUSK").preset == look() == known_presets()[-1]


def test_a_preset_is_named_with_what_could_not_be_used_of_it() -> None:
    path = config_folder() / "presets" / "dusk.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 3, "name": "Dusk", "settings": {"steps": 7, "magic": 1}}')
    preset, (note,), _ = preset_named("Dusk")
    assert preset == Preset(name="Dusk", settings={"steps": 7})
    assert "magic" in note
    path.write_text('{"format": 99, "name": "Dusk"}')
    with pytest.raises(InputError, match="no preset named Dusk") as caught:
        preset_named("Dusk")
    assert "newer version" in caught.value.remedy


def test_a_preset_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InputError, match="Midnight") as caught:
        preset_named("Midnight")
    assert "Classic (Gatys 2016)" in caught.value.remedy
    assert "Perhaps" not in caught.value.remedy


def test_a_name_with_a_slip_is_told_what_is_near() -> None:
    with pytest.raises(InputError, match="no preset named Textur3") as caught:
        preset_named("Textur3")
    assert caught.value.remedy.startswith("Perhaps you mean Texture. The presets are: ")


def test_the_beginning_of_two_presets_is_refused_with_both() -> None:
    PresetStore().save(look("Teal"))
    with pytest.raises(InputError, match=r"may be meant by te: Texture, Teal\."):
        preset_named("te")


def test_a_preset_is_replaced_only_when_asked(store: PresetStore, folder: Path) -> None:
    store.save(look("Dusk", content_weight=1.0))
    with pytest.raises(InputError, match="Dusk already"):
        store.save(look("DUSK", content_weight=2.0))
    assert store.presets() == (look("Dusk", content_weight=1.0),)
    store.save(look("DUSK", content_weight=2.0), overwrite=True)
    assert store.presets() == (look("DUSK", content_weight=2.0),)
    assert len(list(folder.iterdir())) == 1


def test_a_name_is_one_however_its_accents_are_spelt(store: PresetStore) -> None:
    store.save(look(unicodedata.normalize("NFC", "Été")))
    with pytest.raises(InputError, match="already"):
        store.save(look(unicodedata.normalize("NFD", "Été")))


@pytest.mark.parametrize("name", ["Brushwork", "flowing", "TEXTURE", " Early and deep "])
def test_the_names_of_built_ins_are_taken(store: PresetStore, name: str) -> None:
    with pytest.raises(InputError, match="ships with the program"):
        store.save(look(name), overwrite=True)
    assert names(store) == []


@pytest.mark.parametrize("name", ["CON", "nul", "COM1.txt", ".hidden", "trailing.", "a:b", "日本"])
def test_awkward_names_are_kept(store: PresetStore, folder: Path, name: str) -> None:
    store.save(look(name))
    assert names(PresetStore(folder)) == [name]
    (path,) = folder.iterdir()
    assert path.stem.lower() not in {"con", "nul", "com1"}
    assert not path.name.startswith(".")


def test_names_that_read_alike_do_not_share_a_file(store: PresetStore) -> None:
    store.save(look("a b"))
    store.save(look("a-b"))
    store.save(look("a?b"))
    assert len(names(store)) == 3


def test_rename_keeps_the_look(store: PresetStore, folder: Path) -> None:
    store.save(look("Dusk"))
    assert store.rename("Dusk", "Dawn") == look("Dawn")
    assert store.presets() == (look("Dawn"),)
    store.rename("Dawn", "DAWN")
    assert names(store) == ["DAWN"]
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("taken", ["Noon", "noon", "Brushwork", "a/b", ""])
def test_rename_to_a_name_that_cannot_be_changes_nothing(store: PresetStore, taken: str) -> None:
    store.save(look("Dusk"))
    store.save(look("Noon"))
    with pytest.raises(InputError):
        store.rename("Dusk", taken)
    assert names(store) == ["Dusk", "Noon"]


def test_delete_removes_one(store: PresetStore) -> None:
    store.save(look("Dusk"))
    store.save(look("Noon"))
    store.delete("dusk")
    assert names(store) == ["Noon"]


@pytest.mark.parametrize("change", ["rename", "delete"])
def test_a_name_that_goes_is_gone_after_a_power_cut_too(
    store: PresetStore, folder: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    store.save(look())
    (path,) = folder.iterdir()
    synced = []
    monkeypatch.setattr(
        "engine.storage.paths.sync_folder", lambda folder: synced.append((folder, path.exists()))
    )
    if change == "rename":
        store.rename("Dusk", "Dawn")
    else:
        store.delete("Dusk")
    assert synced[-1] == (folder, False)


@pytest.mark.parametrize("name", ["Dusk", "Brushwork"])
def test_what_is_not_there_cannot_be_renamed_or_deleted(store: PresetStore, name: str) -> None:
    with pytest.raises(InputError, match=name):
        store.delete(name)
    with pytest.raises(InputError, match=name):
        store.rename(name, "Other")


def test_an_exported_preset_can_be_imported_elsewhere(store: PresetStore, tmp_path: Path) -> None:
    store.export_file(look(), tmp_path / "shared.json")
    other = PresetStore(tmp_path / "other")
    assert other.import_file(tmp_path / "shared.json") == look()
    assert other.presets() == (look(),)
    with pytest.raises(InputError, match="already"):
        other.import_file(tmp_path / "shared.json")


def test_export_replaces_a_file_only_when_asked(store: PresetStore, tmp_path: Path) -> None:
    path = tmp_path / "shared.json"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        store.export_file(look(), path)
    assert path.read_text() == "mine"
    store.export_file(look(), path, overwrite=True)
    assert read_preset(path) == (look(), (), {})


def test_a_corrupt_file_is_set_aside_and_the_rest_is_there(
    store: PresetStore, folder: Path
) -> None:
    store.save(look())
    for _ in range(2):
        (folder / "bad.json").write_bytes(b'{"name": "half')
        assert names(store) == ["Dusk"]
    assert sorted(path.name for path in folder.glob("bad*")) == [
        "bad.json.corrupt",
        "bad.json_001.corrupt",
    ]
    assert len(store.problems) == 2
    assert "bad.json" in store.problems[0]
    assert "bad.json.corrupt" in store.problems[0]


def test_what_cannot_be_read_is_told_and_left_where_it_is(store: PresetStore, folder: Path) -> None:
    store.save(look())
    (folder / "locked.json").mkdir()
    assert names(store) == ["Dusk"]
    assert names(store) == ["Dusk"]
    assert (folder / "locked.json").exists()
    assert store.problems == ("locked.json cannot be read: this is a folder.",)


@pytest.mark.parametrize("name", ["dusk", "Brushwork"])
def test_a_second_file_of_a_name_is_told_and_left(
    store: PresetStore, folder: Path, name: str
) -> None:
    store.save(look("Dusk"))
    second = folder / "zz.json"
    store.export_file(look(name), second)
    assert store.presets() == (look("Dusk"),)
    assert second.exists()
    assert "zz.json" in store.problems[0]


def test_a_preset_that_reads_back_otherwise_is_not_called_saved(
    store: PresetStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(look(steps=1))
    (path,) = folder.iterdir()
    before = path.read_text()
    other = before.replace('"steps": 1', '"steps": 7').encode()
    with monkeypatch.context() as failing:
        failing.setattr("engine.storage.paths.read_back", lambda _file: other)
        with pytest.raises(InputError, match="not written faithfully"):
            store.save(look(steps=2), overwrite=True)
    assert path.read_text() == before
    assert list(folder.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_preset(
    store: PresetStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(look(content_weight=1.0))

    def full(path: Path, *args: Any, **more: Any) -> int:
        path.write_bytes(b"{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="disk is full"):
        store.save(look(content_weight=2.0), overwrite=True)
    assert store.presets() == (look(content_weight=1.0),)
    assert len(list(folder.iterdir())) == 1


def test_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = PresetStore(tmp_path / "file")
    assert store.presets() == ()
    with pytest.raises(InputError, match="There is no folder"):
        store.save(look())
