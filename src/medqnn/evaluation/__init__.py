"""Evaluation of tables of predictions and of attention maps, never of models.

`predictions` is the table, `multilabel` its like for findings that may occur together; `evaluate`
and `compare` (module `evaluate`) put together what the other modules compute from either, `words`
says it in sentences. `medmnist` is that benchmark's own score. `localisation` scores attention maps
against masks.
"""
