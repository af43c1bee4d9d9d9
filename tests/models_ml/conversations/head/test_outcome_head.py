from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from models.ml.conversations.head.outcome_gate import MIN_MATCHES, estimate_auc_error, estimate_dyadic_error, judge_head
from models.ml.conversations.head.outcome_head import Past, fit_head
from models.ml.conversations.head.outcome_inputs import (
    OUTCOMES,
    MatchSample,
    build_sample,
    collect_past,
    count_recent_matches,
    number_people,
)
from tests.models_ml.conversations.head.planted_matches import NOW, PlantedMatches, plant_matches


def build(planted: PlantedMatches, silent: list[int] | None = None) -> tuple[Past, MatchSample]:
    opted_out = np.isin(np.arange(len(planted.ids)), silent or [])
    person = number_people(planted.outcomes, planted.ids)
    past = collect_past(planted.outcomes, person, opted_out)
    return past, build_sample(planted.outcomes, person, np.zeros(person.shape), NOW.value)


def test_the_head_finds_who_answers() -> None:
    planted = plant_matches(3000)
    past, matches = build(planted)
    checks, quality = judge_head(past, matches)
    assert [check.passed for check in checks] == [True] * 3
    assert quality is not None
    assert quality.auc > 0.7
    head = fit_head(past, matches, NOW.value, OUTCOMES)
    later = np.arange(len(matches) // 2, len(matches))  # of the first ones little is known
    assert spearmanr(head.predict_matches(past, matches.take(later)), planted.p_on[later]).statistic > 0.85


def test_with_few_matches_nothing_is_judged() -> None:
    checks, quality = judge_head(*build(plant_matches(MIN_MATCHES)))  # the last 14 days are not mature
    assert quality is None
    assert [(check.passed, check.judged) for check in checks] == [(False, True), (False, False), (False, False)]
    assert str(MIN_MATCHES) in checks[0].sentence.replace(",", "")


def test_of_people_alike_nothing_is_learned() -> None:
    checks, _ = judge_head(*build(plant_matches(2000, spread=0.0)))
    assert not checks[1].passed


def test_a_prediction_does_not_see_what_comes_later() -> None:
    planted = plant_matches(1500)
    past, matches = build(planted)
    head = fit_head(past, matches, NOW.value, OUTCOMES)
    early = matches.take(np.arange(700))
    changed = planted.outcomes.copy()
    later = (changed["matured_at"].astype("int64") > changed["matched_at"].iloc[699].value).to_numpy()
    for name in OUTCOMES:
        changed.loc[later, name] = 1 - changed.loc[later, name]
    past_changed, _ = build(replace(planted, outcomes=changed))
    assert np.array_equal(head.predict_matches(past, early), head.predict_matches(past_changed, early))


def test_who_opts_out_counts_as_the_mean() -> None:
    planted = plant_matches(1500)
    past, _ = build(planted, silent=[3])
    everybody = np.arange(len(planted.ids))
    now = np.full(len(everybody), NOW.value)
    trials, _ = past[OUTCOMES[0]].count(everybody, now)
    assert trials[3] == 0
    others = np.delete(everybody, 3)
    full, _ = build(planted)
    assert np.array_equal(trials[others], full[OUTCOMES[0]].count(everybody, now)[0][others])


def test_it_does_not_matter_who_is_first() -> None:
    planted = plant_matches(1500)
    past, matches = build(planted)
    head = fit_head(past, matches, NOW.value, OUTCOMES)
    turned = replace(matches, person=matches.person[:, ::-1])
    assert np.array_equal(head.predict_matches(past, matches), head.predict_matches(past, turned))


def test_strangers_and_open_outcomes_are_left_out() -> None:
    planted = plant_matches(200)
    person = number_people(planted.outcomes, planted.ids[:100])
    sample = build_sample(planted.outcomes, person, np.zeros(person.shape), NOW.value)
    counted = (person >= 0).all(axis=1) & planted.outcomes["mature"].to_numpy()
    assert len(sample) == counted.sum()
    assert np.all(np.diff(sample.moment) >= 0)


def test_a_conversation_closed_early_counts_no_sooner() -> None:
    """Otherwise of the last two weeks only bad endings would be known."""
    planted = plant_matches(400)
    failed = (planted.p_on < 0.5) & (planted.outcomes["matched_at"] > NOW - pd.Timedelta(days=10)).to_numpy()
    assert failed.any()
    closed = planted.outcomes.copy()
    closed.loc[failed, "matured_at"] = closed.loc[failed, "matched_at"] + pd.Timedelta(hours=1)
    closed.loc[failed, "mature"] = True
    closed.loc[failed, list(OUTCOMES)] = 0.0
    past, matches = build(planted)
    past_closed, matches_closed = build(replace(planted, outcomes=closed))
    assert len(matches) == len(matches_closed)
    everybody, now = np.arange(len(planted.ids)), np.full(len(planted.ids), NOW.value)
    known, known_closed = (each[OUTCOMES[0]].count(everybody, now)[0] for each in (past, past_closed))
    assert np.array_equal(known, known_closed)


def test_recent_matches_are_earlier_and_not_over() -> None:
    person = np.array([[0, 1], [0, 2], [0, 3], [1, 2]])
    begun, over = np.array([0, 5, 10, 10]), np.array([8, 19, 24, 24])
    found = count_recent_matches(person, begun, over, person, begun)
    assert found.tolist() == [[0, 0], [1, 0], [1, 0], [0, 1]]


def test_the_error_of_a_mean_counts_a_person_once() -> None:
    rng = np.random.default_rng(0)
    person = np.array([rng.choice(40, 2, replace=False) for _ in range(600)])
    means, errors, independent = [], [], []
    for _ in range(300):
        values = rng.standard_normal(40)[person].sum(axis=1) + rng.standard_normal(600)
        means.append(values.mean())
        errors.append(estimate_dyadic_error(values, person))
        independent.append(values.std() / np.sqrt(len(values)))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.15)
    assert np.mean(independent) < np.std(means) / 2


def test_the_error_of_an_auc_is_that_of_many_draws() -> None:
    rng = np.random.default_rng(0)
    person = np.arange(600).reshape(300, 2)  # nobody twice
    errors = [estimate_auc_error(rng.random(300) < 0.4, rng.random(300), person) for _ in range(100)]
    assert np.mean(errors) == pytest.approx(np.sqrt(301 / (12 * 120 * 180)), rel=0.05)
    assert np.isnan(estimate_auc_error(np.ones(3, bool), np.arange(3.0), person[:3]))


def test_an_empty_frame_gives_an_empty_sample() -> None:
    planted = plant_matches(20)
    none = replace(planted, outcomes=planted.outcomes[:0])
    past, matches = build(none)
    assert len(matches) == 0
    assert judge_head(past, matches)[1] is None
    assert pd.Series(past[OUTCOMES[0]].count(np.arange(5), np.full(5, NOW.value))[0]).eq(0).all()
