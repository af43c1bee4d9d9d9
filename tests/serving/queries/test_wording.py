"""Titles and sentences are words for people, in the language that the viewer reads."""

from pathlib import Path

import pytest

from models.db.errors import InputError
from serving.queries.wording.dictionary import load_dictionary
from serving.queries.wording.locales import choose_locale
from tests.serving.conftest import Api, Users, serving, token_for

TITLES = """
[en.prompts]
about_me = "Who I am"

[de]
and = " und "
prompts.about_me = "Über mich"
facts.smokes.no = "nicht rauchen"

[de.reasons]
in_common = "Das habt ihr gemeinsam: {detail}."
shared_interests = "Ihr mögt beide {detail}."

[de.openers]
ask_about = "Frag nach „{detail}“."
in_common = "Das habt ihr gemeinsam: {detail}."
"""
FACTS = ["smokes (no)", "occupation (public_service)", "star sign (water_carrier)"]
REASONS = [{"code": "in_common", "detail": FACTS}, {"code": "shared_interests", "detail": ["a_b", "jazz"]}]
ALIKE = {
    "facts": {"smokes": "no", "occupation": "public_service", "star_sign": "water_carrier"},
    "interests": ["a_b", "jazz"],
    "texts": {"about_me": "I sail"},
}


def test_facts_are_named_and_interests_left_as_they_are(api: Api, users: Users) -> None:
    me, he = users.add("woman", **ALIKE), users.add("man", **ALIKE)
    users.publish({me: [he]}, reasons=[REASONS])
    said = [reason["sentence"] for reason in api.read(me)["matches"][0]["reasons"]]
    common = "not smoking, working in public service and star sign (water carrier)"
    assert said == [f"You have this in common: {common}.", "You both like a_b and jazz."]
    assert api.get("/v1/titles", token_for(me)).json()["prompts"]["about_me"] == "About me"


def test_words_of_the_app_and_of_the_viewers_language(users: Users, api_database: str, tmp_path: Path) -> None:
    me, he = users.add("woman", **ALIKE), users.add("man", **ALIKE)
    users.publish({me: [he]}, reasons=[REASONS])
    pair = {"a": min(me, he), "b": max(me, he)}
    users.run("INSERT INTO app.conversations (person_a, person_b) VALUES (%(a)s, %(b)s)", **pair)
    (file := tmp_path / "titles.toml").write_text(TITLES, encoding="utf-8")
    with serving(api_database, tmp_path / "log", MATCHING_TITLES=str(file)) as api:
        for accepted, locale, title, sentence, opener in (
            ("", "en", "Who I am", "You both like a_b and jazz.", "Ask about their answer to “Who I am”."),
            ("fr, de-AT;q=0.8", "de", "Über mich", "Ihr mögt beide a_b und jazz.", "Frag nach „Über mich“."),
        ):
            language = {"Accept-Language": accepted}
            titles = api.get("/v1/titles", token_for(me), **language).json()
            assert (titles["locale"], titles["prompts"]["about_me"]) == (locale, title)
            assert titles["prompts"]["looking_for"] == "What I am looking for", "what is left out is English"
            response = api.me(me, "matches", **language)
            assert response.json()["matches"][0]["reasons"][1]["sentence"] == sentence
            (talk,) = api.me(me, "conversations", **language).json()["conversations"]
            assert talk["openers"][2]["sentence"] == opener
            assert "accept-language" in response.headers["vary"].lower()


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (None, "en"),
        ("de", "de"),
        ("de-CH-1996, en;q=0.9", "de"),
        ("en;q=0.5,de;q=0.6", "de"),
        ("de;q=0, fr", "en"),
        ("DE", "de"),
        ("pt-BR", "pt-br"),
        ("pt", "en"),
        ("*", "en"),
        ("de;q=x, ;;, -", "en"),
    ],
)
def test_the_preferred_locale_is_chosen(accepted: str | None, chosen: str) -> None:
    assert choose_locale(accepted, {"en", "de", "pt-br"}) == chosen


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[en", "TOML"),
        ("prompts = 1", "'prompts' is no table"),
        ("[en]\nprompt = {}", "en.prompt"),
        ("[de.prompts]\nabout_me = 1", "de.prompts.about_me"),
        ("[de.reasons]\nmade_up = 'x'", "de.reasons.made_up"),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (file := tmp_path / "titles.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        load_dictionary(file)
