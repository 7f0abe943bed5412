"""What a trained network looks at, and whether the maps that say so can be believed."""
