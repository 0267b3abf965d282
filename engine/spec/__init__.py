"""The values that flow: what is asked, decided, happened and came of it; no torch, no files."""
