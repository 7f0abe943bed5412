"""The sections of a recipe: their keys, defaults and ranges."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from medqnn.data.catalogue import Scans
from medqnn.devices import Profile, load
from medqnn.layers import VARIANTS


class Section(BaseModel):
    """A part of a recipe: frozen, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class About(Section):
    """Where the system was published, and what it claimed."""

    title: str
    authors: str
    year: int | None
    task: str
    data_sets: str
    published: dict[str, str] = {}


class Split(Section):
    """Shares of the parts, and which of a set's own divisions they follow.

    ``val: 0`` draws no validation part: all is trained on that is not tested, for as many epochs as
    the recipe says.
    """

    by: Literal["auto", "given", "fold", "patient"] = "auto"
    train: float = Field(0.70, gt=0, lt=1)
    val: float = Field(0.15, ge=0, lt=1)
    test: float = Field(0.15, gt=0, lt=1)
    test_folds: tuple[int, ...] = ()
    val_folds: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Split:
        if abs(self.train + self.val + self.test - 1.0) > 1e-6:
            raise ValueError(f"train + val + test is {self.train + self.val + self.test:g}, not 1")
        return self


class Augmentation(Section):
    """Random transforms of training images, their masks moving along; see ``data.augment``."""

    rotation_degrees: float = Field(15.0, ge=0, le=180)
    horizontal_flip: float = Field(0.5, ge=0, le=1)
    vertical_flip: float = Field(0.5, ge=0, le=1)
    zoom: float = Field(0.0, ge=0, le=1)
    shift: float = Field(0.0, ge=0, le=0.5)
    gamma: float = Field(0.0, ge=0, le=2)


_HINTS = get_type_hints(Scans)
_SCANS: dict[str, Any] = {key.name: (_HINTS[key.name], key.default) for key in fields(Scans)}
ScanOptions = create_model("ScanOptions", __base__=Section, **_SCANS)
"""``data.catalogue.Scans`` as a section."""


