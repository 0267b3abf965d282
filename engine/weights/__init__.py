"""Network weights: files found, fetched and verified."""
