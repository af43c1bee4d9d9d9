"""The words of the API's answers for people: sentences of reasons, titles of prompts and facts, by locale."""
