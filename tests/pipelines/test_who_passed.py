"""Nobody learns from the API who passed on them: over two nights, attackers do no better than to guess."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest

from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import NIGHTLY_JOB, list_assets_without_training
from tests.pipelines.conftest import Place
from tests.serving.conftest import Api, serving, token_for

CITIES, EACH = 12, 20
# How many attack, and how many of them ask for every card as well, and again after others have passed.
VIEWERS, SOME = 200, 40
# A viewer and a candidate each.
Pairs = set[tuple[str, str]]

# A city is too small to fill a list, and out of reach of the next one. Few different words, so few to encode.
SETTLE = f"""
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, latitude, longitude, max_distance_km, texts)
SELECT md5(n::text)::uuid, 'Somebody', date '1990-01-01' + n, gender,
       ARRAY[CASE gender WHEN 'man' THEN 'woman' ELSE 'man' END], n % {CITIES}, 0, 30,
       jsonb_build_object('about_me', 'I count ' || (ARRAY['birds', 'stars', 'coins', 'waves', 'bees'])[1 + n % 5])
FROM (SELECT n, CASE WHEN n / {CITIES} % 2 = 0 THEN 'man' ELSE 'woman' END AS gender
      FROM generate_series(0, {CITIES * EACH - 1}) AS n)
"""
# Users decide on some of their city, and now and then differently on the same one.
DECIDE = """
INSERT INTO app.interactions (actor_id, target_id, kind, created_at)
SELECT actor.id, target.id, CASE WHEN random() < :likes THEN 'like' ELSE 'pass' END,
       now() - random() * interval '9 days'
FROM app.profiles AS actor JOIN app.profiles AS target ON matching.is_eligible(actor, target, current_date)
WHERE random() < 0.12
"""
# Users who do not attack pass while a publication is read, at times that cannot be.
PASS = """
INSERT INTO app.interactions (actor_id, target_id, kind, created_at)
SELECT actor.id, target.id, 'pass', now() + (array['-9 years', '0', '9 years']::interval[])[1 + (random() * 2)::int]
FROM app.profiles AS actor JOIN app.profiles AS target ON matching.is_eligible(actor, target, current_date)
WHERE actor.id::text <> ALL (CAST(:viewers AS text[])) AND random() < 0.3
"""
# A user of each city who joins after the publication, and so is on no list.
JOIN = f"""
WITH joined AS (
    INSERT INTO app.profiles (display_name, birth_date, gender, seeks, latitude, longitude, max_distance_km)
    SELECT 'Somebody', '1991-01-01', 'man', '{{woman}}', n, 0, 30 FROM generate_series(0, {CITIES - 1}) AS n
    RETURNING id
)
INSERT INTO matching.embeddings (profile_id, encoder, content_hash, embedding)
SELECT joined.id, encoder, '', embedding
FROM joined, (SELECT * FROM matching.embeddings ORDER BY profile_id LIMIT 1) AS other
"""
# Who may be shown to a viewer by the rules and the viewer's own decisions, and whether the last decision is a pass.
GUESSES = """
SELECT viewer.id::text, candidate.id::text, coalesce((
    SELECT kind = 'pass' FROM app.interactions WHERE actor_id = candidate.id AND target_id = viewer.id
    ORDER BY created_at DESC, id DESC LIMIT 1), false)
