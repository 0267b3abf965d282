"""What a headless run shows while it lasts: a progress bar on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from engine.spec.choices import NetworkName
from engine.spec.layers import network_title
from engine.spec.progress import Progress as JobProgress
from engine.spec.wording import plain
from engine.system.signals import Interrupted

_WIDEST = 1000
"""Characters of a line that is said."""


def _stderr() -> Console:
    """Names of files are shown as they are: their brackets and colons mean nothing."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


class JobDisplay:
    """A job's progress on stderr: a bar on a terminal, a line a scale elsewhere, or nothing."""

    def __init__(self, *, quiet: bool) -> None:
        console = _stderr()
        self._lines = not quiet and not console.is_terminal
        self._console = console
        self._scale = 0
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._task: TaskID = self._bar.add_task("Preparing", total=None, words="")

    def show(self, progress: JobProgress) -> None:
        """Show where the job stands."""
        width, height = progress.size
        place = f"Scale {progress.scale}/{progress.scales}, {width} × {height} px"
        self._bar.update(
            self._task,
            description=place if progress.scale else progress.message,
            completed=progress.step,
            total=progress.steps or None,
            words=_words(progress),
        )
        if self._lines and progress.scale != self._scale:
            self._scale = progress.scale
            self.say(place)

    def show_stopping(self, words: str) -> None:
        """Show that the job ends after this step; safe to call from a signal handler."""
        self._bar.update(self._task, words=words)

    def say(self, message: str) -> None:
        """Print a line that stays."""
        if self._lines or not self._bar.disable:
            self._console.print(plain(message, _WIDEST), soft_wrap=True)

    @contextmanager
    def live(self) -> Iterator[JobDisplay]:
        """Show the bar while the body runs."""
        with self._bar:
            yield self


def _words(progress: JobProgress) -> str:
    parts = []
    if progress.steps_per_second:
        parts.append(f"{progress.steps_per_second:.1f} steps/s")
    if progress.remaining is not None:
        minutes, seconds = divmod(round(progress.remaining), 60)
        parts.append(f"about {minutes}:{seconds:02} left")
    return ", ".join(parts)


def download_with_progress(network: NetworkName, *, quiet: bool) -> str:
    """Download a network's weights with a bar on a terminal; returns where they are.

    Raises:
        InputError, EngineError: As `engine.weights.installed.download_weights` says.
        Interrupted: A signal came; what has arrived stays for the next time.
    """
    from engine.weights import installed

    console = _stderr()
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    with bar:
        task = bar.add_task(f"Downloading {network_title(network)}", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        try:
            return str(installed.download_weights(network, show, lambda: False))
        except Interrupted as error:
            raise Interrupted(error.number, "Interrupted; what has arrived is kept.") from error
