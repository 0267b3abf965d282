"""Every parameter of a pastiche, declared once; panel, command line, presets and docs read it here.

A field is one parameter. Its `parameter(...)` call is the whole declaration: default, range, unit,
plain name, the field's term, what it does to the picture, and whether it may change while a job
runs. `engine.spec.settings` makes rows of them to build widgets and help texts from.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from engine.spec.choices import (
    Canvas,
    Device,
    MatchMetric,
    MatchTurns,
    NetworkName,
    OptimizerName,
    Padding,
    Pooling,
    Precision,
    Start,
    StyleLoss,
)
from engine.spec.layers import Layers
from engine.spec.limits import HEAVIEST, LONGEST_SIDE
from engine.spec.parameters import Group, parameter
from engine.spec.tiles import TileSide


class Declared(BaseModel):
    """The values of all parameters; frozen and validated strictly, each by itself."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    style_strength: float = parameter(
        1.0, "Style strength", term="s in α / s and β s", unit="×",
        low=0.0, high=1000.0, slider=(0.05, 20.0), log=True, live=True, group=Group.BASIC,
        help="How much of the painting goes into the photograph. More bends shapes and colours "
        "towards the style; less keeps the photograph recognisable. It moves both sides: 2 doubles "
        "the style weight and halves the content weight.",
    )  # fmt: skip
    stroke_size: float = parameter(
        1.0, "Stroke size", term="style size relative to the canvas", unit="×",
        low=0.05, high=8.0, slider=(0.25, 4.0), log=True, group=Group.BASIC,
        help="How large the painting's strokes are on the canvas. At 1 the painting is as long as "
        "the canvas; 2 doubles its strokes, 0.5 halves them. The same at every output size.",
    )  # fmt: skip
    output_size: int = parameter(
        512, "Output size", term="long side of the pastiche", unit="px",
        low=16, high=LONGEST_SIDE, slider=(128, 4096), log=True, group=Group.BASIC, preset=False,
        help="The long side of the finished picture. The strokes keep their size relative to the "
        "canvas, so a small render predicts a large one.",
    )  # fmt: skip
    steps: int = parameter(
        120, "Detail", term="steps at the coarsest scale", unit="steps",
        low=1, high=100000, slider=(10, 2000), log=True, group=Group.BASIC,
        help="How long each part of the picture is worked on. More steps follow the painting "
        "further and take longer.",
    )  # fmt: skip
    smoothness: float = parameter(
        0.0, "Smoothness", term="total variation weight", unit="",
        low=0.0, high=10000.0, slider=(0.0, 10.0), live=True, group=Group.BASIC,
        help="Calms grain and speckle. Too much melts the brushwork.",
    )  # fmt: skip
    clean_colours: float = parameter(
        0.1, "Clean colours", term="weight of the fine colour beyond the painting's",
        low=0.0, high=10000.0, slider=(0.0, 1.0), live=True, group=Group.BASIC,
        help="Takes away coloured specks and fringes as far as the painting has none of its own.",
    )  # fmt: skip
    keep_edges: float = parameter(
        0.0, "Keep edges", term="Laplacian loss weight (Lapstyle)",
        low=0.0, high=10000.0, slider=(0.0, 10.0), live=True, group=Group.BASIC,
        help="Holds the photograph's outlines under any style; much of it brings its shading back. "
        "Without a photograph it does nothing.",
    )  # fmt: skip
    start: Start = parameter(
        Start.CONTENT, "Start from", term="initialisation", group=Group.BASIC,
        help="What the canvas holds before the first step: the photograph (keeps its shapes "
        "best), white noise, noise in the painting's colours, a mix of photograph and noise, or "
        "any picture of yours.",
    )  # fmt: skip
    start_noise: float = parameter(
        0.5, "Noise in the mix", term="share of noise", low=0.0, high=1.0, slider=(0.0, 1.0),
        group=Group.OPTIMISATION, relevant=("start", (Start.MIX,)),
        help="For the start 'mix': 0 is the photograph alone, 1 is noise alone.",
    )  # fmt: skip

    content_weight: float = parameter(
        0.35, "Content weight", term="α", low=0.0, high=HEAVIEST, slider=(0.01, 100.0), log=True,
        live=True, group=Group.OBJECTIVE,
        help="What a departure from the photograph costs, relative to the photograph's own "
        "features. Style strength divides it. 0 lets go of the photograph.",
    )  # fmt: skip
    style_weight: float = parameter(
        3.5, "Style weight", term="β", low=0.0, high=HEAVIEST, slider=(0.1, 1000.0), log=True,
        live=True, group=Group.OBJECTIVE,
        help="What a departure from the painting's statistics costs, relative to the painting's "
        "own. Style strength multiplies it.",
    )  # fmt: skip
    style_loss: StyleLoss = parameter(
        StyleLoss.WASSERSTEIN, "Style loss", term="loss on the features", group=Group.OBJECTIVE,
        help="gram compares correlations of features (Gatys 2016), gram+mean+std also means and "
        "spreads; wasserstein two Gaussians, sliced-wasserstein whole distributions along random "
        "directions, histogram those of each channel.",
    )  # fmt: skip
    content_layers: Layers = parameter(
        "relu4_1:1", "Content layers", term="layers with weights", live=True, group=Group.OBJECTIVE,
        help="Where shapes are compared. Deeper layers keep the arrangement and let go of detail.",
    )  # fmt: skip
    style_layers: Layers = parameter(
        "relu1_1:1, relu2_1:1, relu3_1:1, relu4_1:1, relu5_1:1",
        "Style layers", term="layers with weights", live=True, group=Group.OBJECTIVE,
        help="Where the painting is measured. Early layers carry colour and grain, deep layers "
        "strokes and forms.",
    )  # fmt: skip

    matched_weight: float = parameter(
        1.0, "Matched weight", term="of the features that were matched", low=0.0,
        high=HEAVIEST, slider=(0.0, 10.0), live=True, group=Group.OBJECTIVE,
        help="How firmly each place is drawn as the most similar place of the painting is. "
        "Outlines and facets become the painting's; 0 leaves the drawing to the photograph.",
    )  # fmt: skip
    matched_layers: Layers = parameter(
        "relu1_1:1, relu2_1:1, relu3_1:1, relu4_1:1",
        "Matched layers", term="layers with weights", live=True, group=Group.OBJECTIVE,
        help="Where places are matched with the painting's and held against them.",
    )  # fmt: skip
    match_metric: MatchMetric = parameter(
        MatchMetric.SQUARED, "Matched by", term="metric of the matched features",
        group=Group.OBJECTIVE,
        help="squared keeps the painting's contrast; cosine compares patterns whatever their "
        "contrast, which is bolder and can glare.",
    )  # fmt: skip
    match_turns: MatchTurns = parameter(
        MatchTurns.NONE, "Turn painting", term="further entries of the codebook",
        group=Group.OBJECTIVE,
        help="Lets places of the painting match mirrored, by quarter turns, or both: more "
        "directions to choose from, and strokes that stand less as they were painted.",
    )  # fmt: skip
    match_canvas: float = parameter(
        0.2, "Canvas matched", term="share that each scale takes from the photograph",
        low=0.0, high=1.0, slider=(0.0, 1.0), group=Group.OBJECTIVE,
        help="What the painting's places are found for: 0 is the photograph at every scale; with "
        "more, the larger the scale the more of the pastiche as it stands, which is bolder and "
        "strays further.",
    )  # fmt: skip
    match_refresh: int = parameter(
        0, "Match again", term="steps between two searches", unit="steps",
        low=0, high=100000, slider=(0, 200), group=Group.OBJECTIVE,
        help="After how many steps places are matched anew with the canvas as it stands; 0 does "
        "it once at each scale. Often is bold and breaks faces.",
    )  # fmt: skip

    optimizer: OptimizerName = parameter(
        OptimizerName.ADAM, "Optimiser", group=Group.OPTIMISATION,
        help="adam walks steadily and averages its path; lbfgs gets furthest in few steps; "
        "gradient-descent is the plain x ← x − γ ∂L/∂x.",
    )  # fmt: skip
    canvas: Canvas = parameter(
        Canvas.PYRAMID, "Hold canvas as", term="parametrisation", group=Group.OPTIMISATION,
        help="pixels moves each pixel on its own; pyramid also moves whole areas together, which "
        "gets further in as many steps, with firmer shapes and calmer grounds.",
    )  # fmt: skip
    learning_rate: float = parameter(
        0.01, "Learning rate", term="Adam's step", low=1e-5, high=1.0, slider=(0.001, 0.2),
        log=True, group=Group.OPTIMISATION, relevant=("optimizer", (OptimizerName.ADAM,)),
        help="How far Adam moves a pixel in a step; pixels run from 0 to 1.",
    )  # fmt: skip
    learning_rate_decay: float = parameter(
        1.0, "Rate decay", term="Adam's last step relative to its first",
        low=0.01, high=1.0, slider=(0.01, 1.0), log=True, group=Group.OPTIMISATION,
        relevant=("optimizer", (OptimizerName.ADAM,)),
        help="Adam's steps shrink to this share by the end of each scale, evenly in ratio. Less "
        "settles what is left unsteady; 1 keeps them as long.",
    )  # fmt: skip
    averaging: float = parameter(
        0.0, "Averaging", term="decay of the averaged iterates", low=0.0, high=0.9999,
        slider=(0.0, 0.999), group=Group.OPTIMISATION,
        relevant=("optimizer", (OptimizerName.ADAM,)),
        help="Adam's result is the running average of its iterates, which is cleaner than the "
        "last one. 0 takes the last.",
    )  # fmt: skip
    lbfgs_history: int = parameter(
        20, "L-BFGS history", term="stored curvature pairs", low=1, high=200, slider=(2, 100),
        group=Group.OPTIMISATION, relevant=("optimizer", (OptimizerName.LBFGS,)),
        help="How many past steps L-BFGS remembers. More costs memory and rarely helps.",
    )  # fmt: skip
    step_size: float = parameter(
        1e-4, "Descent step", term="γ", low=1e-8, high=1000.0, slider=(1e-6, 0.01), log=True,
        group=Group.OPTIMISATION, relevant=("optimizer", (OptimizerName.GRADIENT_DESCENT,)),
        help="Gradient descent's step, for the gradient of one pixel's share: "
        "x ← x − γ N ∂L/∂x with N values in the picture, the same at every size.",
    )  # fmt: skip
    coarsest_size: int = parameter(
        64, "Coarsest scale", term="long side of the first scale", unit="px",
        low=16, high=LONGEST_SIDE, slider=(32, 1024), log=True, group=Group.OPTIMISATION,
        help="The picture is first painted this small, then ever larger. At the output size or "
        "above there is one scale only.",
    )  # fmt: skip
    scale_factor: float = parameter(
        2.0, "Scale factor", term="ratio of neighbouring scales", low=1.1, high=4.0,
        slider=(1.1, 4.0), group=Group.OPTIMISATION,
        help="How much larger each scale is than the one before.",
    )  # fmt: skip
    steps_falloff: float = parameter(
        0.6, "Steps falloff", term="steps of a scale relative to the one before",
        low=0.01, high=4.0, slider=(0.1, 1.0), group=Group.OPTIMISATION,
        help="Large scales start almost finished: each takes this share of the steps of the one "
        "before.",
    )  # fmt: skip
    seed: int = parameter(
        0, "Seed", term="of the noise", low=0, high=2**31 - 1, group=Group.OPTIMISATION,
        preset=False,
        relevant=("start", (Start.NOISE, Start.STYLE_NOISE, Start.MIX)),
        help="The same seed on the same machine and device gives the same pixels.",
    )  # fmt: skip

    network: NetworkName = parameter(
        NetworkName.AUTO, "Network", group=Group.NETWORK,
        help="The pretrained network whose features are compared. auto is VGG-19 where its weights "
        "are on this machine, else the draft network, which is quicker and coarser.",
    )  # fmt: skip
    pooling: Pooling = parameter(
        Pooling.MAX, "Pooling", group=Group.NETWORK,
        relevant=("network", (NetworkName.AUTO, NetworkName.VGG19, NetworkName.VGG16)),
        help="How the network halves its features. Average gives smoother pictures (Gatys 2016), "
        "max crisper ones; l2 lies between.",
    )  # fmt: skip
    padding: Padding = parameter(
        Padding.REPLICATE, "Border padding", term="padding of conv1_1", group=Group.NETWORK,
        help="What the network sees beyond the border: replicate avoids dark frames.",
    )  # fmt: skip

    device: Device = parameter(
        Device.AUTO, "Device", group=Group.MACHINE, preset=False,
        help="Where the arithmetic happens; auto takes the graphics card if there is one, "
        "of several the one with most free memory; cuda:N names one.",
    )  # fmt: skip
    precision: Precision = parameter(
        Precision.AUTO, "Precision", term="numbers inside the network", group=Group.MACHINE,
        preset=False,
        help="auto takes bfloat16 where the hardware has it, which halves time and memory and "
        "leaves the picture the same to the eye. float16 is for graphics cards without bfloat16.",
    )  # fmt: skip

    tile: TileSide = parameter(
        "auto", "Tiles", term="side of a tile", unit="px", group=Group.MACHINE, preset=False,
        help="Large pictures are computed tile by tile, which takes far less memory and gives the "
        "same picture. auto chooses a fast way that fits, none takes the picture as a whole, "
        "a number is the side of a square tile; narrow pictures are cut into bands as large.",
    )  # fmt: skip
