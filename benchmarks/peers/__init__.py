"""The peers of the quantum layer, one file each; ``benchmarks/peers.py`` is the command.

A peer's file is imported by ``worker`` in an environment that may hold PyTorch and that peer alone,
so it knows ``problem``, ``autograd`` and ``jax_bridge`` of this package and nothing of medqnn's.
"""
