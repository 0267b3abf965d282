"""Files of network weights to named convolutions and back, taking no file at its word."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import safe_open
from safetensors.torch import load, load_file, save
from torch import Tensor

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.spec.layers import network_title
from engine.spec.wording import gigabytes, plain
from engine.storage.naming import shown_name
from engine.storage.ordinary import ordinary_file, read_ordinary
from engine.storage.paths import replacing, unreadable
from engine.weights.files import refuse_unless_ordinary
from engine.weights.layout import UnfitError, by_layer, own_part, shapes_of

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
"""How the files of torch.save begin, since 1.6 and before."""

DRAFT_FORMAT = "1"
"""The version of the draft network's file, as its header says it."""

_LARGEST = 1_200_000_000
"""Bytes in a file: the published VGG-19 in double precision, or with an optimiser's momentum."""

_LARGEST_INDEX = 1 << 22
"""Bytes of what names the tensors of a .pth file; hundreds of layers take a few thousand."""

_REMEDY = "Choose the file torchvision publishes for this network, or one made from it."


@dataclass(frozen=True, eq=False)
class NetworkWeights:
    """A network as it was read, and from what.

    Attributes:
        tensors: `conv1_1.weight` (C_out, C_in, 3, 3), `conv1_1.bias` (C_out,), ... in the network's
            order; of the draft network also `relu1_1.projection` (K, C), ...; float32, finite, on
            the CPU.
        sha256: Of the file's bytes as they were when they were read, hexadecimal.
    """

    tensors: Mapping[str, Tensor]
    sha256: str


def read_weights(path: Path, network: NetworkName) -> NetworkWeights:
    """The convolutions of a network from a .safetensors or .pth file, full or convolutions only.

    Layers may be named as torchvision does (`features.0.weight`) or as we do (`conv1_1.weight`).
    Nothing in the file is executed.

    Raises:
        InputError: The file cannot be read, or is not this network; the message names the first
            layer that is missing, misshapen or does not hold finite numbers.
    """
    draft = network is NetworkName.DRAFT
    if draft:
        _check_version(path)
    refuse_unless_ordinary(path)
    name = shown_name(path)
    try:
        with ordinary_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > _LARGEST:
                raise InputError(
                    f"{name} is too large for network weights: {gigabytes(size)}.", _REMEDY
                )
            # The same open file twice: another put in its place meanwhile changes nothing.
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if draft:
                _check_shipped(path, sha256)
            file.seek(0)
            tensors = _read_tensors(file, name)
    except OSError as error:
        raise unreadable(path, error) from error
    found = by_layer(tensors, network)
    expected = shapes_of(network)
    not_it = f"{name} is not {network_title(network)}"
    try:
        kept = {key: own_part(found.get(key), key, shape) for key, shape in expected.items()}
    except UnfitError as error:
        raise InputError(f"{not_it}: {error}.", _REMEDY) from error
    foreign = sorted(key for key in found if key not in expected)
    if foreign:
        layer = plain(foreign[0].rpartition(".")[0], 40)
        raise InputError(f"{not_it}: it also has a layer {layer}.", _REMEDY)
    return NetworkWeights(kept, sha256)


def write_weights(weights: Mapping[str, Tensor], path: Path, origin: Mapping[str, str]) -> None:
    """Keep convolutions as safetensors, with where they came from in the header.

    Raises:
        InputError: The place cannot be written to, or the file read back differs; what was there
            before is still there.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(save(dict(weights), dict(origin)))
        written = load_file(temporary)
        if written.keys() != weights.keys() or not all(
            torch.equal(written[key], tensor) for key, tensor in weights.items()
        ):
            raise InputError(
                f"{path} was not written faithfully; it was left as it was.", "Check the disk."
            )


def _read_tensors(file: BinaryIO, name: str) -> dict[str, Tensor]:
    """Whatever tensors a file holds, by the names it gives them."""
    head = file.read(9)
    file.seek(0)
    try:
        # First: the length in front of a safetensors header may begin like a pickle.
        if head[8:] == b"{":
            return load(file.read())
        if head.startswith((_ZIP, _PICKLE)) and _stays_small(file):
            return _tensors_in(torch.load(file, map_location="cpu", weights_only=True))
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{name} was refused: it holds code, or something else that is not plain numbers.",
            _REMEDY,
        ) from error
    # A damaged file makes the parsers raise nearly anything, and all of it means the same.
    except Exception as error:
        raise InputError(
            f"{name} is damaged or incomplete.", "Download or copy the file again."
        ) from error
    content = "not a file of network weights" if head else "empty"
    raise InputError(f"{name} is {content}.", _REMEDY)


def _stays_small(file: BinaryIO) -> bool:
    """Whether an archive takes no more than its size to read; torch.save compresses nothing.

    Raises:
        zipfile.BadZipFile: It is damaged.
    """
    archived = zipfile.is_zipfile(file)
    file.seek(0)
    if not archived:
        return True  # from before archives
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    file.seek(0)
    return all(
        entry.compress_type == zipfile.ZIP_STORED
        and (entry.file_size <= _LARGEST_INDEX or not entry.filename.endswith("data.pkl"))
        for entry in entries
    )


def digest_beside(path: Path) -> Path:
    """The file that holds the SHA-256 of another beside it."""
    return path.with_name(f"{path.name}.sha256")


def _check_version(path: Path) -> None:
    """Refuse a draft network of another version."""
    if not os.path.isfile(path):
        raise _draft_fault(f"{path.name} cannot be read")
    try:
        with safe_open(path, "pt") as file:
            version = (file.metadata() or {}).get("format")
    except OSError as error:
        raise _draft_fault(f"{path.name} cannot be read") from error
    except Exception as error:
        raise _draft_fault(f"{path.name} is damaged or incomplete") from error
    if version != DRAFT_FORMAT:
        raise _draft_fault(f"{path.name} is of another version")


def _check_shipped(path: Path, sha256: str) -> None:
    """Refuse a draft network that is not the one that ships.

    The digest lies beside the file that ships; a file of one's own need not have one.
    """
    sidecar = digest_beside(path)
    try:
        wanted = read_ordinary(sidecar).decode("ascii").split()[0] if sidecar.is_file() else sha256
    except (InputError, ValueError, IndexError) as error:
        raise _draft_fault(f"{sidecar.name} is damaged or incomplete") from error
    if wanted != sha256:
        raise _draft_fault(f"{path.name} is not the file that ships with this version")


def _draft_fault(what: str) -> InputError:
    return InputError(
        f"The draft network cannot be used: {what}.",
        "Install Gramarye again if it is the file that ships; or choose another network.",
    )


def _tensors_in(loaded: object) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    entries = loaded.items() if isinstance(loaded, Mapping) else ()
    return {
        name.removeprefix("module."): tensor
        for name, tensor in entries
        if isinstance(name, str) and isinstance(tensor, Tensor)
    }
