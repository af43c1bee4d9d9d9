"""Profiles edited to be huge after the publication: the pages of their viewers stay small."""

import psutil

from tests.serving.conftest import Api, Users

TEXT = "jsonb_build_object('About me', {})"
RANDOM = "(SELECT string_agg(md5(n::text || random()), '') FROM generate_series(1, 300000) AS n)"
# What is left of the card.
HUGE: dict[str, dict[str, object]] = {
    "texts = " + TEXT.format(RANDOM): {"texts": {}},
    "texts = texts || " + TEXT.format("repeat('a', 10001)"): {"texts": {"Work": "Baker"}},
    "texts = texts || " + TEXT.format("repeat('é', 10000)"): {"texts": {"Work": "Baker", "About me": "é" * 10_000}},
    "texts = (SELECT jsonb_object_agg('prompt ' || n, 'hello') FROM generate_series(1, 100000) AS n)": {"texts": {}},
    "interests = interests || array_fill('jazz'::text, ARRAY[1000000])": {"interests": []},
    "interests = interests || repeat('a', 501)": {"interests": ["chess"]},
    "interests = interests || repeat('a', 40000000)": {"interests": []},
    "interests = ARRAY(SELECT n::text FROM generate_series(1, 201) AS n)": {
        "interests": [str(number) for number in range(1, 201)]
    },
    "display_name = repeat('a', 501)": {"name": ""},
    "display_name = repeat('a', 40000000)": {"name": ""},
}
# Beyond these limits a user is not shown at all, as in the pipeline.
NOT_SHOWN = (
    "gender = repeat('man', 10000000)",
    "seeks = seeks || array_fill('a'::text, ARRAY[1000000])",
    "traits = (SELECT jsonb_object_agg('trait ' || n, 1) FROM generate_series(1, 100000) AS n)",
    "facts = jsonb_build_object('job', repeat('a', 40000000))",
)


def test_what_is_beyond_a_limit_is_left_out(api: Api, users: Users) -> None:
    card = {"name": "Somebody", "interests": ["chess"], "texts": {"Work": "Baker"}}
    me, men = users.viewer(len(HUGE), interests=["chess"], texts={"Work": "Baker"})
    process = psutil.Process(api.process.pid)
    api.read(me)
    memory = process.memory_info().rss
    for man, change in zip(men, HUGE, strict=True):
        users.run(f"UPDATE app.profiles SET {change} WHERE id = %(man)s", man=man)
    shown = [match["candidate"] for match in api.read(me)["matches"]]
    assert [{name: each[name] for name in card} for each in shown] == [card | left for left in HUGE.values()]
    for man, each in zip(men, shown, strict=True):
        assert api.open(me, man).json()["candidate"] == each
        assert api.shown(man) == [], "they have pages, too"
    assert process.memory_info().rss < memory + 30e6


def test_who_is_beyond_a_limit_is_not_shown_and_sees_nothing(api: Api, users: Users) -> None:
    me, men = users.add(), users.men(1 + len(NOT_SHOWN))
    users.publish({me: men} | {man: [me] for man in men})
    assert [api.shown(viewer) for viewer in (me, *men)] == [men, *([me] for _ in men)]
    for man, change in zip(men[1:], NOT_SHOWN, strict=True):
        users.run(f"UPDATE app.profiles SET {change} WHERE id = %(man)s", man=man)
    assert api.shown(me) == men[:1]
    for man in men[1:]:
        assert api.shown(man) == []
