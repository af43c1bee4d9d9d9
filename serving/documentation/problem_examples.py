"""An example of each problem, in the words that the API answers with."""

from typing import Any

from serving.problems.problem_details import DETAILS
from serving.problems.problem_types import STATUSES, ProblemType
from serving.titles import TITLES

_MORE: dict[ProblemType, dict[str, Any]] = {
    ProblemType.PARAMETER_INVALID: {
        "errors": [{"parameter": "limit", "detail": "Input should be less than or equal to 50"}]
    }
}


def find_problem_examples(description: str) -> dict[str, dict[str, Any]]:
    """Return the OpenAPI `examples` of the types that the description of a response names."""
    return {
        kind.name.lower().replace("_", "-"): {"value": make_problem_example(kind)}
        for kind in ProblemType
        if f"`{kind}`" in description
    }


def make_problem_example(kind: ProblemType) -> dict[str, Any]:
    """Return the body of a problem of this type."""
    status = STATUSES[kind]
    common = {"type": f"{kind}", "title": TITLES[status], "status": int(status), "detail": DETAILS[kind]}
    return common | _MORE.get(kind, {})
