"""Noise: what devices do to circuits, exactly for narrow ones and by trajectories for wide ones."""

from medqnn.circuits.noise.channels import Channel, relaxation
from medqnn.circuits.noise.declaration import Noise, ReadoutError
from medqnn.circuits.noise.exact import expectations, probabilities

__all__ = ["Channel", "Noise", "ReadoutError", "expectations", "probabilities", "relaxation"]
