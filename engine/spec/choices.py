"""The words a person may choose between: networks, losses, optimisers, starts, devices."""

from __future__ import annotations

from enum import StrEnum


class NetworkName(StrEnum):
    """The pretrained networks whose features the losses are measured on.

    `auto` is VGG-19 where its weights are, else the draft network, which ships with the program.
    """

    AUTO = "auto"
    VGG19 = "vgg19"
    VGG16 = "vgg16"
    DRAFT = "draft"


class Pooling(StrEnum):
    """How the network halves its features; each keeps the scale of the activations."""

    MAX = "max"
    AVERAGE = "average"
    L2 = "l2"


class Padding(StrEnum):
    """What lies beyond the picture's border for the first convolution."""

    ZEROS = "zeros"
    REPLICATE = "replicate"


class StyleLoss(StrEnum):
    """By what the features of two pictures are compared, wherever in the pictures they lie."""

    GRAM = "gram"
    GRAM_MEAN_STD = "gram+mean+std"
    WASSERSTEIN = "wasserstein"
    SLICED = "sliced-wasserstein"
    HISTOGRAM = "histogram"


class MatchMetric(StrEnum):
    """How features are held against those of the painting that were matched with them."""

    SQUARED = "squared"
    COSINE = "cosine"


class MatchTurns(StrEnum):
    """In which ways a painting is looked at, beside upright, for what could be matched."""

    NONE = "none"
    MIRROR = "mirror"
    QUARTERS = "quarters"
    ALL = "all"


class Canvas(StrEnum):
    """What the optimiser moves: the pixels themselves, or the bands of their Laplacian pyramid."""

    PIXELS = "pixels"
    PYRAMID = "pyramid"


class OptimizerName(StrEnum):
    """What walks downhill."""

    ADAM = "adam"
    LBFGS = "lbfgs"
    GRADIENT_DESCENT = "gradient-descent"


class Start(StrEnum):
    """Where the pastiche starts from."""

    CONTENT = "content"
    NOISE = "noise"
    STYLE_NOISE = "style-noise"
    MIX = "mix"
    PICTURE = "picture"


class Device(StrEnum):
    """Where the arithmetic happens; `cuda` is the best of several cards, a number names one."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    CUDA_0 = "cuda:0"
    CUDA_1 = "cuda:1"
    CUDA_2 = "cuda:2"
    CUDA_3 = "cuda:3"
    CUDA_4 = "cuda:4"
    CUDA_5 = "cuda:5"
    CUDA_6 = "cuda:6"
    CUDA_7 = "cuda:7"
    MPS = "mps"

    @property
    def kind(self) -> Device:
        """The kind of device: `cuda` for every card."""
        return Device(self.value.partition(":")[0])


class Precision(StrEnum):
    """The numbers the network computes with; losses and image are always float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
