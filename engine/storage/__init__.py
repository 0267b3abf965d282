"""What is kept on disk: pictures, recipes, presets, places and logs, whole and never lost."""
