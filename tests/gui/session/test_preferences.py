import os
from pathlib import Path

import pytest

from gui.session.preferences import Preferences, PreferenceStore, Theme, with_recent

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
        patched.setattr(Path, "read_bytes", fail)
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
        patched.setattr(Path, "rename", fail)
        _, complaint = store.load()
    assert "not kept" in complaint
    store.save(Preferences())
    assert path.read_text() == "{"


def test_each_unreadable_file_is_set_aside_under_a_name_of_its_own(path):
    for text in ("{", "["):
        path.write_text(text)
        store = PreferenceStore(path)
        store.load()
        store.save(Preferences())
    kept = [path.with_suffix(f".unreadable-{number}.json").read_text() for number in (1, 2)]
    assert kept == ["{", "["]
    assert PreferenceStore(path).load()[1] == ""
