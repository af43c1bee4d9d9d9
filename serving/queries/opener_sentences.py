"""The sentence for each code of an opener: something that both profiles show, to begin a conversation with."""

from typing import Literal

OpenerCode = Literal["shared_interest", "ask_about", "in_common"]

# {detail} is replaced by the interest, the title of the prompt, or the title of the fact.
OPENERS: dict[OpenerCode, str] = {
    "shared_interest": "You both like {detail}.",
    "ask_about": "Ask about their answer to “{detail}”.",
    "in_common": "You have this in common: {detail}.",
}
