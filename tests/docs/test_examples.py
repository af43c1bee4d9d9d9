"""The documented answers of the API agree with themselves."""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```json GET[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def documented_matches() -> list[dict[str, dict[str, list[str]] | list[dict[str, str]]]]:
    answers = [json.loads(block) for block in BLOCK.findall((DOCS / "guides/api.md").read_text())]
    listed = [match for answer in answers for match in answer.get("matches", [])]
    return [*listed, *(answer["match"] for answer in answers if answer.get("match"))]


def test_shared_interests_stand_in_the_card() -> None:
    matches = documented_matches()
    assert len(matches) >= 2
    for match in matches:
        for reason in match["reasons"]:
            if reason["code"] == "shared_interests":  # type: ignore[index]
                said = reason["sentence"].removeprefix("You both like ").removesuffix(".")  # type: ignore[index]
                assert set(re.split(", | and ", said)) <= set(match["candidate"]["interests"])  # type: ignore[call-overload]
