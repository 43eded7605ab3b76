"""Write the example files again: `python examples/write.py`. The data are synthetic, from one seed."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def houses() -> list[list[float]]:
    """Draw 60 houses: size in m², rooms, age in years, price in thousands."""
    rng = np.random.default_rng(11)
    size = rng.integers(35, 160, 60)
    rooms = np.clip((size / 28 + rng.normal(0, 0.6, 60)).round(), 1, 6).astype(int)
    age = rng.integers(0, 80, 60)
    price = 2.6 * size + 9 * rooms + 60 * np.exp(-age / 15) + rng.normal(0, 9, 60)
    return [[*row] for row in zip(size.tolist(), rooms.tolist(), age.tolist(), price.round(1).tolist(), strict=True)]


def pump() -> list[list[float]]:
    """Draw 240 hours of a pump: flow in l/s, lift in m, power in kW. A filter clogs from hour 120 on."""
    rng = np.random.default_rng(12)
    hour = np.arange(240)
    flow = rng.uniform(5, 20, 240).round(2)
    lift = rng.uniform(8, 12, 240).round(2)
    loss = np.where(hour < 120, 0.12, 0.12 + 0.1 * np.minimum(1, (hour - 120) / 10))
    power = loss * flow + 0.3 * lift + rng.normal(0, 0.05, 240)
    return [[*row] for row in zip(hour.tolist(), flow.tolist(), lift.tolist(), power.round(3).tolist(), strict=True)]


def write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one CSV file beneath this folder."""
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def main() -> None:
    """Write the three files."""
    write("houses.csv", ["size", "rooms", "age", "price"], houses())
    write("houses_new.csv", ["age", "rooms", "size"], [[12, 3, 85], [40, 5, ""], [3, 2, 150]])
    write("pump.csv", ["hour", "flow", "lift", "power"], pump())


if __name__ == "__main__":
    main()
