"""Makes the sample photograph and the sample paintings by arithmetic alone.

Run it as ``python resources/samples/make_samples.py``; the same pictures come out every time.
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from mosaic import mosaic
from painting import painting
from photograph import photograph
from wash import wash
from woodcut import woodcut

SEED = 7
QUALITY = {photograph: 88, painting: 88, woodcut: 78, wash: 84, mosaic: 76}  # of the JPEG files


def main() -> None:
    """Writes every picture beside this file, each made by a process of its own."""
    here = Path(__file__).parent
    with ProcessPoolExecutor() as pool:
        made = [pool.submit(make, np.random.default_rng(SEED)) for make in QUALITY]
        for (make, quality), picture in zip(QUALITY.items(), made, strict=True):
            picture.result().save(here / f"{make.__name__}.jpg", quality=quality, optimize=True)


if __name__ == "__main__":
    main()
