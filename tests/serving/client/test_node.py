"""The client in Node.js against the real API and database: its own tests, and what its README promises."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

from tests.serving.client.conftest import add_conversation, add_viewer, run, slow
from tests.serving.conftest import Api, Users, token_for


@contextmanager
def scenes(actions: Mapping[str, Callable[[], object]]) -> Iterator[str]:
    """A URL where asking for an action by its name runs it; anything else is a plain 404."""

    class Scenes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            action = actions.get(self.path.removeprefix("/"))
            if action is not None:
                action()
            self.send_response(404 if action is None else 200)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Scenes) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_client_s_own_tests(client: Path, api: Api, telling: Api, users: Users, api_database: str) -> None:
    me = add_viewer(users)
    for man in (likers := me.listed[:3]):
        users.act(man, "like", me.id)
    turns = ["mine", "theirs", "nobody"]
    for turn, man in zip(turns, likers, strict=True):
        add_conversation(users, me.id, man, turn)
    stop_waiting = ExitStack()

    def take_lists_away() -> None:
        users.publish({me.id: me.listed[::-1]})
        users.run(f"DROP TABLE matching.match_lists_{me.publication}")

    actions = {
        "too-slow": lambda: stop_waiting.enter_context(slow(api_database)),
        "quick-again": stop_waiting.close,
        "publication-gone": take_lists_away,
    }
    with stop_waiting, scenes(actions) as url:
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
            SCENES=url,
            TELLING_API=str(telling.client.base_url),
            LIKERS=" ".join(map(str, reversed(likers))),
            CONVERSATIONS=" ".join(f"{man}:{turn}" for turn, man in zip(turns, likers, strict=True)),
        )
    assert re.search(r"^# pass 22$", output, re.MULTILINE), output


def test_the_three_lines_of_the_readme(client: Path, api: Api, users: Users) -> None:
    me, men = users.viewer(3)
    lines = re.findall(r"```ts\n(.*?)```", (client / "README.md").read_text(), re.DOTALL)[0]
    assert lines.count("\n") == 3
    here = lines.replace("http://127.0.0.1:8000", str(api.client.base_url))
    script = f"const token = process.env.TOKEN;\n{here}\nfor (const match of matches) console.log(match.candidate.id);"
    assert run("node", "--input-type=module", stdin=script, TOKEN=token_for(me)).split() == [str(man) for man in men]
