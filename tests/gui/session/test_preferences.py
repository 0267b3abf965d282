import json
import os
import shutil
from pathlib import Path

import pytest
from flowing import FLOWING
from pydantic import ValidationError

from engine.spec.earlier_settings import FORMER_DEFAULTS
from engine.spec.settings import DEFAULTS, PARAMETERS, settings_from
from gui.base.tasks import Tasks
from gui.session.preferences import Memory, Preferences, PreferenceStore, Theme, with_recent

FORMAT1 = Path(__file__).parents[2] / "data" / "format1"
"""Files that the program wrote in the first format of each kind."""

NOT_UNICODE = os.fsdecode(b"caf\xe9")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "preferences.json"


def test_what_is_saved_is_loaded(path):
    preferences = Preferences(theme=Theme.DARK, contents=("/a.png",), save_folder="/out")
    PreferenceStore(path).save(preferences)
    assert PreferenceStore(path).load() == (preferences, "")


def test_a_file_whose_name_is_not_unicode_is_not_remembered():
    assert with_recent(("/a.png",), Path("/", NOT_UNICODE)) == ("/a.png",)


def test_a_folder_whose_name_is_not_unicode_does_not_keep_the_rest_from_being_saved(path):
    PreferenceStore(path).save(Preferences(theme=Theme.DARK, save_folder=f"/{NOT_UNICODE}"))
    assert PreferenceStore(path).load() == (Preferences(theme=Theme.DARK), "")


def test_preferences_that_cannot_be_read_are_not_overwritten(path, monkeypatch):
    PreferenceStore(path).save(Preferences(theme=Theme.DARK))
    store = PreferenceStore(path)

    def fail(_self):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("gui.session.preferences.read_ordinary", fail)
        preferences, complaint = store.load()
    assert preferences == Preferences()
    assert "Input/output error" in complaint
    assert "not kept" in complaint
    store.save(Preferences(theme=Theme.LIGHT))
    assert PreferenceStore(path).load()[0].theme is Theme.DARK


def test_preferences_that_cannot_be_set_aside_are_not_overwritten(path, monkeypatch):
    path.write_text("{")
    store = PreferenceStore(path)

    def fail(_self, _target):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("engine.storage.paths.move_to_free", fail)
        _, complaint = store.load()
    assert "not kept" in complaint
    store.save(Preferences())
    assert path.read_text() == "{"


def test_each_damaged_file_is_set_aside_under_a_name_of_its_own(path):
    for text in ("{", "["):
        path.write_text(text)
        store = PreferenceStore(path)
        _, complaint = store.load()
        assert "could not be understood" in complaint
        store.save(Preferences())
    names = ("preferences.json.corrupt", "preferences.json_001.corrupt")
    assert [path.with_name(name).read_text() for name in names] == ["{", "["]
    assert PreferenceStore(path).load()[1] == ""


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"format": "two"}', '{"a": ' + "9" * 5000]
)
def test_what_holds_no_preferences_is_damaged(path, text):
    path.write_text(text)
    preferences, complaint = PreferenceStore(path).load()
    assert preferences == Preferences()
    assert "preferences.json.corrupt" in complaint
    assert [each.name for each in path.parent.iterdir()] == ["preferences.json.corrupt"]


def test_preferences_of_the_first_format_open_with_their_values(path):
    shutil.copy(FORMAT1 / "preferences.json", path)
    preferences, complaint = PreferenceStore(path).load()
    assert complaint == ""
    assert preferences == Preferences(
        settings=FLOWING.changed(
            content_weight=2.5,
            style_weight=33.0,
            step_size=0.002,
            lbfgs_history=7,
            optimizer="lbfgs",
            output_size=768,
            seed=11,
            network="draft",
            style_layers="relu1_1:1, relu3_1:0.5",
        ),
        theme=Theme.DARK,
        jpeg_quality=83,
        loss_curves=False,
        advanced=True,
        draft=True,
        vgg_offered=True,
        contents=("/pictures/content.png",),
        styles=("/pictures/style.png", "/pictures/other.png"),
        save_folder="/pictures/made",
    )


def former_preferences(path, **settings):
    """Preferences as the second format had them, none of whose settings was touched but these."""
    PreferenceStore(path).save(Preferences(theme=Theme.DARK))
    values = json.loads(path.read_text())
    former = {name: FORMER_DEFAULTS[name] for name in values["settings"]}
    path.write_text(json.dumps({**values, "format": 2, "settings": {**former, **settings}}))


def test_whoever_never_touched_the_look_gets_that_of_today(path):
    former_preferences(path, output_size=768, seed=3)
    assert PreferenceStore(path).load() == (
        Preferences(settings=DEFAULTS.changed(output_size=768, seed=3), theme=Theme.DARK), "",
    )  # fmt: skip


def test_whoever_touched_the_look_keeps_it(path):
    former_preferences(path, style_strength=4.0, output_size=768)
    preferences, complaint = PreferenceStore(path).load()
    look = {row.name: FORMER_DEFAULTS[row.name] for row in PARAMETERS if row.preset}
    assert complaint == ""
    assert preferences.settings == settings_from({**look, "style_weight": 40.0, "output_size": 768})


def test_a_newer_file_is_told_of_and_never_overwritten(path):
    newer = b'{"format": 99, "theme": "sepia", "settings": {"content_weight": 2.0}}'
    path.write_bytes(newer)
    store = PreferenceStore(path)
    preferences, complaint = store.load()
    assert preferences == Preferences()
    assert "newer version" in complaint
    assert "not kept" in complaint
    store.save(Preferences(theme=Theme.DARK))
    assert path.read_bytes() == newer
    assert list(path.parent.iterdir()) == [path]


