"""What made this picture: everything needed to make it again, as text that travels inside it."""

from __future__ import annotations

import functools
import hashlib
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import pydantic_core
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from engine import __version__
from engine.spec.choices import Start
from engine.spec.errors import InputError
from engine.spec.job import Job, Pastiche, Picture
from engine.spec.settings import Settings, settings_from
from engine.storage.embedding import embedded_text
from engine.storage.images import identify, read_file
from engine.storage.naming import shown_name

FORMAT: Final = 1
"""The version of the recipe format this program writes."""

_SHOWN = 300  # characters of an unusable value that a message repeats


def _bare(name: str) -> str:
    """A name without folders: where a person keeps pictures is nobody else's business."""
    return re.split(r"[/\\]", name)[-1]


def _settings(value: object) -> object:
    return settings_from(value) if isinstance(value, Mapping) else value


Name = Annotated[str, AfterValidator(_bare), Field(max_length=1024)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Length = Annotated[int, Field(ge=1)]
StoredSettings = Annotated[
    Settings,
    BeforeValidator(_settings),
    PlainSerializer(lambda settings: settings.model_dump(mode="json")),
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Ingredient(_Frozen):
    """A picture that went in: enough to recognise it, not where it lies."""

    name: Name
    sha256: Sha256


class StyleIngredient(Ingredient):
    """A painting that went in, and its share in the blend."""

    weight: float = Field(ge=0)


class Recipe(_Frozen):
    """Everything needed to make the same picture again, given the pictures and the network.

    Attributes:
        format: The version of this format.
        program: The version of Gramarye that made the picture.
        settings: All parameters as they were at the end.
        content: The photograph; None for a texture.
        styles: The paintings, with their shares at the end.
        start: The picture it started from; None for every other start.
        network_sha256: Of the network's file, which `settings.network` names; None where the file
            had gone by the time the picture was saved.
        size: Width and height, pixels.
        steps, evaluations, seconds: What it took.
        complete: False when it was stopped early.
        preset: The name of the preset that was chosen; empty for none.
        device: What it was made on, in words; empty in files of earlier versions.
        notes: What the engine did that nobody asked for, one sentence each.
    """

    format: Literal[1] = FORMAT
    program: str = __version__
    settings: StoredSettings
    content: Ingredient | None = None
    styles: tuple[StyleIngredient, ...] = Field(min_length=1)
    start: Ingredient | None = None
    network_sha256: Sha256 | None
    size: tuple[Length, Length]
    steps: Count
    evaluations: Count
    seconds: float = Field(ge=0)
    complete: bool
    preset: str = ""
    device: str = ""
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The recipe as JSON in ASCII, which survives every kind of metadata."""
        return self.model_dump_json(ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "the file") -> Recipe:
        """A recipe from JSON; `source` is what messages call the place it came from.

        Raises:
            InputError: The text is no recipe, was made by a newer version, or holds a setting
                that is unknown or out of its range.
        """
        try:
            _refuse_newer(pydantic_core.from_json(text))
            return cls.model_validate_json(text)
        except InputError as error:
            reason = textwrap.shorten(error.message, _SHOWN)
            raise InputError(
                f"The recipe in {source} cannot be used. {reason}", error.remedy
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise InputError(
                f"The recipe in {source} is damaged: {first['msg']} ({where})."
            ) from error
        except ValueError as error:
            raise InputError(f"The recipe in {source} is damaged: {error}.") from error


def recipe_of(job: Job, pastiche: Pastiche, preset: str = "") -> Recipe:
    """The recipe of a finished or stopped job.

    Reads the network's file once (tens of megabytes) to hash it: not for the window's thread.
    """
    height, width = pastiche.pixels.shape[:2]
    return Recipe(
        settings=pastiche.settings,
        content=_ingredient(job.content),
        styles=tuple(
            StyleIngredient(name=style.picture.name, sha256=style.picture.sha256, weight=weight)
            for style, weight in zip(job.styles, pastiche.style_weights, strict=True)
        ),
        start=_ingredient(job.start if pastiche.settings.start is Start.PICTURE else None),
        network_sha256=_file_sha256(job.network_weights),
        size=(width, height),
        steps=pastiche.progress.step,
        evaluations=pastiche.progress.evaluations,
        seconds=pastiche.progress.seconds,
        complete=pastiche.complete,
        preset=preset,
        device=pastiche.progress.device,
        notes=pastiche.notes,
    )


def read_recipe(path: Path) -> Recipe | None:
    """The recipe inside a picture file; None where there is none.

    Raises:
        InputError: The file cannot be read or is no picture, or its recipe cannot be used.
    """
    return recipe_in(read_file(path), shown_name(path))


def recipe_in(data: bytes, name: str) -> Recipe | None:
    """The recipe inside a picture file's bytes; None where there is none.

    Raises:
        InputError: The bytes are no picture, or the recipe cannot be used.
    """
    text = embedded_text(identify(data, name), name)
    return None if text is None else Recipe.from_json(text, name)


def _refuse_newer(values: object) -> None:
    version = values.get("format") if isinstance(values, Mapping) else None
    if isinstance(version, int) and version > FORMAT:
        raise InputError("It was made by a newer version of Gramarye.", "Update Gramarye.")


def _ingredient(picture: Picture | None) -> Ingredient | None:
    return Ingredient(name=picture.name, sha256=picture.sha256) if picture else None


def _file_sha256(path: Path) -> str | None:
    """Of a file; None if it can no longer be read: a missing detail must not cost a picture."""
    try:
        status = path.stat()
        return _hash_once(path, status.st_mtime_ns, status.st_size)
    except OSError:
        return None


@functools.lru_cache(maxsize=8)
def _hash_once(path: Path, modified: int, size: int) -> str:
    """SHA-256 of a file, remembered until its time or size changes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
