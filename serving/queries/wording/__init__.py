"""The words of the API's answers for people: sentences of reasons and openers, titles of prompts and facts, by locale."""
