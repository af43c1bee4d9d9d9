"""An example of each successful response, by operation."""

from typing import Any

_PUBLICATION = {"id": 1, "made_at": "2026-11-23T07:28:17.465911+00:00"}
_HARUTO = {
    "id": "64f89446-b9ea-5eb0-a24c-df3d5393ab24",
    "name": "Haruto",
    "age": 36,
    "gender": "man",
    "distance_km": 13,
    "interests": ["fermentation", "mountains", "choir"],
    "texts": {"ideal_weekend": "Two days of climbing the easy side of a hard wall and baking sourdough bread."},
}
_MATCH: dict[str, Any] = {
    "rank": 1,
    "candidate": _HARUTO,
    "p_match_percent": 26,
    "reasons": [
        {"code": "shared_interests", "sentence": "You both like fermentation and choir."},
        {"code": "in_common", "sentence": "You have this in common: working in public service."},
    ],
    "source": "published",
}
_SIMILAR = _MATCH | {"p_match_percent": None, "reasons": [], "source": "similar"}
_CONVERSATION: dict[str, Any] = {
    "id": "0d1d1a53-6a2c-4b0e-8a50-5c1c6a0d7c11",
    "candidate": _HARUTO,
    "stage": "new",
    "turn": "nobody",
    "since": "2026-11-23T18:02:11.042+00:00",
    "closed": False,
    "closed_at": None,
    "openers": [
        {"code": "shared_interest", "detail": "choir", "sentence": "You both like choir."},
        {
            "code": "ask_about",
            "detail": "ideal_weekend",
            "sentence": "Ask about their answer to “My ideal weekend”.",
        },
    ],
}
_CURSOR = "WHkZgvrqgV1HBw1C63h3twIAAAAAAAAAdOp_O-JkKcs"

RESPONSES: dict[str, dict[str, Any]] = {
    "get_my_matches": {
        "publication": _PUBLICATION,
        "matches": [_MATCH],
        "next_cursor": _CURSOR,
        "topped_up": False,
        "empty_because": None,
    },
    "get_my_likes": {"publication": _PUBLICATION, "likes": [_MATCH | {"source": "like"}], "next_cursor": None},
    "get_my_conversations": {"conversations": [_CONVERSATION], "next_cursor": None},
    "get_my_match": _MATCH,
    "get_my_most_compatible": {"publication": _PUBLICATION, "match": _MATCH},
    "get_similar_to_me": {"matches": [_SIMILAR]},
    "get_titles": {"locale": "en", "prompts": {"ideal_weekend": "My ideal weekend"}},
    "get_current_publication": _PUBLICATION | {"viewers": 189, "pairs": 3057},
    "get_liveness": {"status": "alive"},
    "get_readiness": {"publication": _PUBLICATION, "age_seconds": 257},
}
