"""The OpenAPI document: media types and examples of problems, examples of responses, where a token comes from."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from serving.documentation.problem_examples import find_problem_examples
from serving.documentation.response_examples import RESPONSES
from serving.problems.problem_details import MEDIA_TYPE, document_problems
from serving.problems.problem_types import ProblemType

DESCRIPTION = """Matches of the dating app that wants to be deleted.

**A token** says who "me" is. In development, `matching token WHO` prints one for 24 hours; press *Authorize* and paste
it. WHO is a profile id or a source key: after `make demo`, `simulated:1-2000:0` is Helena. In production, the app's
sign-in issues the tokens.

**Languages**: sentences and titles follow `Accept-Language`, where the dictionary of this API has the language.

**Problems** are `application/problem+json`, told apart by `type`.
"""


class DocumentedApi(FastAPI):
    """FastAPI that documents problems under their own media type, and 429 for every route that needs a token."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, which is built once."""
        made = self.openapi_schema is not None
        document = super().openapi()
        if not made:
            for path in document["paths"].values():
                for operation in path.values():
                    _document_problems(operation)
                    _document_success(operation)
        return document


def _document_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "security" in operation:
        unauthorized = responses[str(int(HTTPStatus.UNAUTHORIZED))]
        for status, too_many in document_problems(ProblemType.TOO_MANY_REQUESTS).items():
            responses[str(status)] = unauthorized | {"description": too_many["description"]}
    for status, response in responses.items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            content = response["content"]["application/json"]
            examples = find_problem_examples(response["description"])
            response["content"] = {MEDIA_TYPE: content | {"examples": examples}}


def _document_success(operation: dict[str, Any]) -> None:
    example = RESPONSES.get(operation["operationId"])
    if example is not None:
        operation["responses"][str(int(HTTPStatus.OK))]["content"]["application/json"]["example"] = example