FROM app.profiles AS viewer JOIN app.profiles AS candidate ON matching.is_eligible(viewer, candidate, current_date)
WHERE NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = viewer.id AND target_id = candidate.id)
"""


class Seen(NamedTuple):
    """What the API shows the viewers at one moment; earlier: on pages of the publication before."""

    listed: Pairs
    topped_up: Pairs
    similar: Pairs
    most_compatible: Pairs
    earlier: Pairs

    @property
    def anywhere(self) -> Pairs:
        return self.listed | self.topped_up | self.similar | self.most_compatible


class Attackers:
    def __init__(self, api: Api, viewers: list[str]) -> None:
        self.api = api
        self.tokens = {viewer: token_for(UUID(viewer)) for viewer in viewers}
        self.cursors: dict[str, str] = {}

    def look(self, viewers: Iterable[str]) -> Seen:
        seen = Seen(set(), set(), set(), set(), set())
        for viewer in viewers:
            for match in self.ask(viewer, "matches?limit=50")["matches"]:
                (seen.listed if match["source"] == "published" else seen.topped_up).add((viewer, who(match)))
            seen.similar.update((viewer, who(match)) for match in self.ask(viewer, "similar?limit=50")["matches"])
            day = self.ask(viewer, "most-compatible")["match"]
            seen.most_compatible.update([(viewer, who(day))] if day else [])
            if viewer in self.cursors:
                page = self.ask(viewer, f"matches?limit=50&cursor={self.cursors[viewer]}")
                seen.earlier.update((viewer, who(match)) for match in page["matches"])
        return seen

    def begin_pages(self) -> None:
        pages = {viewer: self.ask(viewer, "matches?limit=1") for viewer in self.tokens}
        self.cursors = {viewer: page["next_cursor"] for viewer, page in pages.items() if page["next_cursor"]}

    def open_cards(self, pairs: Pairs) -> Pairs:
        return {
            (viewer, candidate)
            for viewer, candidate in pairs
            if self.api.get(f"/v1/me/matches/{candidate}", self.tokens[viewer]).status_code == 200
        }

    def ask(self, viewer: str, what: str) -> dict[str, Any]:
        answer = self.api.get(f"/v1/me/{what}", self.tokens[viewer])
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def who(match: dict[str, Any]) -> str:
    return str(match["candidate"]["id"])


RULES: dict[str, Callable[[Seen], Pairs]] = {
    "who fills up the list": lambda seen: seen.topped_up,
    "similar and not on the list": lambda seen: seen.similar - seen.listed,
    "on the list and not similar": lambda seen: seen.listed - seen.similar,
    "of the day and nowhere else": lambda seen: seen.most_compatible - seen.listed - seen.similar,
    "on pages begun before and nowhere else": lambda seen: seen.earlier - seen.anywhere,
}


@pytest.fixture
def api(place: Place) -> Iterator[Api]:
    # Without likes there is nothing to learn, and the prior scores.
    place.tell("SELECT setseed(0.5)", SETTLE, DECIDE, likes=0)
    with serving(place.database_url, place.home / "log") as api:
        yield api


def test_nobody_learns_who_passed_on_them(place: Place, api: Api, subtests: pytest.Subtests) -> None:
    people = [row[0] for row in place.ask("SELECT id::text FROM app.profiles ORDER BY id")]
    viewers = np.random.default_rng(1).permutation(people)[:VIEWERS].tolist()
    attackers = Attackers(api, viewers)
    for night, assets in enumerate((None, list_assets_without_training())):
        run_job(place.settings, NIGHTLY_JOB, assets)
        passed_before = {(viewer, candidate) for viewer, candidate, passed in place.ask(GUESSES) if passed}
        place.tell("SELECT setseed(0.25)", JOIN)
        some = viewers[:SOME]
        before = attackers.look(some)
        place.tell("SELECT setseed(0.75)", PASS, viewers=viewers)
        after = attackers.look(viewers)
        guesses = {(viewer, candidate): passed for viewer, candidate, passed in place.ask(GUESSES)}
        passed = {pair for pair, has in guesses.items() if has}
        base = len(passed) / len(guesses)
        with subtests.test(f"night {night}: a pass changes no answer before the next one"):
            assert attackers.look(some) == before
        with subtests.test(f"night {night}: who passed before it is shown nowhere"):
            assert not (after.anywhere | after.earlier) & passed_before
        asked = {(viewer, candidate) for viewer, candidate in guesses if viewer in some}
        opened = attackers.open_cards(asked)
        with subtests.test(f"night {night}: a card opens of who is shown, and of nobody who passed before"):
            assert not opened & passed_before
            assert (after.anywhere | after.earlier) & asked <= opened
        found = {rule: guess(after) for rule, guess in RULES.items()}
        found["a card opens and they are nowhere else"] = opened - after.anywhere
        for rule, guessed in found.items():
            with subtests.test(f"night {night}: {rule}", guessed=len(guessed), base=base):
                error = math.sqrt(base * (1 - base) / max(len(guessed), 1))
                assert len(guessed & passed) <= (base + 3 * error) * len(guessed)
        assert len(after.listed) > VIEWERS
        assert after.topped_up
        attackers.begin_pages()
        place.tell("SELECT setseed(0.125)", DECIDE, likes=0.25)


def test_for_eight_nights_nobody_is_shown_who_passed(place: Place, api: Api) -> None:
    viewers = [row[0] for row in place.ask("SELECT id::text FROM app.profiles ORDER BY id LIMIT 60")]
    attackers, topped_up, passes = Attackers(api, viewers), 0, 0
    for night in range(8):
        run_job(place.settings, NIGHTLY_JOB, list_assets_without_training() if night else None)
        passed = {(viewer, candidate) for viewer, candidate, has in place.ask(GUESSES) if has and viewer in viewers}
        seen = attackers.look(viewers)
        assert not seen.anywhere & passed
        topped_up, passes = topped_up + len(seen.topped_up), len(passed)
        place.tell(f"SELECT setseed(0.{night + 1})", DECIDE, likes=0.4)
    assert topped_up > 0
    assert passes > len(viewers)
