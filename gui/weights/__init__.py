"""Network weights in the window: found, downloaded, located."""
