"""The world of the examples: who sees an advertisement, and a model that says who will click on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from headroom_metrics import CategoryField, NumberField

DEVICES = ("phone", "tablet", "laptop")
FIELDS = (
    NumberField("age", 0, 120),
    NumberField("price", 0, 1_000),
    CategoryField("device", frozenset(DEVICES)),
)

AGE_IN_ODDS = -0.05

Columns = dict[str, Any]


@dataclass(frozen=True)
class World:
    """How the world is: `older` shifts the ages in years, `keener` the readiness to click in log-odds.

    `contrary`: people now click on what they used to pass over. The data look as ever; the model is wrong.
    """

    older: float = 0
    keener: float = 0
    contrary: bool = False

    @classmethod
    def grown_older(cls, years: float) -> "World":
        """Return one where other people come, of whom as many click: features move, labels do not."""
        return cls(older=years, keener=-AGE_IN_ODDS * years)


def draw(world: World, rows: int, chance: np.random.Generator) -> Columns:
    """Return columns of so many rows, the label `clicked` among them."""
    age = np.clip(chance.normal(40 + world.older, 12, rows), 0, 120)
    price = np.minimum(chance.lognormal(3, 0.6, rows), 1_000)
    device = chance.choice(DEVICES, rows, p=(0.6, 0.1, 0.3))
    odds = 2 + AGE_IN_ODDS * age - 0.02 * price + 1.2 * (device == "phone")
    odds = (-odds if world.contrary else odds) + world.keener
    clicked = (chance.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    return {"age": age, "price": price, "device": device, "clicked": clicked}


def damage(columns: Columns, share: float, chance: np.random.Generator) -> Columns:
    """Return the columns with that share of the ages missing and of the prices corrupt."""
    age = np.where(chance.random(len(columns["age"])) < share, np.nan, columns["age"])
    price = np.where(chance.random(len(columns["age"])) < share, np.inf, columns["price"])
    return columns | {"age": age, "price": price}


def encode(columns: Columns) -> np.ndarray:
    """Return the features as the model takes them, about 1 in size."""
    return np.column_stack(
        [
            np.ones(len(columns["age"])),
            np.asarray(columns["age"], float) / 40,
            np.asarray(columns["price"], float) / 20,
            np.asarray(columns["device"]) == "phone",
        ]
    )


@dataclass(frozen=True)
class Model:
    """Logistic regression."""

    weights: tuple[float, ...]

    def predict(self, columns: Columns) -> np.ndarray:
        """Return the probability of a click for each row."""
        return 1 / (1 + np.exp(-encode(columns) @ np.array(self.weights)))


def improve(model: Model, columns: Columns, rate: float) -> Model:
    """Return the model after a step of gradient descent; one that diverges raises FloatingPointError."""
    features = encode(columns)
    gradient = features.T @ (model.predict(columns) - columns["clicked"]) / len(features)
    weights = np.array(model.weights) - rate * gradient
    if not np.all(np.abs(weights) < 1e3):
        raise FloatingPointError("training diverged: lower the learning rate")
    return Model(tuple(float(weight) for weight in weights))


def train(columns: Columns, steps: int = 300, rate: float = 0.5) -> Model:
    """Return a model trained on the columns."""
    model = Model((0.0, 0.0, 0.0, 0.0))
    for _ in range(steps):
        model = improve(model, columns, rate)
    return model


def measure_auc(scores: np.ndarray, clicked: np.ndarray) -> float:
    """Return how often a click is scored above a row without one: 1 is best, 0.5 is guessing."""
    ranks = np.argsort(np.argsort(scores))
    clicks = int(clicked.sum())
    others = len(clicked) - clicks
    return float((ranks[clicked == 1].sum() - clicks * (clicks - 1) / 2) / (clicks * others))
