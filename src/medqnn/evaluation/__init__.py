"""Evaluation of tables of predictions and of attention maps, never of models.

`predictions` is the table; `evaluate` and `compare` (module `evaluate`) put together what the other
modules compute from it. `localisation` scores attention maps against masks.
"""