class Data(Section):
    """What the model is shown, and what it is asked.

    Without ``classes`` they are the data set's own, in its order. ``task`` asks for all of them;
    for ``one-vs-rest``, the group that ``positives`` names for the data set against the others (a
    set of two classes stays as it is); or for ``two-classes``, the two of ``classes``, or labels 0
    and 1. ``channels: auto`` are those of the data set's first image. ``scaling`` brings each
    image's own range to [0, 1] (``min-max``), or that of its integer type (``dtype``). ``scans``
    says how DICOM and NIfTI are read, null for the defaults.
    """

    classes: tuple[str, ...] = ()
    task: Literal["all-classes", "one-vs-rest", "two-classes"] = "all-classes"
    positives: dict[str, tuple[int | str, ...]] = {}
    image_size: int = Field(128, ge=16, le=1024)
    channels: Literal[1, 3, "auto"] = 1
    scaling: Literal["min-max", "dtype"] = "min-max"
    scans: ScanOptions | None = None
    split: Split = Split()
    augmentation: Augmentation = Augmentation()

    @field_validator("classes")
    @classmethod
    def _several(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if len(classes) == 1 or len(set(classes)) < len(classes):
            raise ValueError("name at least 2 classes, each once, or none for the data set's own")
        return classes

    @model_validator(mode="after")
    def _asked(self) -> Data:
        if self.task == "one-vs-rest" and self.classes:
            raise ValueError("one-vs-rest names its classes by positives: leave classes empty")
        if self.task == "two-classes" and len(self.classes) not in (0, 2):
            raise ValueError("two-classes needs two classes, or none for labels 0 and 1")
        return self


class AttentionLoss(Section):
    """ζ·BCE + γ·Dice of attention map and mask, and its weight β; see ``training.losses``."""

    weight: float = Field(1.0, ge=0)
    bce: float = Field(0.3, ge=0)
    dice: float = Field(0.7, ge=0)
    epsilon: float = Field(1.0, gt=0)
    temperature: float = Field(1.0, gt=0)


class Loss(Section):
    """L = α·CE + β·(ζ·BCE + γ·Dice), without the second term for a model without attention.

    ``class_weights`` weighs classes inversely to their frequency; ``label_smoothing`` is the share
    of each label that is spread over all classes.
    """

    classification: float = Field(1.0, ge=0)
    class_weights: bool = True
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    attention: AttentionLoss | None = None


class Training(Section):
    """Optimiser, gradient clipping, schedule of the learning rate, early stopping.

    ``optimizer_options`` are further arguments of the optimiser, see ``training.optimizers``.
    ``gradient_clip``, ``plateau_patience`` and ``early_stopping`` may be null for none.

    ``warmup_epochs`` is the number of first epochs over which the learning rate rises linearly.
    After them it is cut on a plateau of the validation loss, or with ``cosine_decay`` falls to 0 at
    the last epoch, as a half cosine.

    ``weight_averaging`` is the decay of the moving average of the weights that is validated and
    kept; 0 keeps the weights themselves.
    """

    optimizer: Literal["adamw", "adam", "sgd", "gvco"] = "adamw"
    optimizer_options: dict[str, bool | float] = {}
    learning_rate: float = Field(gt=0)
    warmup_epochs: int = Field(0, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    gradient_clip: float | None = Field(1.0, gt=0)
    cosine_decay: bool = False
    plateau_factor: float = Field(0.5, gt=0, lt=1)
    plateau_patience: int | None = Field(3, ge=0)
    early_stopping: int | None = Field(5, ge=1)
    epochs: int = Field(40, ge=1)
    batch_size: int = Field(64, ge=2)
    weight_averaging: float = Field(0.0, ge=0, lt=1)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"

    @model_validator(mode="after")
    def _one_schedule(self) -> Training:
        if self.cosine_decay and self.plateau_patience is not None:
            raise ValueError("cosine_decay sets the rate of every epoch: set plateau_patience=null")
        return self


class Evaluation(Section):
    """How test predictions are scored."""

    thresholds: tuple[float, ...] = (0.99, 0.90, 0.75)
    resamples: int = Field(1000, ge=100)

    @field_validator("thresholds")
    @classmethod
    def _levels(cls, thresholds: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < t < 1 for t in thresholds) or len(set(thresholds)) < len(thresholds):
            raise ValueError("give levels between 0 and 1, each once")
        return thresholds


class Range(Section):
    """Numbers from ``low`` to ``high`` that a search may try; by their logarithm if ``log``."""

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("give a low below the high, and above 0 if log")
        return self


class Choices(Section):
    """Values that a search may try."""

    choices: tuple[bool | int | float | str, ...] = Field(min_length=1)


class Recipe(Section):
    """One system's recipe.

    ``model`` holds the arguments of the system's model class, ``tuning`` the space of a study's
    searches: settings of this recipe, such as ``training.learning_rate``. ``noise`` is the device
    under whose noise circuits are trained, null for none: the name of a profile or a YAML file, of
    which a run's recipe keeps the figures themselves.
    """

    system: str
    about: About
    variants: tuple[str, ...] = Field(("hybrid", "dense"), min_length=1)
    seed: int = Field(0, ge=0, lt=2**32)
    data: Data
    model: Section
    loss: Loss = Loss()
    training: Training
    noise: Profile | None = None
    evaluation: Evaluation = Evaluation()
    tuning: dict[str, Range | Choices] = {}

    @field_validator("noise", mode="before")
    @classmethod
    def _profile(cls, noise: Any) -> Any:
        return load(noise) if isinstance(noise, str) else noise

    @field_validator("variants")
    @classmethod
    def _known_variants(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        if not set(variants) <= set(VARIANTS) or len(set(variants)) < len(variants):
            raise ValueError(f"name each variant once, out of {', '.join(VARIANTS)}")
        return variants
