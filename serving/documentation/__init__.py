"""The OpenAPI document with its examples, and the page at /docs."""

from serving.documentation.api_document import DESCRIPTION, DocumentedApi
from serving.documentation.docs_page import install_documentation

__all__ = ["DESCRIPTION", "DocumentedApi", "install_documentation"]
