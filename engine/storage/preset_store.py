"""A person's own presets, kept one file each and never lost to a bad one."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from engine.spec.errors import InputError, NewerFormatError
from engine.spec.wording import plain
from engine.storage.naming import free_path
from engine.storage.paths import config_folder, delete, set_aside
from engine.storage.preset_names import found_by_name, name_key, near_names
from engine.storage.presets import Preset, ReadPreset, builtin_presets, read_preset, write_preset


class PresetStore:
    """A person's own presets, one file each in a folder that need not exist yet.

    Names are one regardless of case. A file that is no preset is set aside, one of a newer version
    stays as it is, and what cannot be used of a preset is left out until the person saves it again;
    `problems` tells of each. None keeps the others from being read.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or config_folder() / "presets"
        self._problems: list[str] = []

    @property
    def problems(self) -> tuple[str, ...]:
        """What was wrong with files in the folder so far, one sentence or two each."""
        return tuple(self._problems)

    def presets(self) -> tuple[Preset, ...]:
        """The presets in the folder, by name."""
        return tuple(read.preset for read in self.read())

    def read(self) -> tuple[ReadPreset, ...]:
        """The presets in the folder, by name, each with what could not be used of its file."""
        files = self._files()
        return tuple(files[key][1] for key in sorted(files))

    def save(self, preset: Preset, overwrite: bool = False) -> None:
        """Keep a preset.

        Raises:
            InputError: The name is a built-in's, or a newer version's, or taken and `overwrite`
                is False, or the folder cannot be written to; what was there is still there.
        """
        self._keep(ReadPreset(preset, ()), overwrite)

    def rename(self, old: str, new: str) -> Preset:
        """Give a preset another name, and return it under that; its file keeps all else it holds.

        Raises:
            InputError: There is no such preset, the new name cannot be or is taken, or the
                folder cannot be written to.
        """
        path, read = self._own(old)
        before = read.preset
        renamed = Preset(name=new, description=before.description, settings=before.settings)
        if name_key(renamed.name) == name_key(old):
            write_preset(renamed, path, rest=read.rest)
        else:
            self._keep(read._replace(preset=renamed))
            _delete(path)
        return renamed

    def delete(self, name: str) -> None:
        """Remove a preset.

        Raises:
            InputError: There is no such preset, or its file cannot be removed.
        """
        _delete(self._own(name)[0])

    def import_file(self, path: Path, overwrite: bool = False) -> Preset:
        """Keep a preset from a file; nothing changes unless it is valid.

        Raises:
            InputError: As `read_preset` and `save`.
        """
        read = read_preset(path)
        self.save(read.preset, overwrite)
        self._report(read.notes)
        return read.preset

    def export_file(self, preset: Preset, path: Path, overwrite: bool = False) -> None:
        """Write any preset to a file that `import_file` reads.

        Raises:
            InputError: The file exists and `overwrite` is False, or it cannot be written.
        """
        write_preset(preset, path, overwrite=overwrite)

    def _keep(self, read: ReadPreset, overwrite: bool = False) -> None:
        """Write a preset, and what else belongs into its file; errors are those of `save`."""
        preset, key = read.preset, name_key(read.preset.name)
        if key in _builtin_keys():
            raise InputError(
                f"The name {preset.name} belongs to a preset that ships with the program.",
                "Choose another name.",
            )
        files = self._files()
        if key in files:
            if not overwrite:
                raise InputError(
                    f"There is a preset named {files[key][1].preset.name} already.",
                    "Choose another name, or replace it.",
                )
            write_preset(preset, files[key][0], rest=read.rest)
            return
        path = self._folder / _file_name(key)
        if _is_newer(path):
            raise InputError(
                f"A newer version of Gramarye has a preset named {preset.name}.",
                "Choose another name.",
            )
        write_preset(preset, free_path(path), overwrite=False, rest=read.rest)

    def _own(self, name: str) -> tuple[Path, ReadPreset]:
        files = self._files()
        if name_key(name) not in files:
            raise InputError(f"There is no preset of yours named {plain(name, 80)}.")
        return files[name_key(name)]

    def _files(self) -> dict[str, tuple[Path, ReadPreset]]:
        """The folder's presets by the keys of their names."""
        files: dict[str, tuple[Path, ReadPreset]] = {}
        for path in sorted(self._folder.glob("*.json")):
            try:
                read = read_preset(path)
            except NewerFormatError as error:
                self._report([error.message])
                continue
            except InputError as error:
                self._set_aside(path, error)
                continue
            name = read.preset.name
            key = name_key(name)
            if key in files or key in _builtin_keys():
                self._report([f"{path.name} is left out: another preset is named {name}."])
            else:
                files[key] = path, read
                self._report(read.notes)
        return files

    def _set_aside(self, path: Path, error: InputError) -> None:
        # What cannot be read today may be sound tomorrow.
        unread = isinstance(error.__cause__, OSError)
        aside = None if unread else set_aside(path)
        self._report(
            [f"{error.message} It was set aside as {aside.name}." if aside else error.message]
        )

    def _report(self, problems: Iterable[str]) -> None:
        self._problems += [problem for problem in problems if problem not in self._problems]


def known_presets() -> tuple[Preset, ...]:
    """The presets that ship and the person's own, in the order to show them."""
    return builtin_presets() + PresetStore().presets()


def preset_named(name: str) -> ReadPreset:
    """The preset that a person means by a name, with what could not be used of its file.

    It may be written short, see `found_by_name`.

    Raises:
        InputError: There is none, and the remedy lists near names, those there are, and what is
            wrong with others; or several may be meant.
    """
    store = PresetStore()
    known = (*(ReadPreset(preset, ()) for preset in builtin_presets()), *store.read())
    names = [read.preset.name for read in known]
    place = found_by_name(name, names)
    if place is not None:
        return known[place]
    near = " or ".join(near_names(name, names))
    remedy = [f"Perhaps you mean {near}."] if near else []
    remedy += [f"The presets are: {', '.join(names)}.", *store.problems]
    raise InputError(f"There is no preset named {plain(name, 80)}.", " ".join(remedy))


@functools.cache
def _builtin_keys() -> frozenset[str]:
    return frozenset(name_key(preset.name) for preset in builtin_presets())


def _file_name(key: str) -> str:
    """A file name any system takes; the hash keeps apart what the readable part does not."""
    readable = re.sub(r"[\W_]+", "-", key).strip("-")[:40]
    return f"{readable or 'preset'}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.json"


def _is_newer(path: Path) -> bool:
    """Whether a newer version keeps a preset there."""
    try:
        read_preset(path)
    except NewerFormatError:
        return True
    except InputError:
        return False
    return False


def _delete(path: Path) -> None:
    try:
        delete(path)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"{path} cannot be deleted: {reason}.", "Check the folder's permissions."
        ) from error
