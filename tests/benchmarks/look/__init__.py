"""Judges looks: renders pairs of pictures with presets, measures them, and lays them side by side.

    python -m tests.benchmarks.look --presets Flowing,Brushwork --size 256 --out FOLDER --marks

`__main__` tells all options. Every number is the smaller the better. Those of a *judge* are
measured with a network's features, VGG-19's where its weights are there, and once more with a
second network, VGG-16 or the draft network: what only the network says that was optimised through,
is not to be believed. A picture is looked at in its own size, the photograph is brought to that,
and the painting's long side to the picture's.

| number | what it means | agrees with the eye? |
|---|---|---|
| `content` | relu4_2 against the photograph's, over its power | only as a bound: beyond 0.9 shapes are gone; a mere tint and a firm drawing can have the same |
| `gram` | Gram matrices against the painting's, mean of relu1_1 ... relu5_1 | no: a photograph under a veil of the painting's texture has the smallest |
| `nn_to_style` | NN out→style: 1 - cosine from each place's feature to the painting's nearest | best of all; methods that match features minimise it themselves, so look at `relu5_1` too |
| `nn_from_style` | NN style→out: the same from each place of the painting | yes: catches what was lost of the painting, as its palette; but ghosts of its things, a ship beside a bridge, lower it too |
| `self_similarity` | which places of the photograph are alike, relu3_1 and relu4_1 | yes, for how well the picture is to be read; an untouched photograph has 0 |
| `patch` | 7 x 7 pixels against the painting's nearest, RGB, root mean square | yes: needs no network; smooth pictures are favoured a little |
| `patch_back` | the same from each patch of the painting | as `nn_from_style` |
| `residue` | correlation of the finest details with the photograph's, where that has some; below 0 where they are reversed | necessary, not sufficient: small wherever outlines are redrawn, well or badly; below 0.1 it tells nothing apart, and at 512 px all are |
| `fringe` | strength of the finest colour details over the painting's | above 1.5 colour noise is seen, most in paintings of one colour, where it is large at once; below 1 says nothing |

The picture is judged by a person in the end: `--blind SEED` makes sheets that do not tell which
preset is which, `--reveal VERDICTS KEY` counts what was preferred.
"""  # noqa: E501 - a table's row is one line
