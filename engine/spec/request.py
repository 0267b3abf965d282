"""What was asked: pictures by what they hold, their shares, and the settings as a person set them.

The window's undo, presets, recipes, the command line and the history speak of this one value. What
was decided for it is a `Plan`; nothing decided is ever written back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer

from engine.spec.choices import Start
from engine.spec.earlier_settings import with_former_meaning
from engine.spec.errors import InputError
from engine.spec.limits import HEAVIEST
from engine.spec.pictures import Picture, PictureRef, Size
from engine.spec.settings import DEFAULTS, Settings, settings_from
from engine.spec.values import Versioned
from engine.spec.versions import Migration


def _read(value: object) -> object:
    return settings_from(value) if isinstance(value, Mapping) else value


StoredSettings = Annotated[
    Settings,
    BeforeValidator(_read),
    PlainSerializer(lambda settings: settings.model_dump(mode="json")),
]
"""Settings that are written as names with values, and read in the words a person may use."""


class StyleRef(PictureRef):
    """A painting and its share in the blend; shares are relative to each other."""

    weight: float = Field(1.0, ge=0)

    @classmethod
    def of(cls, picture: Picture, weight: float = 1.0) -> StyleRef:
        """A style image from an opened picture."""
        return cls(**picture.ref.model_dump(), weight=weight)

    def without_folder(self) -> StyleRef:
        """The same for others to read."""
        return self.model_copy(update={"path": ""})


class Request(Versioned):
    """What was asked; it may still lack what a job needs, see `refuse_unless_complete`.

    Attributes:
        content: The photograph; None to synthesise a texture.
        styles: The paintings with their shares.
        start: The picture to start from when `settings.start` is `picture`.
        settings: As they were set: `auto` stays `auto`.
    """

    chain: ClassVar[tuple[Migration, ...]] = (with_former_meaning,)

    content: PictureRef | None = None
    styles: tuple[StyleRef, ...] = ()
    start: PictureRef | None = None
    settings: StoredSettings = DEFAULTS

    @property
    def shares(self) -> tuple[float, ...]:
        """Each painting's weight in the blend."""
        return tuple(style.weight for style in self.styles)

    @property
    def pictures(self) -> tuple[PictureRef, ...]:
        """All pictures that are needed, the start only where it is used."""
        start = self.start if self.settings.start is Start.PICTURE else None
        return tuple(ref for ref in (self.content, *self.styles, start) if ref is not None)

    @property
    def canvas_shape(self) -> Size:
        """The size whose proportions the pastiche takes: content's, start's, or a square."""
        if self.content is not None:
            return size_of(self.content)
        if self.settings.start is Start.PICTURE and self.start is not None:
            return size_of(self.start)
        return 1, 1

    def asking(self, settings: Settings, shares: tuple[float, ...] | None = None) -> Request:
        """The same pictures with other settings, and other shares if any are given.

        Raises:
            InputError: The shares are not one for each painting, or blend to nothing.
        """
        if shares is None:
            return self.model_copy(update={"settings": settings})
        check_mix(shares)
        if len(shares) != len(self.styles):
            raise InputError("There are more or fewer style weights than style images.")
        styles = tuple(
            style.model_copy(update={"weight": share})
            for style, share in zip(self.styles, shares, strict=True)
        )
        return self.model_copy(update={"settings": settings, "styles": styles})

    def without_folders(self) -> Request:
        """The same for others to read."""
        return self.model_copy(
            update={
                "content": self.content and self.content.without_folder(),
                "styles": tuple(style.without_folder() for style in self.styles),
                "start": self.start and self.start.without_folder(),
            }
        )

    def refuse_unless_complete(self) -> None:
        """Check that a job can be made of it.

        Raises:
            InputError: A picture or a weight is missing; the message says which.
        """
        check_mix(self.shares)
        self._refuse_if_nothing_is_asked()
        start = self.settings.start
        if start is Start.PICTURE and self.start is None:
            raise InputError("There is no picture to start from.", "Open one, or start from noise.")
        if start in (Start.CONTENT, Start.MIX) and self.content is None:
            raise InputError(
                "Without a content image there is nothing to start from.",
                "Set the start to noise or style-noise.",
            )

    def _refuse_if_nothing_is_asked(self) -> None:
        settings = self.settings
        content = settings.effective_content_weight() if self.content is not None else 0.0
        content *= sum(weight for _, weight in settings.content_layers)
        layers = sum(weight for _, weight in settings.style_layers)
        style = settings.effective_style_weight() * layers
        edges = settings.keep_edges if self.content is not None else 0.0
        matched = settings.matched_weight * sum(weight for _, weight in settings.matched_layers)
        if not (content or style or matched or settings.smoothness or edges):
            raise InputError(
                "Nothing is asked of the picture: every weight is 0.",
                "Raise the style strength, or the content or style weight.",
            )


def check_mix(shares: tuple[float, ...]) -> None:
    """Refuse style weights that blend to nothing.

    Raises:
        InputError: There is no style, a weight is negative or not finite, or all are zero.
    """
    if not shares:
        raise InputError("There is no style image.", "Add at least one painting.")
    if not all(0 <= share <= HEAVIEST for share in shares):
        raise InputError(f"A style's weight must be a number from 0 to {HEAVIEST:.0f}.")
    if not any(shares):
        raise InputError("All style weights are 0.", "Give at least one painting a weight.")


def size_of(ref: PictureRef) -> Size:
    """The size of a picture that has been opened.

    Raises:
        InputError: It has not been.
    """
    if ref.size is None:
        raise InputError(f"The size of {ref.name} is not known.", "Open the picture first.")
    return ref.size
