"""The client in Node.js against the real API and database: its own tests, and what its README promises."""

import re
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from tests.serving.client.conftest import run, scenes, slow
from tests.serving.client.people import settle
from tests.serving.conftest import Api, Town, token_for


def test_the_client_s_own_tests(client: Path, api: Api, telling: Api, town: Town, api_database: str) -> None:
    me = settle(town)
    for man in (likers := me.listed[:3]):
        town.act(man, "like", me.id)
    stop_waiting = ExitStack()

    def take_lists_away() -> None:
        town.publish({me.id: me.listed[::-1]})
        town.run(f"DROP TABLE matching.match_lists_{me.publication}")

    actions = {
        "too-slow": lambda: stop_waiting.enter_context(slow(api_database)),
        "quick-again": stop_waiting.close,
        "publication-gone": take_lists_away,
    }
    with stop_waiting, scenes(actions) as address:
        output = run(
            "npm",
            "test",
            API=str(api.client.base_url),
            TOKEN=token_for(me.id),
            EXPIRED_TOKEN=token_for(me.id, timedelta(hours=-1)),
            NEWCOMER_TOKEN=token_for(uuid4()),
            LISTED=" ".join(map(str, me.listed)),
            PARTNER=str(me.partner),
            PUBLICATION=str(me.publication),
            SCENES=address,
            TELLING_API=str(telling.client.base_url),
            LIKERS=" ".join(map(str, reversed(likers))),
        )
    assert re.search(r"^# pass 12$", output, re.MULTILINE), output


def test_the_three_lines_of_the_readme(client: Path, api: Api, town: Town) -> None:
    me = settle(town, listed=3)
    lines = re.findall(r"```ts\n(.*?)```", (client / "README.md").read_text(), re.DOTALL)[0]
    assert lines.count("\n") == 3
    here = lines.replace("http://127.0.0.1:8000", str(api.client.base_url))
    script = f"const token = process.env.TOKEN;\n{here}\nfor (const match of matches) console.log(match.candidate.id);"
    shown = run("node", "--input-type=module", stdin=script, TOKEN=token_for(me.id)).split()
    assert shown[:3] == [str(person) for person in me.listed]
