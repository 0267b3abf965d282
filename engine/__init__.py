"""Everything that turns pictures into a pastiche; free of Qt, and torch-free until a job starts."""

import os

__version__ = "0.1.0"

# Torch reads both once, while it loads; whoever has set them otherwise is obeyed.
# A thread that waits sleeps: spinning, it takes the core that the other threads, the window or
# another program need to get on.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Linux: large blocks in large pages, which leave fewer gaps between them.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
