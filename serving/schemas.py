"""What the API answers. The exact birth date, the place and the one-sided chances of a person never leave."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from serving.reasons import ReasonCode


class Publication(BaseModel):
    """One complete set of match lists, made at one time."""

    id: int
    made_at: datetime = Field(description="When it was computed, with time zone.")


class Candidate(BaseModel):
    """A person who is shown, as far as they are shown."""

    id: UUID
    name: str
    age: int = Field(description="Whole years.")
    gender: str
    distance_km: int | None = Field(description="From the viewer, rounded to a kilometre; null when unknown.")
    interests: list[str]
    texts: dict[str, str] = Field(description="Prompt to answer.")


class Reason(BaseModel):
    """Something that speaks for a match."""

    code: ReasonCode
    sentence: str = Field(description="The reason in English, to show as it is.")


class Match(BaseModel):
    """A candidate at their place in the viewer's list."""

    rank: int = Field(ge=1, description="Place in this answer, from 1.")
    candidate: Candidate
    p_match_percent: int | None = Field(
        ge=0, le=100, description="Chance that both like each other, in percent; null when `source` is `similar`."
    )
    reasons: list[Reason] = Field(description="Strongest first; empty when `source` is `similar`.")
    source: Literal["published", "similar"] = Field(
        description="`published`: from the viewer's match list. `similar`: the viewer joined since the publication "
        "and has no list yet, so these are the eligible people whose texts are most like the viewer's."
    )


class Matches(BaseModel):
    """The viewer's matches, best first."""

    publication: Publication
    matches: list[Match]


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

    type: str = "about:blank"
    title: str = Field(description="The name of the status.")
    status: int
    detail: str = Field(description="What went wrong this time, and what to do.")
    errors: list[InvalidParameter] | None = Field(None, description="Only with status 422.")
