"""Keeps the presets: which there are, which counts as chosen, and every change of the list."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject, Slot

from engine.spec.errors import ComplaintsError
from engine.spec.settings import DEFAULTS, PARAMETERS, Settings
from engine.storage.preset_names import name_key
from engine.storage.preset_store import PresetStore
from engine.storage.presets import Preset, builtin_presets, read_preset
from gui.base.dialogs import Dialogs, finished
from gui.base.tasks import Tasks
from gui.session.session import Session
from gui.settings.preset_bar import PresetBar, PresetDialog

Look = tuple[object, ...]
REPLACE = {"Replace": True}


def look_of(settings: Settings) -> Look:
    """The values that a preset would carry: equal ones look the same."""
    return tuple(getattr(settings, row.name) for row in PARAMETERS if row.preset)


@dataclass(frozen=True)
class _Listing:
    """All presets at one moment, and the look of each by its name."""

    shipped: tuple[Preset, ...] = ()
    own: tuple[Preset, ...] = ()
    looks: Mapping[str, Look] = field(default_factory=dict)

    def named(self, name: str) -> Preset | None:
        return next((each for each in self.shipped + self.own if each.name == name), None)


class PresetKeeper(QObject):
    """Answers what the bar asks for; the disk is read and written behind the window.

    What changes the list is done one after the other, each followed by a new reading, so that the
    bar always shows what the last of them left. Only what the person chooses last is chosen.

    Args:
        commit: Takes over a setting that is still being typed.
    """

    def __init__(
        self,
        session: Session,
        store: PresetStore,
        dialogs: Dialogs,
        tasks: Tasks,
        commit: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._store = store
        self._dialogs = dialogs
        self._tasks = tasks
        self._commit = commit
        self._turn = asyncio.Lock()
        self._listing = _Listing()
        self._problems_told = 0
        self._wishes = 0
        self._look = look_of(session.settings)
        self._name = ""
        self._shown: tuple[Preset | None, bool] = None, False
        self.bar = PresetBar()
        self.bar.chosen.connect(self._choose)
        self.bar.save_requested.connect(tasks.starter(self._save))
        self.bar.rename_requested.connect(tasks.starter(self._rename))
        self.bar.delete_requested.connect(tasks.starter(self._delete))
        self.bar.import_requested.connect(tasks.starter(self._import))
        self.bar.export_requested.connect(tasks.starter(self._export))
        session.settings_changed.connect(self._compare)

    async def load(self) -> tuple[str, ...]:
        """List the presets; returns what is newly wrong with some of their files, in sentences."""
        async with self._turn:
            return self._show(await self._tasks.in_background(self._read))

    @Slot(object)
    def _compare(self, settings: Settings) -> None:
        """Mark the chosen preset when the settings differ from it.

        Where none was chosen, the first one that is these very settings counts as chosen.
        """
        self._look = look_of(settings)
        self._mark()

    def _mark(self, *, anew: bool = False) -> None:
        looks = self._listing.looks
        if not self._name:
            self._name = next((name for name, look in looks.items() if look == self._look), "")
        preset = self._listing.named(self._name)
        modified = preset is not None and looks[preset.name] != self._look
        if anew or (preset, modified) != self._shown:
            self.bar.show_choice(preset, modified=modified, own=preset in self._listing.own)
        if preset != self._shown[0]:
            self._session.note_preset(preset)
        self._shown = preset, modified

    @Slot(object)
    def _choose(self, preset: Preset) -> None:
        self._wishes += 1
        self._name = preset.name
        self._mark()
        self._session.choose_preset(preset)

    async def _save(self) -> None:
        self._commit()
        dialog = PresetDialog("Save as preset", self.bar, described=True)
        if not await finished(dialog):
            return
        preset = Preset(
            name=dialog.name,
            description=dialog.description,
            settings=self._session.settings,  # type: ignore[arg-type] # its validator takes both
        )
        overwrite = await self._may_keep(preset.name)
        if overwrite is not None:
            work = partial(self._store.save, preset, overwrite=overwrite)
            await self._change(work, preset.name)

    async def _rename(self) -> None:
        old = self._name
        dialog = PresetDialog("Rename preset", self.bar, name=old)
        if await finished(dialog) and dialog.name != old:
            await self._change(partial(self._store.rename, old, dialog.name), dialog.name)

    async def _delete(self) -> None:
        name = self._name
        question = f"Delete the preset “{name}”?"
        if await self._dialogs.choose(question, "", {"Delete": True}):
            await self._change(partial(self._store.delete, name), "")

    async def _import(self) -> None:
        path = await self._dialogs.open_preset()
        if path is None:
            return
        preset = (await self._tasks.in_background(read_preset, path)).preset
        overwrite = await self._may_keep(preset.name)
        if overwrite is None:
            return
        work = partial(self._store.import_file, path, overwrite)
        if await self._change(work, preset.name):
            self._session.choose_preset(preset)

    async def _export(self) -> None:
        preset = self._listing.named(self._name)
        assert preset is not None
        path = await self._dialogs.save_preset(f"{preset.name}.json")
        if path is None:
            return
        taken = await self._tasks.in_background(os.path.lexists, path)
        question = f"{path.name} exists already. Replace it?"
        if not taken or await self._dialogs.choose(question, "", REPLACE):
            await self._tasks.in_background(self._store.export_file, preset, path, taken)

    async def _may_keep(self, name: str) -> bool | None:
        """Whether a preset of this name is to be replaced; None if it is not to be kept at all."""
        if all(name_key(own.name) != name_key(name) for own in self._listing.own):
            return False
        question = f"There is a preset “{name}” already. Replace it?"
        return await self._dialogs.choose(question, "", REPLACE)

    async def _change(self, work: Callable[[], object], chosen: str) -> bool:
        """Change the presets on disk and show what came of it.

        Args:
            work: Changes them; blocks.
            chosen: The name that is then to be chosen, if nothing else is asked for meanwhile.

        Returns:
            Whether it is.

        Raises:
            InputError: They could not be changed.
        """
        self._wishes += 1
        wish = self._wishes
        async with self._turn:
            await self._tasks.in_background(work)
            listing = await self._tasks.in_background(self._read)
            latest = wish == self._wishes
            if latest:
                self._name = chosen
            problems = self._show(listing)
        if problems:
            self._tasks.start(_complain, problems)
        return latest

    def _show(self, listing: _Listing) -> tuple[str, ...]:
        """Show all presets; returns what is newly wrong with some of their files."""
        self._listing = listing
        if listing.named(self._name) is None:
            self._name = ""
        self.bar.show_presets(listing.shipped, listing.own)
        self._mark(anew=True)
        problems = self._store.problems[self._problems_told :]
        self._problems_told += len(problems)
        return problems

    def _read(self) -> _Listing:
        shipped, own = builtin_presets(), self._store.presets()
        looks = {each.name: look_of(each.applied_to(DEFAULTS)) for each in shipped + own}
        return _Listing(shipped, own, looks)


async def _complain(problems: tuple[str, ...]) -> None:
    """Tell of files that were sound when the program started and are not any more."""
    raise ComplaintsError(problems)
