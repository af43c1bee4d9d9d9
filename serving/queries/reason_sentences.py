"""The sentence for each reason code."""

from typing import Literal

ReasonCode = Literal[
    "shared_interests",
    "similar_answers",
    "close_by",
    "similar_age",
    "in_common",
    "similar_nature",
    "what_you_look_for",
    "likely_mutual",
]

# {detail} is replaced by the reason's details, such as "hiking, jazz and films".
SENTENCES: dict[ReasonCode, str] = {
    "shared_interests": "You both like {detail}.",
    "similar_answers": "You answer in much the same spirit.",
    "close_by": "You live close to each other.",
    "similar_age": "You are about the same age.",
    "in_common": "You have this in common: {detail}.",
    "similar_nature": "You are alike by nature.",
    "what_you_look_for": "They have much of what you look for.",
    "likely_mutual": "The interest is likely to be mutual.",
}
