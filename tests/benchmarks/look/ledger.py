"""Keeps the numbers of pictures, so that one more column costs no second look at all others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from engine.spec.pictures import Picture, Pixels
from engine.storage.paths import replacing
from tests.benchmarks.look import judging, numbers
from tests.benchmarks.look.judging import Numbers


class Ledger:
    """Numbers by what they were measured of, by whom and how.

    Args:
        file: Where they are kept; what is unreadable there is measured anew.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._kept: dict[str, dict[str, float]] = json.loads(file.read_text())
        except (OSError, ValueError):
            self._kept = {}
        sources = (Path(str(module.__file__)) for module in (numbers, judging))
        self._how = [hashlib.sha256(source.read_bytes()).hexdigest() for source in sources]

    def numbers(
        self,
        judge: str,
        pictures: tuple[Picture, Picture],
        output: Pixels,
        measure: Callable[[], Numbers],
    ) -> Numbers:
        """What `measure` gives, or gave when it was asked the same.

        Args:
            judge: The SHA-256 of its network weights, or any other name.
            pictures: Photograph and painting.
            output: The pastiche.
            measure: Looks at them.
        """
        seen = hashlib.sha256(output.tobytes()).hexdigest(), output.shape
        asked = [judge, *(picture.sha256 for picture in pictures), *seen, *self._how]
        key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        if key not in self._kept:
            self._kept[key] = dict(measure())
        return self._kept[key]

    def write(self) -> None:
        """Keep what was measured for the next time.

        Raises:
            InputError: The place cannot be written to.
        """
        with replacing(self._file, overwrite=True) as temporary:
            temporary.write_text(json.dumps(self._kept))
