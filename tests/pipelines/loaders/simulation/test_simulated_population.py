import numpy as np
import pytest

from pipelines.loaders.records import compute_age
from pipelines.loaders.simulation.simulated_population import (
    AGE_GAP,
    FACTS,
    GENDERS,
    NO_AGE_LIMIT,
    REFERENCE_TIME,
    TOPICS,
    TRAITS,
    SimulatedPopulation,
)

WOMAN, MAN = (GENDERS.index(gender) for gender in ("woman", "man"))


def test_ages_are_those_of_adults_mostly_young(population: SimulatedPopulation) -> None:
    ages = [compute_age(each, REFERENCE_TIME.date()) for each in population.birth_date.tolist()]
    assert ages == population.age.tolist()
    assert population.age.min() == 18
    assert 65 <= population.age.max() <= 70
    assert 28 <= np.median(population.age) <= 34
    assert 0.10 <= (population.age >= 45).mean() <= 0.20


def test_all_seek_some_gender_and_most_are_straight(population: SimulatedPopulation) -> None:
    assert population.seeks.any(axis=1).all()
    to_women, to_men = population.seeks[population.gender == WOMAN][:, [WOMAN, MAN]].T
    shares = [(to_men & ~to_women).mean(), (to_women & ~to_men).mean(), (to_women & to_men).mean()]
    np.testing.assert_allclose(shares, [0.87, 0.05, 0.08], atol=0.04)
    np.testing.assert_allclose(np.bincount(population.gender) / population.people, [0.485, 0.485, 0.03], atol=0.04)


def test_wanted_ages_hold_the_ideal_age_of_adults(population: SimulatedPopulation) -> None:
    least, most = population.age_min, population.age_max
    assert (least <= np.maximum(population.ideal_age, 18)).all()
    assert (population.ideal_age <= most).all()
    assert np.concatenate([least[least > 0], most[most < NO_AGE_LIMIT]]).min() >= 18
    gap = (population.ideal_age - population.age)[population.gender == WOMAN].mean()
    assert gap == pytest.approx(AGE_GAP["woman"] * population.age.mean() / 30, abs=0.3)


def test_latents_are_on_their_scales(population: SimulatedPopulation) -> None:
    assert np.abs(population.place - [47.35, 8.55]).max() < 0.7
    np.testing.assert_array_equal(population.place, population.place.round(2))
    np.testing.assert_allclose(population.topics.sum(axis=1), 1)
    assert population.topics.min() > 0
    np.testing.assert_allclose(population.traits.std(axis=0), np.ones(len(TRAITS)), atol=0.1)
    for shares in (population.wants, population.activity):
        assert ((shares >= 0) & (shares <= 1)).all()
    related = population.traits[:, [TRAITS.index(trait) for trait in TOPICS.values()]]
    assert np.corrcoef(population.topics.ravel(), related.ravel())[0, 1] > 0.08


def test_facts_follow_their_shares_and_age(population: SimulatedPopulation) -> None:
    facts = dict(zip(FACTS, population.facts.T, strict=True))
    for name, shares in FACTS.items():
        assert sum(shares.values()) == pytest.approx(1)
        assert set(facts[name]) == set(range(len(shares)))
    smokes = np.bincount(facts["smokes"]) / population.people
    np.testing.assert_allclose(smokes, list(FACTS["smokes"].values()), atol=0.04)
    assert population.age[facts["occupation"] == list(FACTS["occupation"]).index("student")].max() <= 32
    assert population.age[facts["wants_children"] == list(FACTS["wants_children"]).index("yes")].max() <= 47
