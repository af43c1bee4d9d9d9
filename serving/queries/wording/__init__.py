"""The words of the API's responses: sentences of reasons and openers, titles of prompts and facts, by locale."""
