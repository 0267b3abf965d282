"""Everything that turns pictures into a pastiche; free of Qt, and torch-free until a job starts."""

__version__ = "0.1.0"
