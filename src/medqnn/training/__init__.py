"""Training by recipe, and the run folder that tells all about it."""
