from __future__ import annotations

import re
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from medqnn.errors import RecipeError
from medqnn.models import SYSTEMS
from medqnn.training.recipe import dump, load, names, recipe_class, text, validate

NAME = "hqcm-ebtc"


def keys(values: dict[str, Any], prefix: str = "") -> set[str]:
    """Dotted names of all values."""
    found = set()
    for key, value in values.items():
        name = f"{prefix}{key}"
        found |= keys(value, f"{name}.") if isinstance(value, dict) else {name}
    return found


@pytest.mark.parametrize("name", names())
def test_packaged_recipe_loads(name: str) -> None:
    recipe = load(name)
    assert recipe.system in SYSTEMS
    assert recipe.about.title


def test_every_system_has_its_recipe() -> None:
    assert {load(name).system for name in names()} == set(SYSTEMS)


@pytest.mark.parametrize("name", names())
def test_packaged_recipe_writes_out_every_value(name: str) -> None:
    """No value is decided behind the reader's back."""
    shown = yaml.safe_load(text(name))
    resolved = yaml.safe_load(dump(load(name)))
    assert keys(shown) == keys(resolved)


@pytest.mark.parametrize("name", names())
def test_every_value_of_a_packaged_recipe_names_its_source(name: str) -> None:
    lines = re.sub(r"^about:\n(?:[ \n].*\n?)+", "", text(name), flags=re.MULTILINE).splitlines()
    values = [line for line in lines if re.match(r" *\w+: *[^ #]", line)]
    values.remove(f"system: {load(name).system}")
    assert len(values) > 20
    for line in values:
        comment = line.partition("#")[2]
        assert re.search(r"paper|released model|ours", comment), line


def test_written_recipe_reads_back_the_same(tmp_path: Path) -> None:
    recipe = load(NAME, ("seed=3", "model.widths=[8, 4, 2]", "data.split.test_folds=[4]"))
    path = tmp_path / "mine.yaml"
    path.write_text(dump(recipe), encoding="utf-8")
    assert load(str(path)) == recipe


@pytest.mark.parametrize("name", names())
def test_shown_recipe_is_a_recipe_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(text(name), encoding="utf-8")
    assert load(str(path)) == load(name)


def test_model_section_mirrors_the_constructor() -> None:
    arguments = signature(SYSTEMS[NAME].__init__).parameters
    from_data = {"self", "classes", "image_size", "channels", "variant"}
    model = recipe_class(NAME).model_fields["model"].default
    assert dict(model) == {
        name: argument.default for name, argument in arguments.items() if name not in from_data
    }


def test_overrides_are_yaml_and_the_last_wins() -> None:
    recipe = load(
        NAME,
        (
            "seed=1",
            "seed=2",
            "variants=[matched, hybrid]",
            "training.learning_rate=1e-3",
            "data.augmentation.vertical_flip=0",
            "model.entangler=cz",
        ),
    )
    assert recipe.seed == 2
    assert recipe.variants == ("matched", "hybrid")
    assert recipe.training.learning_rate == 1e-3
    assert recipe.data.augmentation.vertical_flip == 0
    assert dict(recipe.model)["entangler"] == "cz"


