"""Who joined since the publication is shown the eligible users whose embeddings are nearest."""

from uuid import UUID

from serving.schemas import Matches, Similar
from tests.serving.conftest import Api, Users


def newcomer(users: Users) -> tuple[UUID, list[UUID]]:
    me, men = users.neighbours(5)
    users.publish({})
    return me, men


def test_the_nearest_come_first_and_are_marked(api: Api, users: Users) -> None:
    me, men = newcomer(users)
    users.embed(users.add("man"), 1, 0, encoder="numbers")  # of another encoder: not compared
    for path, schema in (("matches", Matches), ("similar", Similar)):
        response = api.me(me, path)
        matches = schema.model_validate_json(response.content, strict=True).matches
        assert [match.candidate.id for match in matches] == men
        marks = [(match.rank, match.source, match.p_match_percent, match.reasons) for match in matches]
        assert marks == [(rank, "similar", None, []) for rank in range(1, 6)]
    assert api.shown(me, limit=2) == api.similar(me, limit=2) == men[:2]
    assert api.shown(users.add()) == [], "without an embedding"


def test_similar_users_are_on_the_list_or_not(api: Api, users: Users) -> None:
    me, men = users.neighbours(30)
    for _ in range(2):
        assert api.similar(me) == men
        assert [len(api.read(me, path)["matches"]) for path in ("similar", "similar?limit=3")] == [20, 3]
        users.publish({me: men[5:10]})


def test_who_is_on_the_list_does_not_top_it_up(api: Api, users: Users) -> None:
    """Whether they are still shown or not."""
    me, men = newcomer(users)
    users.publish({me: [men[3], men[0]]})
    users.block(me, men[0])
    matches = Matches.model_validate_json(api.matches(me).content, strict=True)
    shown = [(match.candidate.id, match.source) for match in matches.matches]
    assert shown == [(men[3], "published"), (men[1], "similar"), (men[2], "similar"), (men[4], "similar")]
    assert matches.topped_up
