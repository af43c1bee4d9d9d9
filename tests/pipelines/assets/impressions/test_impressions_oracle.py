"""The counts and active days in SQL against a plain reading of the rules, on random rows of tables without rules."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from models.ml.profiles.frame_contracts import SURFACE_REASON, SURFACES
from pipelines.assets.impressions.accepted_views import MAX_VIEWS_A_DAY, TOO_MANY
from pipelines.assets.impressions.active_days import DAYS
from pipelines.assets.impressions.impressions import read_impressions
from tests.models_db.conftest import person_id, settle
from tests.pipelines.assets.impressions.rows import remove_constraints

PEOPLE, PUBLICATIONS = range(1, 31), 12
STRANGER = 99
BUSY_DAY = 2
INSERT = "INSERT INTO {table} ({columns}) VALUES ({values})"
NEW_PUBLICATION = "INSERT INTO matching.publications (ranker_version, encoder) VALUES ('1', 'letters')"


@dataclass(frozen=True)
class View:
    viewer_id: int | None
    candidate_id: int | None
    publication_id: int | None
    position: int | None
    surface: str | None
    shown_at: datetime | None


def draw_time(rng: random.Random, now: datetime) -> datetime:
    return now - timedelta(
        days=rng.choice((rng.uniform(0, 2), rng.uniform(0, DAYS + 3))), microseconds=rng.randrange(10**6)
    )


def draw_view(rng: random.Random, now: datetime, newest: int) -> View:
    """A view of which one in three breaks a rule, or more than one."""
    bad = [rng.random() < 0.06 for _ in range(6)]
    return View(
        rng.choice((STRANGER, None)) if bad[0] else rng.choice(PEOPLE),
        rng.choice((STRANGER, None)) if bad[1] else rng.choice(PEOPLE),
        rng.choice((0, -1, newest + 1))
        if bad[2]
        else rng.choice((None, *range(newest - PUBLICATIONS + 1, newest + 1))),
        rng.choice((0, -5)) if bad[3] else rng.choice((None, 1, 40)),
        rng.choice((None, "", "lists")) if bad[4] else rng.choice(SURFACES),
        rng.choice((None, now + timedelta(minutes=2))) if bad[5] else draw_time(rng, now),
    )


def draw_busy_view(rng: random.Random, now: datetime, newest: int) -> View:
    """One of the first user, all on one day."""
    midnight = datetime.combine(now.date(), datetime.min.time(), UTC) - timedelta(days=BUSY_DAY)
    shown_at = midnight + timedelta(microseconds=rng.randrange(86_400 * 10**6))
    publication = rng.randrange(newest - PUBLICATIONS + 1, newest + 1)
    return View(1, rng.choice(PEOPLE[1:]), publication, 1, rng.choice(SURFACES), shown_at)


def find_reason(view: View, now: datetime, newest: int) -> str | None:
    if view.viewer_id not in PEOPLE:
        return "viewer_id is not among the profiles"
    if view.candidate_id not in PEOPLE:
        return "candidate_id is not among the profiles"
    if view.viewer_id == view.candidate_id:
        return "viewer and candidate are the same person"
    if view.shown_at is None:
        return "shown_at is missing"
    if view.shown_at > now + timedelta(minutes=1):
        return "shown_at is in the future"
    if view.publication_id is not None and not 1 <= view.publication_id <= newest:
        return "publication_id is of no publication"
    if view.position is not None and view.position < 1:
        return "position must be 1 or more"
    return None if view.surface in SURFACES else SURFACE_REASON


def count_too_many(views: list[View]) -> int:
    """Of each viewer and day, the repeats of all after the first thousand that differ."""
    cards: dict[tuple[int | None, date], dict[tuple[object, ...], list[datetime]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for view in views:
        assert view.shown_at is not None
        key = (view.candidate_id, view.publication_id, view.surface)
        cards[view.viewer_id, view.shown_at.date()][key].append(view.shown_at)
    late = [sorted(of_day.values(), key=min)[MAX_VIEWS_A_DAY:] for of_day in cards.values()]
    return sum(len(times) for of_day in late for times in of_day)


def insert(connection: Connection, table: str, rows: list[dict[str, object]]) -> None:
    columns = list(rows[0])
    values = ", ".join(f":{name}" for name in columns)
    connection.execute(text(INSERT.format(table=table, columns=", ".join(columns), values=values)), rows)


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_and_days_are_those_of_the_rules(connection: Connection, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - rows of a test
    settle(connection, PEOPLE)
    remove_constraints(connection)
    for _ in range(PUBLICATIONS):
        connection.execute(text(NEW_PUBLICATION))
    now, newest = connection.execute(text("SELECT now(), max(id) FROM matching.publications")).one()
    now = now.astimezone(UTC)
    first = now.date() - timedelta(days=DAYS)
    views = [draw_view(rng, now, newest) for _ in range(900)] + [draw_busy_view(rng, now, newest) for _ in range(3000)]
    pairs = [rng.sample(PEOPLE, 2) for _ in range(40)]
    decisions = [(actor, target, draw_time(rng, now)) for actor, target in pairs]
    seen = {person: rng.choice((None, draw_time(rng, now))) for person in PEOPLE}
    joined = {person: draw_time(rng, now) for person in PEOPLE}

    insert(connection, "app.views", [vars(view) | name_people(view) for view in views])
    for actor, target, at in decisions:
        row = {"actor_id": person_id(actor), "target_id": person_id(target), "kind": "like", "created_at": at}
        insert(connection, "app.interactions", [row])
    for person in PEOPLE:
        values = {"id": person_id(person), "seen": seen[person], "joined": joined[person]}
        connection.execute(
            text("UPDATE app.profiles SET last_active_at = :seen, created_at = :joined WHERE id = :id"), values
        )

    read = [view for view in views if view.shown_at is None or view.shown_at.date() >= first]
    refused = Counter(find_reason(view, now, newest) for view in read)
    accepted = [view for view in read if find_reason(view, now, newest) is None]
    too_many = count_too_many(accepted)
    assert (refused.pop(None), too_many > 0) == (len(accepted), True)
    moments: list[tuple[int | None, datetime | None]] = [(view.viewer_id, view.shown_at) for view in accepted]
    moments += [(actor, moment) for actor, _, moment in decisions] + list(seen.items())
    active: dict[int | None, set[int]] = defaultdict(set)
    for who, when in moments:
        if when is not None and when.date() >= first:
            active[who].add((now.date() - when.date()).days)

    found = read_impressions(connection)
    assert found.accepted == len(accepted) - too_many
    assert found.refused == refused | {TOO_MANY: too_many}
    masks = {person_id(person): sum(1 << ago for ago in active[person]) for person in PEOPLE}
    observed = {
        person_id(person): max(min((now.date() - joined[person].date()).days, DAYS), *active[person], 0)
        for person in PEOPLE
    }
    users = found.users.set_index("profile_id")
    assert (users["mask"].to_dict(), users["observed"].to_dict()) == (masks, observed)


def name_people(view: View) -> dict[str, object]:
    people = {"viewer_id": view.viewer_id, "candidate_id": view.candidate_id}
    return {name: None if number is None else person_id(number) for name, number in people.items()}
