"""My conversations: own ones only, whose turn it is, what to begin with, and nothing of what was written."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from models.db.engines import convert_to_libpq_url
from models.db.schema.reader_role import ROLE
from models.ml.profiles.feature_spec import is_sensitive
from serving.schemas import Conversations
from tests.serving.conftest import ALIKE, Api, Users, problem

NOW = datetime.now(UTC).replace(microsecond=123457)  # no zeros, which PostgreSQL would leave out
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CANARY = "a canary that sings in no response"


def meet(users: Users, me: UUID, him: UUID, ago: timedelta = 30 * DAY, **columns: object) -> UUID:
    """Their conversation, which began that long ago; `columns` are those of `app.conversations`."""
    row = {"id": uuid4(), "person_a": min(me, him), "person_b": max(me, him), "matched_at": NOW - ago} | columns
    names, values = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    users.run(f"INSERT INTO app.conversations ({names}) VALUES ({values})", **row)
    return UUID(str(row["id"]))


def write(users: Users, conversation: UUID, sender: UUID, ago: timedelta, body: str | None = None) -> None:
    message = uuid4()
    users.run(
        "INSERT INTO app.messages (id, conversation_id, sender_id, sent_at, length)"
        " VALUES (%(id)s, %(to)s, %(by)s, %(at)s, 7)",
        id=message,
        to=conversation,
        by=sender,
        at=NOW - ago,
    )
    if body is not None:
        users.run("INSERT INTO app.message_texts VALUES (%(id)s, %(body)s)", id=message, body=body)


def get_page(api: Api, me: UUID, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return api.read(me, path(limit, cursor))


def path(limit: int, cursor: str | None = None) -> str:
    return f"conversations?limit={limit}" + ("" if cursor is None else f"&cursor={cursor}")


def find(api: Api, me: UUID) -> list[UUID]:
    return [UUID(each["id"]) for each in get_page(api, me)["conversations"]]


def test_the_whole_response_is_known(api: Api, users: Users) -> None:
    me, him = (users.add(gender, **ALIKE) for gender in ("woman", "man"))
    conversation = meet(users, me, him, DAY)
    response = api.me(me, "conversations")
    (found,) = response.json()["conversations"]
    assert found == {
        "id": str(conversation),
        "candidate": {
            "id": str(him),
            "name": "Somebody",
            "age": found["candidate"]["age"],
            "gender": "man",
            "distance_km": 0,
            "interests": ["jazz", "chess"],
            "texts": {"About me": "I sail"},
        },
        "stage": "new",
        "turn": "nobody",
        "since": (NOW - DAY).isoformat(),
        "closed": False,
        "closed_at": None,
        "openers": [
            {"code": "shared_interest", "detail": "jazz", "sentence": "You both like jazz."},
            {"code": "shared_interest", "detail": "chess", "sentence": "You both like chess."},
            {"code": "ask_about", "detail": "About me", "sentence": "Ask about their answer to “About me”."},
            {
                "code": "in_common",
                "detail": "smokes at (parties)",
                "sentence": "You have this in common: smokes at (parties).",
            },
        ],
    }
    users.publish({me: [him]})
    assert found["candidate"] == api.read(me)["matches"][0]["candidate"], "the card of matches"
    assert response.json()["next_cursor"] is None
    Conversations.model_validate_json(response.content, strict=True)
    etag = response.headers["etag"]
    assert api.me(me, "conversations", **{"If-None-Match": etag}).status_code == 304
    write(users, conversation, him, HOUR)
    assert api.me(me, "conversations", **{"If-None-Match": etag}).status_code == 200


# Who wrote how long ago, and the stage and turn that follow for her; the match was 30 days ago.
HISTORIES: dict[str, tuple[list[tuple[str, timedelta]], str, str]] = {
    "nobody": ([], "new", "nobody"),
    "she": ([("she", DAY)], "opened", "theirs"),
    "he, again and again": ([("he", 3 * DAY), ("he", 2 * DAY), ("he", DAY)], "opened", "mine"),
    "both, long ago": ([("he", 10 * DAY), ("she", 9 * DAY)], "answered", "theirs"),
    "he is silent since": ([("he", 10 * DAY), ("she", HOUR)], "answered", "theirs"),
    "both this week": ([("she", 10 * DAY), ("she", 6 * DAY), ("he", HOUR)], "going_on", "mine"),
    "before the match": ([("he", 31 * DAY)], "new", "nobody"),
    "in the future": ([("she", DAY), ("he", -HOUR)], "opened", "theirs"),
    "somebody else": ([("she", DAY), ("another", HOUR)], "opened", "theirs"),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_stage_and_turn_are_those_of_each_side(api: Api, users: Users, history: str) -> None:
    people = {"she": users.add(), "he": users.add("man"), "another": users.add("man")}
    conversation = meet(users, people["she"], people["he"])
    sent, stage, turn = HISTORIES[history]
    for who, ago in sent:
        write(users, conversation, people[who], ago)
    (hers,), (his,) = (get_page(api, people[who])["conversations"] for who in ("she", "he"))
    assert (hers["stage"], hers["turn"]) == (stage, turn)
    assert (his["stage"], his["turn"]) == (stage, {"mine": "theirs", "theirs": "mine"}.get(turn, turn))
    counted = [ago for who, ago in sent if who != "another" and timedelta() < ago < 30 * DAY]
    assert hers["since"] == his["since"] == (NOW - min(counted, default=30 * DAY)).isoformat()
    assert bool(hers["openers"]) is False, "the two show nothing"
    assert get_page(api, people["another"])["conversations"] == []


def test_a_closed_conversation_says_so_and_what_follows_does_not_count(api: Api, users: Users) -> None:
    me, him = (users.add(gender, **ALIKE) for gender in ("woman", "man"))
    conversation = meet(users, me, him, closed_at=NOW - DAY, closed_by=him, closed_as="unmatched")
    write(users, conversation, me, 2 * DAY)
    write(users, conversation, him, HOUR)
    (found,) = get_page(api, me)["conversations"]
    told = {name: found[name] for name in ("stage", "turn", "since", "closed", "closed_at", "openers")}
    closed_at = (NOW - DAY).isoformat()
    assert told == {
        "stage": "opened",
        "turn": "nobody",
        "since": closed_at,
        "closed": True,
        "closed_at": closed_at,
        "openers": [],
    }
    assert str(him) not in str(found | {"candidate": None}), "who closed it is not said"
    users.run("UPDATE app.conversations SET closed_at = now() + interval '1 day'")
    (found,) = get_page(api, me)["conversations"]
    assert (found["closed"], found["closed_at"], found["turn"]) == (False, None, "mine")


GONE = {
    "she blocks": "INSERT INTO app.blocks VALUES (%(me)s, %(him)s)",
    "he blocks": "INSERT INTO app.blocks VALUES (%(him)s, %(me)s)",
    "he pauses": "UPDATE app.profiles SET paused = true WHERE id = %(him)s",
    "she pauses": "UPDATE app.profiles SET paused = true WHERE id = %(me)s",
    "his profile breaks a rule": "UPDATE app.profiles SET age_min = 200 WHERE id = %(him)s",
    "he leaves": "DELETE FROM app.profiles WHERE id = %(him)s",
    "a block closed it": "UPDATE app.conversations SET closed_at = now(), closed_as = 'blocked'",
    "a report closed it": "UPDATE app.conversations SET closed_at = now(), closed_as = 'reported'",
}
KEPT = {
    "he passes": "INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (%(him)s, %(me)s, 'pass')",
    "he moves far away": "UPDATE app.profiles SET longitude = 0, max_distance_km = 1,"
    " latitude = CASE id WHEN %(him)s THEN -40 ELSE 50 END",
    "he looks for others": "UPDATE app.profiles SET seeks = '{man}', age_min = 90 WHERE id = %(him)s",
}


@pytest.mark.parametrize("change", [*GONE, *KEPT])
def test_who_may_not_be_shown_is_not_there(api: Api, users: Users, change: str) -> None:
    me, him, other = users.add(), *users.men(2)
    conversation, another = meet(users, me, him), meet(users, me, other, DAY)
    write(users, conversation, him, HOUR)
    assert find(api, me) == [conversation, another]
    users.run((GONE | KEPT)[change], me=me, him=him)
    expected = [conversation, another] if change in KEPT else [another]
    if change.endswith("closed it"):
        users.run("UPDATE app.conversations SET closed_at = NULL, closed_as = NULL WHERE id = %(id)s", id=another)
    assert find(api, me) == ([] if change == "she pauses" else expected)


def test_openers_are_what_both_profiles_show(api: Api, users: Users) -> None:
    """Prompts that both answered come first, words come with titles, and nothing is said of race or ethnicity."""
    hers: dict[str, Any] = {
        "interests": ["jazz", "Chess", "art"],
        "texts": {"looking_for": "tea", "ethnicity": "mine"},
        "facts": {"smokes": "no", "pets": "cat", "same_race": "yes", "drinks": "other", "star_sign": "virgo"},
    }
    his: dict[str, Any] = {
        "interests": ["chess", " ", "art", "art", "jazz", "jazz"],
        "texts": {"about_me": "I sail", "looking_for": "coffee", "blank": " ", "ethnicity": "mine", "too": "many"},
        "facts": {"smokes": "no", "pets": "dog", "same_race": "yes", "drinks": "other", "star_sign": "virgo"},
    }
    me, him = users.add("woman", **hers), users.add("man", **his)
    conversation = meet(users, me, him)
    (found,) = get_page(api, me)["conversations"]
    assert [(each["code"], each["detail"], each["sentence"]) for each in found["openers"]] == [
        ("shared_interest", "art", "You both like art."),
        ("shared_interest", "jazz", "You both like jazz."),
        ("ask_about", "looking_for", "Ask about their answer to “What I am looking for”."),
        ("ask_about", "about_me", "Ask about their answer to “About me”."),
        ("in_common", "smokes (no)", "You have this in common: not smoking."),
        ("in_common", "star sign (virgo)", "You have this in common: star sign (virgo)."),
    ]
    write(users, conversation, me, HOUR)
    assert get_page(api, me)["conversations"][0]["openers"] == get_page(api, him)["conversations"][0]["openers"] == []


def test_sensitive_names_are_those_of_the_ranker(users: Users) -> None:
    names = ("race", "same_race", "sameRace", "Ethnic Group", "caste", "skin-tone", "embrace", "racecar", "graces", "")
    found = users.connection.execute(
        "SELECT matching.is_sensitive(name) FROM unnest(%s::text[]) AS name", [list(names)]
    )
    assert [each for (each,) in found] == [is_sensitive(name) for name in names]


def test_pages_have_each_conversation_once_whatever_is_written_meanwhile(api: Api, users: Users) -> None:
    me, men = users.add(), users.men(7)
    begun = [meet(users, me, man, (number + 1) * DAY) for number, man in enumerate(men)]
    page = get_page(api, me, 3)
    assert [UUID(each["id"]) for each in page["conversations"]] == begun[:3]
    write(users, begun[6], men[6], HOUR)
    write(users, begun[0], men[0], HOUR)
    users.erase(men[3])
    page = get_page(api, me, 3, page["next_cursor"])
    assert [UUID(each["id"]) for each in page["conversations"]] == [begun[6], begun[4], begun[5]]
    assert get_page(api, me, 3, page["next_cursor"]) == {"conversations": [], "next_cursor": None}
    for first, second in pairwise(get_page(api, me)["conversations"]):
        assert first["since"] >= second["since"]


def test_cursors_are_for_one_viewer_and_one_kind_of_page(api: Api, users: Users) -> None:
    (me, men), she = users.viewer(3), users.add()
    for man in men:
        meet(users, me, man)
    cursor = get_page(api, me, 1)["next_cursor"]
    of_matches = api.page(me, 1)["next_cursor"]
    for refused in (
        api.me(she, path(1, cursor)),
        api.me(me, path(1, of_matches)),
        api.me(me, f"matches?cursor={cursor}"),
    ):
        problem(refused, HTTPStatus.BAD_REQUEST, "cursor-invalid")
    problem(api.me(uuid4(), "conversations"), HTTPStatus.FORBIDDEN, "no-profile")


def test_all_pages_together_have_four_hundred_conversations(api: Api, users: Users) -> None:
    me = users.add()
    users.run(
        "INSERT INTO app.profiles (display_name, birth_date, gender, seeks)"
        " SELECT 'Somebody', '1990-01-01', 'man', '{woman}' FROM generate_series(1, 403)"
    )
    users.run(
        "INSERT INTO app.conversations (person_a, person_b) SELECT least(id, %(me)s), greatest(id, %(me)s)"
        " FROM app.profiles WHERE gender = 'man'",
        me=me,
    )
    cursor, shown = None, []
    for _ in range(8):
        page = get_page(api, me, 50, cursor)
        cursor = page["next_cursor"]
        shown += [each["id"] for each in page["conversations"]]
    assert len(set(shown)) == 400
    assert cursor is None


PATHS = ("matches", "most-compatible", "similar", "conversations", "conversations?limit=1")


def test_nobody_reads_what_was_written_nor_the_conversations_of_others(
    api: Api, users: Users, api_database: str
) -> None:
    """Not in a response or the log, nor with the API's role: by no name of a table, and by no function."""
    me, him, she = users.add(), users.add("man"), users.add()
    users.publish({me: [him], she: [him]})
    conversation = meet(users, me, him, content_allowed=True)
    write(users, conversation, him, HOUR, CANARY)
    for person in (me, him, she):
        for each in PATHS:
            response = api.me(person, each)
            assert CANARY not in response.text
            assert (str(conversation) in response.text) == (each.startswith("conversations") and person != she)
    assert CANARY not in api.log.read_text()
    tries = (
        *("SELECT body FROM app.message_texts", "SELECT length FROM app.messages", "SELECT count(*) FROM app.messages"),
        *("SELECT kind FROM app.messages", "SELECT sent_at FROM app.messages", "TABLE app.conversations"),
        *("TABLE app.outcomes", "TABLE app.reports", "TABLE matching.conversation_facts"),
        f"SELECT * FROM matching.find_conversations('{me}')",
        "SELECT matching.suggest_openers('{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    )
    with psycopg.connect(convert_to_libpq_url(api_database), autocommit=True) as connection:
        connection.execute(f"SET ROLE {ROLE}".encode())
        for statement in tries:
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement.encode())
        read = "SELECT * FROM matching_api.read_conversations(%s, 9, '{}', '{}')"
        assert str(conversation) in str(connection.execute(read, [me]).fetchone())
        assert str(conversation) not in str(connection.execute(read, [she]).fetchone())


