"""Rules that flag a message for a reviewer: threats, ages under 18 that writers give as theirs, and requests for money."""

import re

# A person is hurt or killed. The verb's object is somebody, so that "I could kill for a pizza" is none.
_HARMS = (
    r"(?:kill|murder|slaughter|shoot|stab|strangle|hang|burn|drown|hurt|beat|rape|torture|attack|punch|smash|break|cut|slit|snap|"
    r"eradicate|exterminate|execute|destroy)(?:ing)?"
)
_SOMEBODY = r"(?:you|u|ya|your|yours|him|her|them|their|all|every|any|these|those|that|this|the next|an?|the) ?\w*"
_HARMED = (
    r"(?:killed|murdered|slaughtered|shot|stabbed|strangled|hanged|burned|burnt|drowned|hurt|beaten|raped|tortured|executed|"
    r"eradicated|exterminated|dead|put down|gassed)"
)
_I_WILL = (
    r"(?:(?:i|we)(?:'?ll| will| am going to|'?m going to|'?m gonna| are going to|'?re going to|'?re gonna| want to| wanna| have to|"
    r"'?d like to| would like to| could| should| hope to)|going to|gonna|let'?s|i swear)"
)
THREAT = re.compile(
    rf"\b{_I_WILL} (?:\w+ ){{0,3}}?{_HARMS} {_SOMEBODY}\b"
    rf"|\b(?:somebody|someone|one|anybody|we|they) (?:should|ought to|must|needs? to|has to) (?:\w+ )?{_HARMS} {_SOMEBODY}\b"
    rf"|\b(?:should|ought to|must|deserves? to|would|going to|gonna|will) (?:\w+ )?(?:be|get) {_HARMED}\b"
    r"|\bdeserves? to (?:die|suffer)\b|(?<!the )\bdeath to (?!keep|get)|\b(?:go )?(?:kill|hang|shoot|drown) (?:yo)?urself\b|\bkys\b"
    r"|\b(?:i|we)(?:'?ll| will|'?m going to| am going to|'?m gonna) (?:\w+ )?(?:find|come for|get|end) you\b.{0,40}\b"
    r"(?:regret|sorry|dead|die|live|hurt|pay|kill)\w*"
    r"|\b(?:you(?:'re| are| will be|'?ll be|r)?) (?:so |a )?(?:dead|dead (?:man|woman|meat|girl|boy)) (?:when|if|to me soon|soon|tonight|man|meat)\b"
    rf"|\b{_I_WILL} (?:\w+ ){{0,2}}?(?:put an end to|get rid of|end) (?:you|all|these|those|every)\b",
    re.IGNORECASE,
)  # fmt: skip

_AGE = r"(?:1[0-7]|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen)"
UNDER_AGE = re.compile(
    rf"\bi(?:'?m| am| m|m)(?: only| just| actually| really| still| almost)? {_AGE}\b(?!\s?(?:%|\d|[.,:]\d|k\b|km|kg|cm|m\b|min|hour|hr|"
    r"day|week|month|mile|block|feet|foot|st\b|th\b|am\b|pm\b|euro|dollar|percent|people|of\b|years? (?:older|younger|in|sober|clean|"
    r"into|at|with|without|behind|ahead|too)|points?|floors?|stops?|away|on a|in\b|out of))"
    rf"|\bi(?:'?ll| will) (?:be|turn) {_AGE} (?:next|this|in|on|soon)\b|\bi (?:just )?turned {_AGE}\b(?! (?:off|on|down))"
    rf"|\bmy (?:real |actual )?age is {_AGE}\b|\bi(?:'?m| am) (?:under ?-?age|a minor|not 18|not eighteen|under 18)\b"
    rf"|\bich bin (?:erst )?{_AGE}(?: jahre)?\b(?! (?:minuten|km|tage|stunden))|\bj'ai {_AGE} ans\b|\btengo {_AGE} años\b",
    re.IGNORECASE,
)

MONEY = re.compile(
    r"\b(?:send|wire|lend|transfer|borrow|loan|need)\b[^.?!]{0,40}\b(?:money|cash|\$ ?\d|\d+ ?(?:dollars|euros?|pounds|usd|eur|\$|€))"
    r"[^.?!]{0,60}\b(?:western union|moneygram|paypal|account|ticket|visa|hospital|surgery|customs|emergency|bank|hotel|flight)\b"
    r"|\b(?:western union|moneygram|gift ?cards?|steam cards?|google play cards?|itunes cards?)\b"
    r"|\b(?:bitcoin|crypto|forex|usdt|trading)\b[^.?!]{0,60}\b(?:invest\w*|profit\w*|returns?|double|earn\w*|platform|teach you|mentor)\b"
    r"|\b(?:invest\w*|double your money|guaranteed (?:profit|return)s?)\b[^.?!]{0,60}\b(?:bitcoin|crypto|forex|usdt|platform|broker)\b",
    re.IGNORECASE,
)

RULES = {"threat": THREAT, "under_age": UNDER_AGE, "scam": MONEY}
"""Pattern by kind of flag. A message has each kind at most once."""


def match_rules(body: str) -> list[str]:
    """Return the kinds of flags whose rule a text of bounded length matches.

    The rules read English, the one about ages German, French and Spanish as well.
    """
    return [kind for kind, pattern in RULES.items() if pattern.search(body)]