def test_what_no_longer_fits_costs_only_itself_and_is_told_once(path):
    PreferenceStore(path).save(Preferences(theme=Theme.DARK, contents=("/a.png",)))
    values = json.loads(path.read_text())
    values |= {"jpeg_quality": 101, "styles": 3}
    values["settings"] |= {"steps": -1, "style_weight": 3.0}
    path.write_text(json.dumps(values))
    store = PreferenceStore(path)
    preferences, complaint = store.load()
    assert preferences == Preferences(
        settings=DEFAULTS.changed(style_weight=3.0), theme=Theme.DARK, contents=("/a.png",)
    )
    for name in ("jpeg_quality", "styles", "steps"):
        assert complaint.count(name) >= 1
    assert json.loads(path.read_text()) == values
    store.save(preferences)
    assert PreferenceStore(path).load() == (preferences, "")


def test_what_only_another_version_understands_is_written_again_as_it_was(path):
    PreferenceStore(path).save(Preferences(theme=Theme.DARK))
    values = json.loads(path.read_text())
    values |= {"wallpaper": {"pattern": "paisley"}}
    values["settings"] |= {"magic": [1, None]}
    path.write_text(json.dumps(values))
    store = PreferenceStore(path)
    preferences, complaint = store.load()
    assert (preferences, complaint) == (Preferences(theme=Theme.DARK), "")
    for draft in (True, False):
        store.save(preferences.model_copy(update={"draft": draft}))
        assert json.loads(path.read_text()) == {**values, "draft": draft}


def test_what_cannot_be_written_again_does_not_keep_the_rest_from_being_saved(path):
    deep = "[" * 900 + "]" * 900
    path.write_text(f'{{"format": 3, "theme": "dark", "deep": {deep}, "none": NaN}}')
    store = PreferenceStore(path)
    preferences, _ = store.load()
    store.save(preferences)
    assert json.loads(path.read_text()).keys() == {"format", *Preferences.model_fields}


@pytest.mark.usefixtures("never_waits")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_in_their_place_holds_nobody_up_and_is_left(path):
    os.mkfifo(path)
    store = PreferenceStore(path)
    preferences, complaint = store.load()
    assert preferences == Preferences()
    assert "this is a pipe" in complaint
    assert "not kept" in complaint
    store.save(Preferences(theme=Theme.DARK))
    assert path.is_fifo()


def test_a_file_too_large_to_be_preferences_is_set_aside_unread(path):
    with path.open("wb") as file:
        file.truncate(2**40)
    _, complaint = PreferenceStore(path).load()
    assert "preferences.json.corrupt" in complaint
    assert not path.exists()


def test_preferences_behind_a_link_stay_there(path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    path.symlink_to(tmp_path / "elsewhere" / "mine.json")
    PreferenceStore(path).save(Preferences(theme=Theme.DARK))
    assert path.is_symlink()
    assert PreferenceStore(tmp_path / "elsewhere" / "mine.json").load()[0].theme is Theme.DARK


@pytest.mark.parametrize("quality", [1, 100])
def test_a_quality_at_either_end_is_kept(path, quality):
    PreferenceStore(path).save(Preferences(jpeg_quality=quality))
    assert PreferenceStore(path).load()[0].jpeg_quality == quality


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_beyond_either_end_is_refused(quality):
    with pytest.raises(ValidationError):
        Preferences(jpeg_quality=quality)


def test_of_recent_files_each_is_listed_once_and_the_oldest_goes():
    files = ()
    for number in (*range(12), 5):
        files = with_recent(files, Path(f"/{number}.png"))
    assert files == tuple(f"/{number}.png" for number in (5, 11, 10, 9, 8, 7, 6, 4, 3, 2))


def test_a_change_is_told_at_once_and_written_soon(path, loop, finish, qtbot):
    told = []
    tasks = Tasks(told.append)
    memory = Memory(Preferences(), PreferenceStore(path), tasks)
    with qtbot.waitSignal(memory.changed) as changed:
        memory.change(theme=Theme.DARK)
        memory.change(draft=True)
    assert changed.args[0].theme is Theme.DARK
    assert memory.now == Preferences(theme=Theme.DARK, draft=True)
    finish(memory.save())
    assert PreferenceStore(path).load() == (memory.now, "")
    path.unlink()
    finish(memory.save())
    assert not path.exists()
    finish(tasks.close())
    assert told == []


def test_a_change_is_written_without_being_asked_for(path, loop, finish, qtbot, monkeypatch):
    monkeypatch.setattr("gui.session.preferences.SAVE_MILLISECONDS", 0)
    tasks = Tasks([].append)
    memory = Memory(Preferences(), PreferenceStore(path), tasks)
    memory.change(draft=True)
    qtbot.waitUntil(path.exists)
    finish(tasks.close())
    assert PreferenceStore(path).load()[0].draft


def test_preferences_that_cannot_be_written_are_said_to_be_lost(path, loop, finish, qtbot):
    path.parent.joinpath("file").touch()
    tasks = Tasks([].append)
    memory = Memory(Preferences(), PreferenceStore(path.parent / "file" / "a.json"), tasks)
    memory.change(draft=True)
    with qtbot.waitSignal(memory.noticed) as noticed:
        finish(memory.save())
    assert "not kept" in noticed.args[0]
    finish(tasks.close())
