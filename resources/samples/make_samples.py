"""Makes the sample pair, photograph.jpg and painting.jpg, by arithmetic alone.

Run it as ``python resources/samples/make_samples.py``; the same pictures come out every time.
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from painting import painting
from photograph import photograph

SEED = 7


def main() -> None:
    """Writes both pictures beside this file, each made by a process of its own."""
    here = Path(__file__).parent
    with ProcessPoolExecutor() as pool:
        makers = photograph, painting
        made = [pool.submit(make, np.random.default_rng(SEED)) for make in makers]
        for make, picture in zip(makers, made, strict=True):
            picture.result().save(here / f"{make.__name__}.jpg", quality=88, optimize=True)


if __name__ == "__main__":
    main()
