"""What every feature of the window leans on."""
