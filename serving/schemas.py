"""The response schemas. A user's exact birth date, location and one-sided probabilities are never returned.

Distances are measured between locations rounded to a hundredth of a degree (about a kilometre).
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from serving.problems.problem_types import ProblemType
from serving.queries.opener_sentences import OpenerCode
from serving.queries.reason_sentences import ReasonCode

EmptyReason = Literal["paused", "profile_invalid", "no_publication", "no_list_yet", "no_candidates", "list_used_up"]
ConversationStage = Literal["new", "opened", "answered", "going_on"]
ConversationTurn = Literal["mine", "theirs", "nobody"]

FARTHEST_KM = 100
"""Larger distances are returned as this value."""


class Publication(BaseModel):
    """One complete set of match lists, made at one time."""

    id: int
    made_at: datetime = Field(description="When it was computed, with time zone.")


class CurrentPublication(Publication):
    """The publication that is live, and how much it holds."""

    viewers: int = Field(ge=0, description="How many people have a list in it.")
    pairs: int = Field(ge=0, description="How many candidates all lists have together.")


class Candidate(BaseModel):
    """The part of a candidate's profile that the viewer may see."""

    id: UUID
    name: str = Field(description="Empty if there is none, or one of more than 500 characters.")
    age: int = Field(description="Whole years.")
    gender: str
    distance_km: int | None = Field(
        ge=0,
        le=FARTHEST_KM,
        description="From the viewer in whole kilometres, between locations rounded to a hundredth of a degree; "
        f"{FARTHEST_KM} means that or more; null when unknown.",
    )
    interests: list[str] = Field(description="The first 200, less those of more than 500 characters.")
    texts: dict[str, str] = Field(
        description="Prompt to answer: at most 50, less those of more than 10,000 characters. `/v1/titles` has the "
        "titles of prompts."
    )


class Reason(BaseModel):
    """A reason for a match."""

    code: ReasonCode
    sentence: str = Field(description="The reason in the language of the request, to show as it is.")


class Match(BaseModel):
    """A candidate at a position among the viewer's matches."""

    rank: int = Field(
        ge=1, description="Position among the matches as they are shown, from 1, continued from page to page."
    )
    candidate: Candidate
    p_match_percent: int | None = Field(
        ge=0,
        le=100,
        description="Probability that both like each other, in percent, from profiles and earlier decisions. It does "
        "not count a like that the candidate has sent to the viewer. Null when `source` is `similar`; for `like`, null "
        "when no list of the publication has the pair.",
    )
    reasons: list[Reason] = Field(
        description="Strongest first, those that both profiles still support. Empty when `source` is `similar`, and "
        "for a `like` that arrived after the publication from a candidate who is not on the viewer's list."
    )
    source: Literal["published", "similar", "like"] = Field(
        description="`published`: on the viewer's match list, or most compatible. `similar`: not on it, but among the "
        "eligible users whose texts are most similar to the viewer's. `like`: the candidate likes the viewer, "
        "who has not decided yet; only where likes are told."
    )


class Matches(BaseModel):
    """A page of the viewer's matches, in the order of the list."""

    publication: Publication | None = Field(description="Where the list comes from; null while none is live.")
    matches: list[Match]
    next_cursor: str | None = Field(
        description="Give this as `cursor` to get the next page of the same publication, which may be empty; null at "
        "the end."
    )
    topped_up: bool = Field(
        description="Whether similar users fill this page, because the list is too short or does not exist yet."
    )
    empty_because: EmptyReason | None = Field(
        description="Why the first page has no matches; null elsewhere. `paused`: the viewer is. `profile_invalid`: a "
        "value of the viewer's profile is outside its limits. `no_publication`: none is live yet. `no_list_yet`: the "
        "viewer joined after the live one was computed. `no_candidates`: it found nobody who fits. `list_used_up`: "
        "nobody on the viewer's list may still be shown, because the viewer has decided on them, or they have left."
    )


class Likes(BaseModel):
    """A page of the pending likes that the viewer has received, the viewer's favourite first."""

    publication: Publication | None = Field(description="Where the order comes from; null while none is live.")
    likes: list[Match] = Field(
        description="All of `source` `like`: those known to the publication, the one that the viewer most probably "
        "likes back first; then those that arrived since, newest first."
    )
    next_cursor: str | None = Field(
        description="Give this as `cursor` to get the next page of the same publication, which may be empty; null at "
        "the end."
    )


class Opener(BaseModel):
    """Something that both profiles show, to begin a conversation with."""

    code: OpenerCode
    detail: str = Field(description="An interest, a prompt that the candidate answered, or a fact as `smokes (no)`.")
    sentence: str = Field(description="The opener in the language of the request, as a suggestion to the viewer.")


class Conversation(BaseModel):
    """A conversation of the viewer with a candidate whom they like and who likes them."""

    id: UUID
    candidate: Candidate
    stage: ConversationStage = Field(
        description="`new`: nobody has written. `opened`: one of the two has. `answered`: both have. `going_on`: both "
        "have within the last seven days, and the conversation is not closed."
    )
    turn: ConversationTurn = Field(
        description="Who is to write next. `mine`: the candidate wrote last. `theirs`: the viewer did. `nobody`: "
        "before the first message, and once the conversation is closed."
    )
    since: datetime = Field(description="When it ended, else when one of the two last wrote, else when they matched.")
    closed: bool
    closed_at: datetime | None = Field(description="Null while the conversation is open.")
    openers: list[Opener] = Field(description="While nobody has written and the conversation is open; otherwise empty.")


class Conversations(BaseModel):
    """A page of the viewer's conversations, those first where something happened last."""

    conversations: list[Conversation]
    next_cursor: str | None = Field(
        description="Give this as `cursor` to get the next page, which may be empty; null at the end."
    )


class MostCompatible(BaseModel):
    """The viewer's most compatible candidate, from a matching in which each user has at most one other."""

    publication: Publication | None = Field(description="Where it comes from; null while none is live.")
    match: Match | None = Field(description="Null when there is none today, or the candidate may no longer be shown.")


class Similar(BaseModel):
    """The eligible people whose texts are most like the viewer's, most alike first."""

    matches: list[Match] = Field(description="All of `source` `similar`.")


class Titles(BaseModel):
    """The titles of prompts in one language."""

    locale: str = Field(description="The language of the titles and of the sentences of reasons, such as `en`.")
    prompts: dict[str, str] = Field(description="Prompt to title. Show a prompt without a title as it is.")


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """The publication that is being served."""

    publication: Publication
    age_seconds: int = Field(ge=0, description="Since the publication was made.")


class InvalidParameter(BaseModel):
    """What is wrong with one parameter of a request."""

    parameter: str
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: ProblemType = ProblemType.BLANK
    title: str = Field(description="The name of the status.")
    status: int
    detail: str = Field(description="What went wrong this time, and what to do.")
    errors: list[InvalidParameter] | None = Field(None, description="Only with status 422.")