def test_override_makes_a_section_that_the_file_left_out(tmp_path: Path) -> None:
    values = yaml.safe_load(text(NAME))
    del values["loss"]
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    assert load(str(path), ("loss.attention.bce=0",)).loss.attention.bce == 0


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.lr=1", r"unknown key 'training\.lr' .* did you mean 'learning_rate'\?"),
        ("training.learning_rat=1", r"'training\.learning_rat' .* did you mean 'learning_rate'\?"),
        ("trainin.epochs=1", r"unknown key 'trainin' .* did you mean 'training'\?"),
        ("data.split.bye=fold", r"'data\.split\.bye' .* did you mean 'by'\?"),
        ("model.qubit=4", r"'model\.qubit' .* did you mean 'qubits'\?"),
        ("loss.zzz=1", r"unknown key 'loss\.zzz' .* known are classification, class_weights"),
        ("loss.attention.dise=1", r"'loss\.attention\.dise' .* did you mean 'dice'\?"),
        ("training.epochs=0", r"'training\.epochs' .* is 0: .* greater than or equal to 1"),
        ("training.epochs=two", r"'training\.epochs' .* is 'two': .* integer"),
        ("training.learning_rate=-1", r"'training\.learning_rate' .* greater than 0"),
        ("training.learning_rate=.nan", r"'training\.learning_rate' .* greater than 0"),
        ("training.batch_size=1", r"'training\.batch_size' .* greater than or equal to 2"),
        ("training.precision=16", r"'training\.precision' .* '32-true'"),
        ("data.image_size=15", r"'data\.image_size' .* greater than or equal to 16"),
        ("data.channels=2", r"'data\.channels' in the recipe is 2"),
        ("data.classes=[one]", r"'data\.classes' .* at least 2"),
        ("data.task=one-vs-rest", r"'data' .*: leave classes empty"),
        ("data.task=two-classes", r"'data' .* needs two classes"),
        ("training.optimizer=adagrad", r"'training\.optimizer' .* 'adam', 'sgd' or 'gvco'"),
        ("data.augmentation.horizontal_flip=2", "less than or equal to 1"),
        ("data.split.by=image", r"'data\.split\.by' .* 'patient'"),
        ("data.split.train=0.9", r"'data\.split' in the recipe: .* is 1\.2, not 1"),
        ("model.widths=[8, 8]", r"model\.widths"),
        ("model.entangler=cy", r"'model\.entangler' .* 'cnot', 'cz' or 'none'"),
        ("loss.attention.epsilon=0", r"'loss\.attention\.epsilon' .* greater than 0"),
        ("evaluation.resamples=5", r"'evaluation\.resamples' .* 100"),
        ("seed=-1", "'seed' in the recipe is -1"),
        ("variants=[]", "'variants'"),
        ("variants=[hybrid, quantum]", "'variants' .* out of hybrid, dense, matched"),
        ("variants=[dense, dense]", "each variant once"),
        ("system=hqcm", "unknown system 'hqcm' in the recipe: give hqcm-ebtc"),
        ("seed", "cannot read --set seed: give section.key=value"),
        ("=1", "cannot read --set =1: give section.key=value"),
        ("seed.of=1", "cannot set seed.of: 'seed' is a value, not a section"),
        ("data.classes=[a", r"cannot read the value of --set data\.classes=\[a as YAML"),
    ],
)
def test_faulty_override_is_one_line_with_the_mend(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        load(NAME, (override,))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "override",
    [
        "evaluation.thresholds=[1.5]",
        "evaluation.thresholds=[0.9, 0.9]",
        "seed=99999999999999999999",
    ],
)
def test_value_that_would_fail_hours_later_is_refused_now(override: str) -> None:
    with pytest.raises(RecipeError, match=override.partition("=")[0]):
        load(NAME, (override,))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "is not YAML"),
        (b"\xff\xfe\xfa", "is not YAML"),
        (b"", "holds no recipe: start from"),
        (b"- hqcm-ebtc", "holds no recipe: start from"),
        (b"system: hqcm-ebtc", "lacks 'about'"),
        (b"system: hqcm-ebtc\n5: 3", "in the recipe|the recipe lacks"),
    ],
)
def test_file_that_is_no_recipe_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=message) as caught:
        load(str(path))
    assert "\n" not in str(caught.value)


def test_missing_file_and_unknown_name_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"cannot read recipe .*mine\.yaml: No such file"):
        load(str(tmp_path / "mine.yaml"))
    with pytest.raises(RecipeError, match=r"no recipe 'mine': give one of hqcm-ebtc, .* or a YAML"):
        load("mine")


def test_recipe_cannot_be_changed_once_made() -> None:
    recipe = load(NAME)
    with pytest.raises(ValidationError, match="frozen"):
        recipe.training.epochs = 3


def test_validate_takes_what_dump_gives() -> None:
    recipe = load(NAME, ("seed=5",))
    assert validate(yaml.safe_load(dump(recipe))) == recipe


def test_override_fills_a_section_that_is_null() -> None:
    scans = load(NAME, ("data.scans.plane=coronal",)).data.scans
    assert (scans.plane, scans.every) == ("coronal", 1)
