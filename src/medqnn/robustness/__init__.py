"""How a run's networks fare on images that are worse than those they were trained on."""
