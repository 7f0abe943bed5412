"""The search of a variant's recipe, the same budget for each, by the validation part alone.

Otherwise a twin may lose because it was trained with the settings that suit the hybrid. The first
trial is the recipe as it is; the others are drawn by Optuna's tree-structured Parzen estimator
(Bergstra et al. 2011) from the space that the recipe's section ``tuning`` names. What is made
least is the mean negative logarithm of the probability that the model of the best epoch gives to
the truth of the validation images. The test part is never predicted.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from optuna import Study, Trial, create_study
from optuna.logging import WARNING, set_verbosity
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from medqnn.errors import RunError
from medqnn.evaluation.predictions import AnyPredictions, Predictions
from medqnn.training import recipe as recipes
from medqnn.training.fit import fit
from medqnn.training.inputs import Inputs
from medqnn.training.predict import predict
from medqnn.training.sections import Choices, Recipe

SEED = 2**16  # of all trials; none of a study's runs
LEAST = 1e-12  # a probability of 0 would cost without end


def search(
    recipe: Recipe, variant: str, inputs: Inputs, trials: int, folder: Path
) -> dict[str, Any]:
    """Try settings one after the other, or go on with a search that was interrupted.

    Args:
        recipe: With its space.
        variant: ``hybrid`` or a twin.
        inputs: Data and split.
        trials: How many.
        folder: For the trials so far; the trial that is being trained stands beside them.

    Returns:
        chosen {setting: value}, loss (of the chosen one), trials [{setting: value, loss}]. A trial
        whose training diverged has no loss.

    Raises:
        RunError: If every trial diverged.
    """
    set_verbosity(WARNING)
    study = create_study(sampler=TPESampler(seed=SEED))
    study.enqueue_trial(_own(recipe))
    table = folder / "trials.csv"
    losses = pd.read_csv(table)["loss"].tolist() if table.is_file() else []
    for number in range(trials):
        trial = study.ask()
        settings = _suggest(recipe, trial)
        if number == len(losses):  # those before were tried before an interruption
            tried = folder / f"trial-{number}"
            losses.append(_try(recipe, variant, settings, inputs, tried))
            _write(table, losses)
            shutil.rmtree(tried)
        loss = losses[number]
        if np.isfinite(loss):
            study.tell(trial, loss)
        else:
            study.tell(trial, state=TrialState.FAIL)
    return _result(study, variant)


def _own(recipe: Recipe) -> dict[str, Any]:
    """The recipe's own values of what is searched, brought into the space."""
    values = recipe.model_dump(mode="json")
    own: dict[str, Any] = {}
    for key, space in recipe.tuning.items():
        value: Any = values
        for part in key.split("."):
            value = value[part]
        if isinstance(space, Choices):
            own |= {key: value} if value in space.choices else {}
        else:
            own[key] = min(max(value, space.low), space.high)
    return own


def _suggest(recipe: Recipe, trial: Trial) -> dict[str, Any]:
    """The trial's settings."""
    return {
        key: trial.suggest_categorical(key, space.choices)
        if isinstance(space, Choices)
        else trial.suggest_float(key, space.low, space.high, log=space.log)
        for key, space in recipe.tuning.items()
    }


def _try(
    recipe: Recipe, variant: str, settings: dict[str, Any], inputs: Inputs, folder: Path
) -> float:
    """Validation loss of a model trained with these settings; infinite if training diverged."""
    recipe = recipes.changed(recipe, {**settings, "seed": SEED, "variants": [variant]})
    folder.mkdir(parents=True, exist_ok=True)
    try:
        model = fit(recipe, variant, inputs, folder, bar=False)
    except RunError:  # no epoch had a finite validation loss
        return float("inf")
    return log_loss(predict(model, inputs, "val").predictions)


def log_loss(predictions: AnyPredictions) -> float:
    """Mean of −log p(truth) over images, of findings over images and findings; in nats."""
    given, labels = predictions.probabilities, predictions.labels
    if isinstance(predictions, Predictions):
        truth = given[np.arange(len(labels)), labels]
    else:
        truth = np.where(labels, given, 1 - given)
    return float(-np.log(np.maximum(truth, LEAST)).mean())


def _write(table: Path, losses: list[float]) -> None:
    partial = table.with_suffix(".partial")
    pd.DataFrame({"loss": losses}).to_csv(partial, index_label="trial")
    partial.replace(table)


def _result(study: Study, variant: str) -> dict[str, Any]:
    trials = [
        {**trial.params, "loss": trial.value if trial.state == TrialState.COMPLETE else None}
        for trial in study.trials
    ]
    if all(trial["loss"] is None for trial in trials):
        raise RunError(
            f"all {len(trials)} trials of {variant} diverged: narrow the recipe's section tuning"
        )
    return {"chosen": study.best_params, "loss": study.best_value, "trials": trials}
