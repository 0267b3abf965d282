"""What the engine is given: a request with its pictures, and what of an earlier run to repeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.spec.errors import InputError
from engine.spec.events import Events
from engine.spec.pictures import Picture, PictureRef, StyleImage
from engine.spec.plan import Plan
from engine.spec.request import Request, StyleRef, check_mix
from engine.spec.settings import Settings


@dataclass(frozen=True, eq=False)
class Job:
    """Everything one pastiche is made from.

    Attributes:
        request: What is asked.
        pictures: The pictures it names, by their hash.
        network_weights: The file with the network weights, where a person named one.
        plan: What was decided for it before and is to be done again; None to decide now.
        script: What happened before and is to happen again, at the same steps.

    Raises:
        InputError: The request lacks something, or a picture it names is not there.
    """

    request: Request
    pictures: Mapping[str, Picture]
    network_weights: Path | None = None
    plan: Plan | None = None
    script: Events = ()

    def __post_init__(self) -> None:
        self.request.refuse_unless_complete()
        for ref in self.request.pictures:
            if ref.sha256 not in self.pictures:
                raise InputError(f"The picture {ref.name} is not there.", "Open it again.")

    def picture(self, ref: PictureRef) -> Picture:
        """The pixels of a picture the request names."""
        return self.pictures[ref.sha256]


@dataclass(frozen=True)
class Retune:
    """Changed values for a running job: the live settings and the styles' shares."""

    settings: Settings
    shares: tuple[float, ...]


def job_of(
    content: Picture | None,
    styles: Iterable[StyleImage],
    settings: Settings,
    *,
    start: Picture | None = None,
    network_weights: Path | None = None,
) -> Job:
    """A job of opened pictures.

    Raises:
        InputError: The parts do not make a job; the message says what is missing.
    """
    styles = tuple(styles)
    check_mix(tuple(style.weight for style in styles))
    opened = (content, *(style.picture for style in styles), start)
    request = Request(
        content=None if content is None else content.ref,
        styles=tuple(StyleRef.of(style.picture, style.weight) for style in styles),
        start=None if start is None else start.ref,
        settings=settings,
    )
    pictures = {picture.sha256: picture for picture in opened if picture is not None}
    return Job(request, pictures, network_weights)
