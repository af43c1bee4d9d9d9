"""The dictionary of titles and sentences: the English one, and what the app's own file adds or replaces."""

import json
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.db.errors import InputError
from serving.queries.opener_sentences import OPENERS, OpenerCode
from serving.queries.reason_sentences import SENTENCES, ReasonCode
from serving.queries.wording.locales import DEFAULT_LOCALE, choose_locale

_DEFAULTS = Path(__file__).parent / "en.toml"
_WITH_FACTS = "in_common"
"""The reason, and the opener, whose details are facts. Those of other reasons are words of the users."""
_WITH_PROMPTS: OpenerCode = "ask_about"
"""The opener whose detail is a prompt."""


class Wording(BaseModel):
    """The words of one locale."""

    model_config = ConfigDict(extra="forbid")

    joiner: str = Field(" and ", alias="and")
    """What stands before the last of several details."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Titles, by prompt."""
    facts: dict[str, dict[str, str]] = Field(default_factory=dict)
    """What two users have in common, by fact and answer."""
    reasons: dict[ReasonCode, str]
    """Sentences, where {detail} stands for the details."""
    openers: dict[OpenerCode, str]
    """The same for openers, whose detail is one."""

    @cached_property
    def templates(self) -> str:
        """JSON, the parameter `sentences` of the database's functions.

        A sentence with details is an object, which `matching.sentence` reads. Facts are named as the pipeline does.
        """
        return json.dumps({code: self._make_template(code, text) for code, text in self.reasons.items()})

    @cached_property
    def opener_templates(self) -> str:
        """The same for openers."""
        return json.dumps({code: self._make_template(code, text) for code, text in self.openers.items()})

    def _make_template(self, code: ReasonCode | OpenerCode, text: str) -> str | dict[str, object]:
        if "{detail}" not in text:
            return text
        template: dict[str, object] = {"sentence": text, "and": self.joiner}
        if code == _WITH_FACTS:
            return template | {"titles": self._name_facts()}
        return template | ({"titles": self.prompts} if code == _WITH_PROMPTS else {})

    def _name_facts(self) -> dict[str, str]:
        return {
            f"{fact.replace('_', ' ')} ({answer})": title
            for fact, titles in self.facts.items()
            for answer, title in titles.items()
        }


Dictionary = dict[str, Wording]
"""By locale, in lowercase; the default locale is always there."""


def load_dictionary(own: Path | None) -> Dictionary:
    """Load the English dictionary, and over it the file of the app, if there is one.

    What a locale leaves out is English.

    Raises:
        InputError: The file cannot be read, or has another form.
    """
    english = {"reasons": SENTENCES, "openers": OPENERS, **_read_locales(_DEFAULTS)[DEFAULT_LOCALE]}
    added = {locale.lower(): words for locale, words in ({} if own is None else _read_locales(own)).items()}
    english = _merge(english, added.pop(DEFAULT_LOCALE, {}))
    locales = {DEFAULT_LOCALE: english} | {locale: _merge(english, words) for locale, words in added.items()}
    try:
        return TypeAdapter(Dictionary).validate_python(locales, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"MATCHING_TITLES: {own}: {where}: {first['msg']}; see docs/guides/api.md") from None


def choose_wording(dictionary: Dictionary, accepted: str | None) -> tuple[str, Wording]:
    """Choose the locale that a client prefers by its `Accept-Language`, and return it with its words."""
    locale = choose_locale(accepted, dictionary.keys())
    return locale, dictionary[locale]


def _read_locales(path: Path) -> dict[str, dict[str, object]]:
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"MATCHING_TITLES: {path} cannot be read as TOML: {error}") from None
    if wrong := [name for name, words in read.items() if not isinstance(words, dict)]:
        raise InputError(
            f"MATCHING_TITLES: {path}: {wrong[0]!r} is no table; begin with a locale, such as [en.prompts]"
        )
    return read


def _merge(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Merge two nested tables; where both have a value, `over` counts."""
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
