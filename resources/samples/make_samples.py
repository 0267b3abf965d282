"""Makes the sample pair, photograph.jpg and painting.jpg, out of nothing but arithmetic.

Run it as ``python resources/samples/make_samples.py``; the same pictures come out every time.
"""

from pathlib import Path

import numpy as np
from painting import painting
from photograph import photograph

SEED = 7


def main() -> None:
    """Writes both pictures beside this file."""
    here = Path(__file__).parent
    for name, make in (("photograph", photograph), ("painting", painting)):
        picture = make(np.random.default_rng(SEED))
        picture.save(here / f"{name}.jpg", quality=88, optimize=True)


if __name__ == "__main__":
    main()
