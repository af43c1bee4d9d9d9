"""Contact details in messages: phone numbers, mail addresses, handles and links to a profile elsewhere."""

import re
from collections.abc import Sequence

import numpy as np
import phonenumbers

from models.ml.arrays import BoolArray
from models.ml.conversations.words.bodies import cut_bodies

# Where a number without a country code is tried; with one, every country is known.
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT")
# Digits of a number with its usual separators; shorter ones are times, prices and years.
_DIGITS = re.compile(r"(?<![\w/.,:])\+?\(?\d[\d\s().\-/]{6,22}\d(?![\w/])")
MIN_DIGITS, MAX_DIGITS = 9, 15
# "1 2 3 4 5 6 7 8 9" is a count.
MAX_GROUPS = 6
# At most so many candidates of one message are checked.
MAX_CANDIDATES = 20
_ENDING = r"(?:com|net|org|edu|info|io|me|de|fr|es|it|at|ch|nl|uk|eu|co|us|in|pl|se|dk|no|ca|au|live)\b"
MAIL = re.compile(
    rf"[\w.+-]{{1,64}}\s?(?:@|\(at\)|\[at\])\s?[\w-]{{2,63}}(?:\.|\s?(?:\(dot\)|\[dot\]|\bdot\b)\s?){_ENDING}"
    rf"|[\w.+-]{{1,64}} at [\w-]{{2,63}} dot {_ENDING}|[\w.+-]{{1,64}} at (?:gmail|hotmail|yahoo|outlook|gmx|icloud)\b",
    re.IGNORECASE,
)
_APP = (
    r"(?:insta(?:gram)?|ig|snap(?:chat)?|whats ?app|telegram|kik|discord|face ?book|fb|tik ?tok|twitter|skype|"
    r"signal|viber|wechat|line id|threema|messenger)"
)
HANDLE = re.compile(
    # @name, but not the second half of a mail address.
    r"(?<![\w@.])@[A-Za-z][\w.]{2,29}\b"
    rf"|\b{_APP}\b(?: (?:name|handle|id|account|user(?:name)?))?\s?(?:is|:|=|-|ist|est|es)\s?@?"
    r"(?!(?:the|a|so|not|my|down|fun|full|bad|good|great|better|boring|easier|for|just)\b)[A-Za-z][\w.\-]{2,29}"
    rf"|\b(?:i'?m|add me|find me|text me|write me|message me|dm me|follow me|hit me up) (?:up )?(?:on|at|in|@) {_APP}"
    r"\s?(?:as|under|:|,|@|at|-)\s?[A-Za-z@][\w.\-]{2,29}",
    re.IGNORECASE,
)
LINK = re.compile(
    r"\b(?:instagram\.com|facebook\.com|fb\.me|snapchat\.com|t\.me|wa\.me|telegram\.me|tiktok\.com|twitter\.com|x\.com|discord\.gg|"
    r"linkedin\.com|onlyfans\.com|linktr\.ee|m\.me)/@?\w",
    re.IGNORECASE,
)


def find_contact(bodies: Sequence[str]) -> BoolArray:
    """Return which messages give a contact detail, bool (len(bodies),).

    A number counts if it is valid in its country, or, without a country code, in one of `REGIONS`. A link counts if it
    leads to a profile; a song or a map does not. Only the beginning of a long body is read.
    """
    return np.fromiter((has_contact(body) for body in cut_bodies(bodies)), np.bool_, len(bodies))


def has_contact(body: str) -> bool:
    """Return whether a text of bounded length gives a contact detail."""
    return bool(MAIL.search(body) or HANDLE.search(body) or LINK.search(body)) or has_phone_number(body)


def has_phone_number(body: str) -> bool:
    """Return whether a text of bounded length holds a phone number."""
    found = [match.group() for match in _DIGITS.finditer(body)][:MAX_CANDIDATES]
    return any(_is_number(each) and _is_valid(each) for each in found)


def _is_number(candidate: str) -> bool:
    groups = re.findall(r"\d+", candidate)
    return len(groups) <= MAX_GROUPS and MIN_DIGITS <= sum(map(len, groups)) <= MAX_DIGITS


def _is_valid(number: str) -> bool:
    regions = (None,) if number.startswith("+") else REGIONS
    return any(map(phonenumbers.is_valid_number, _parse(number, regions)))


def _parse(number: str, regions: Sequence[str | None]) -> list[phonenumbers.PhoneNumber]:
    parsed = []
    for region in regions:
        try:
            parsed.append(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:  # too short or too long there
            continue
    return parsed
