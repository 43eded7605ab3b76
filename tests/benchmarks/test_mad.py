"""Sequences of the recall tasks are those of the suite, and a quick run needs no card."""

from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks import results
from benchmarks.mad import LAYER, TARGET_WEIGHTS, TASKS, Recall, Trained, accuracy, draw, report, run
from benchmarks.results import Skipped
from gdssm.sequence.language_model import LanguageModel
from tests.nonempty import nonempty


@pytest.mark.parametrize("name", TASKS)
def test_a_key_has_one_value_and_is_asked_for_after_it_was_given(name: str) -> None:
    task = TASKS[name]
    tokens, recalled = draw(task, 20, torch.Generator().manual_seed(0))
    assert tokens.shape == (20, 128)
    noise = 0
    for row, asked in nonempty(zip(tokens.view(20, -1, 2).tolist(), recalled.view(20, -1, 2).tolist(), strict=True)):
        values: dict[int, int] = {}
        for (key, value), (of_key, of_value) in nonempty(zip(row, asked, strict=True)):
            noise += key >= 2 * task.keys
            assert not of_key
            assert of_value == (key in values)
            if key < 2 * task.keys:
                assert values.setdefault(key, value) == value
                assert key < task.keys <= value < 2 * task.keys
            else:
                assert 2 * task.keys <= value < task.vocabulary
        assert asked[-1][1], "the last pair asks for a key that came before"
    assert noise / tokens.numel() * 2 == pytest.approx(task.noise, abs=0.03)


def test_the_model_is_within_the_size_of_the_comparison() -> None:
    weights = sum(
        weight.numel() for weight in LanguageModel(TASKS["noisy in-context recall"].vocabulary, 2, LAYER).parameters()
    )
    assert 400_000 < weights <= TARGET_WEIGHTS


@pytest.mark.slow
def test_a_quick_run_writes_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    results.write(tmp_path, "mad", run(quick=True))
    text = (tmp_path / "mad.md").read_text()
    assert "| noisy in-context recall |" in text
    assert text.count("| not measured |") == 3
    with pytest.raises(Skipped):
        run(quick=False)


def test_accuracy_is_that_of_recalled_values_alone() -> None:
    tested = draw(Recall(), 5, torch.Generator().manual_seed(0))
    following, recalled = tested.tokens[:, 1:], tested.recalled[:, 1:]
    right_where_recalled = torch.where(recalled, following, (following + 1) % 16)
    wrong_where_recalled = torch.where(recalled, (following + 1) % 16, following)
    for predicted, expected in ((right_where_recalled, 1.0), (wrong_where_recalled, 0.0)):
        logits = torch.nn.functional.one_hot(predicted, 16).float()
        assert accuracy(partial(lambda logits, _tokens: logits, logits), tested) == expected


def test_a_missed_goal_has_its_reason() -> None:
    section = report([Trained("a", 0.7, 450_001, 500.0)], "card", measured=True).markdown()
    assert section.count("**not met** (1)") == 3
