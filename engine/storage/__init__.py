"""Pictures, recipes, presets and logs on disk."""
