"""What all values are that outlive the program: frozen, strict, written as JSON with a format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.spec.errors import InputError
from engine.spec.versions import Migration, migrated, numbered
from engine.spec.wording import plain


class Value(BaseModel):
    """A frozen value, validated strictly, that is written and read as JSON."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        defer_build=True,  # what no window needs to open is not made ready before it does
    )


class Versioned(Value):
    """A value that is kept in files, under the number of its format.

    Attributes:
        chain: Leads from each format of the past to the next.
    """

    chain: ClassVar[tuple[Migration, ...]] = ()

    def to_values(self) -> dict[str, Any]:
        """As JSON has it, with the number of the format."""
        return numbered(self.model_dump(mode="json"), self.chain)

    @classmethod
    def from_values(cls, values: Mapping[str, Any], what: str) -> Self:
        """What `to_values` wrote, now or in an earlier version; nothing in it is trusted.

        Args:
            values: As JSON has it.
            what: What messages call it, as a sentence begins: "The recipe in picture.png".

        Raises:
            NewerFormatError: It was written by a newer version.
            InputError: It is damaged.
        """
        current = migrated(values, cls.chain, what)
        try:
            return cls.model_validate_json(json.dumps(current))
        except ValidationError as error:
            first = error.errors()[0]
            where = plain(".".join(map(str, first["loc"])) or "the whole", 60)
            reason = plain(str(first["msg"]).removeprefix("Value error, "), 160)
            raise InputError(f"{what} is damaged: {reason} ({where}).") from error
        except RecursionError as error:
            raise InputError(f"{what} is damaged: it is nested too deeply.") from error