def test_no_number_of_a_conversation_changes_a_response(api: Api, users: Users) -> None:
    """Lengths, kinds, and how many there are: only who wrote last and when counts."""
    me, him = users.add(), users.add("man")
    conversation = meet(users, me, him)
    write(users, conversation, me, 2 * HOUR)
    write(users, conversation, him, HOUR)
    before = api.me(me, "conversations").content
    for hours in range(3, 40):
        write(users, conversation, (me, him)[hours % 2], hours * HOUR)
    users.run("UPDATE app.messages SET length = 10000, kind = 'photo'")
    users.run("INSERT INTO app.outcomes VALUES (%(to)s, %(him)s, 'not_met')", to=conversation, him=him)
    users.run(
        "INSERT INTO app.reports (reporter_id, reported_id, reason) VALUES (%(him)s, %(me)s, 'rude')", him=him, me=me
    )
    assert api.me(me, "conversations").content == before


def explain(users: Users, me: UUID) -> dict[str, Any]:
    """How her conversations are found, and how many pages of the database that reads."""
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM matching.find_conversations(%s)"
    users.connection.execute(explain, [me])
    ((found,),) = users.connection.execute(explain, [me]).fetchall()
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def test_a_long_monologue_is_not_read(users: Users) -> None:
    """Of fifty thousand messages as few pages are read as the index is deep, whoever wrote them."""
    me, him = users.add(), users.add("man")
    conversation = meet(users, me, him)
    write(users, conversation, him, 29 * DAY)
    few = explain(users, me)["Shared Hit Blocks"]
    users.run(
        "INSERT INTO app.messages (conversation_id, sender_id, sent_at)"
        " SELECT %(to)s, %(me)s, now() - interval '28 days' + n * interval '10 seconds'"
        " FROM generate_series(1, 50000) AS n",
        to=conversation,
        me=me,
    )
    users.run("VACUUM ANALYZE app.messages")
    plan = explain(users, me)
    assert "ix_messages_conversation_id_sender_id_sent_at" in str(plan)
    assert plan["Shared Hit Blocks"] <= few + 10
