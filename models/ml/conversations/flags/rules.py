"""Rules that flag a message: threats, ages under 18 that writers give as theirs, and requests for money."""

import re

# A person is hurt or killed. The verb's object is somebody, so that "I could kill for a pizza" is none.
_HARMS = (
    r"(?:kill|murder|slaughter|shoot|stab|strangle|hang|burn|drown|hurt|beat|rape|torture|attack|punch|smash|break|cut|slit|"
    r"snap|eradicate|exterminate|execute|destroy)(?:ing)?"
)
_SOMEBODY = r"(?:you|u|ya|your|yours|him|her|them|their|all|every|any|these|those|that|this|the next|an?|the) ?\w*"
_HARMED = (
    r"(?:killed|murdered|slaughtered|shot|stabbed|strangled|hanged|burned|burnt|drowned|hurt|beaten|raped|tortured|"
    r"executed|eradicated|exterminated|dead|put down|gassed)"
)
_I_WILL = (
    r"(?:(?:i|we)(?:'?ll| will| am going to|'?m going to|'?m gonna| are going to|'?re going to|'?re gonna| want to|"
    r" wanna| have to|'?d like to| would like to| could| should| hope to)|going to|gonna|let'?s|i swear)"
)
_OTHERS_SHOULD = r"(?:somebody|someone|one|anybody|we|they) (?:should|ought to|must|needs? to|has to)"
_WILL_BE = r"(?:should|ought to|must|deserves? to|would|going to|gonna|will)"
THREAT = re.compile(
    rf"\b{_I_WILL} (?:\w+ ){{0,3}}?{_HARMS} {_SOMEBODY}\b|\b{_OTHERS_SHOULD} (?:\w+ )?{_HARMS} {_SOMEBODY}\b"
    rf"|\b{_WILL_BE} (?:\w+ )?(?:be|get) {_HARMED}\b|\bdeserves? to (?:die|suffer)\b"
    r"|(?<!the )\bdeath to (?!keep|get)|\b(?:kill|hang|shoot|drown) (?:yo)?urself\b|\bkys\b"
    r"|\b(?:i|we)(?:'?ll| will|'?m going to| am going to|'?m gonna) (?:\w+ )?(?:find|come for|get|end) you\b.{0,40}\b"
    r"(?:regret|sorry|dead|die|live|hurt|pay|kill)\w*"
    r"|\b(?:you(?:'re| are| will be|'?ll be|r)?) (?:so |a )?dead (?:when|if|soon|tonight|man|woman|girl|boy|meat)\b"
    rf"|\b{_I_WILL} (?:\w+ ){{0,2}}?(?:put an end to|get rid of|end) (?:you|all|these|those|every)\b",
    re.IGNORECASE,
)

_AGE = r"(?:1[0-7]|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen)"
# A number that counts something else: minutes, kilometres, the floor, a lead of years.
_NO_AGE = (
    r"(?!\s?(?:%|\d|[.,:]\d|k\b|km|kg|cm|m\b|min|hour|hr|day|week|month|mile|block|feet|foot|st\b|th\b|am\b|pm\b|euro|"
    r"dollar|percent|people|of\b|points?|floors?|stops?|away|on a|in\b|out of|"
    r"years? (?:older|younger|in|sober|clean|into|at|with|without|behind|ahead|too)))"
)
UNDER_AGE = re.compile(
    rf"\bi(?:'?m| am)(?: only| just| actually| really| still| almost)? {_AGE}\b{_NO_AGE}"
    rf"|\bi(?:'?ll| will) (?:be|turn) {_AGE} (?:next|this|in|on|soon)\b"
    rf"|\bi (?:just )?turned {_AGE}\b(?! (?:off|on|down))"
    rf"|\bmy (?:real |actual )?age is {_AGE}\b|\bi(?:'?m| am) (?:under ?-?age|a minor|not 18|not eighteen|under 18)\b"
    rf"|\bich bin (?:erst )?{_AGE}(?: jahre)?\b(?! (?:minuten|km|tage|stunden))"
    rf"|\bj'ai {_AGE} ans\b|\btengo {_AGE} años\b",
    re.IGNORECASE,
)

_SUM = r"(?:money|cash|\$ ?\d|\d+ ?(?:dollars|euros?|pounds|usd|eur|\$|€))"
_PAID_BY = (
    r"(?:western union|moneygram|paypal|account|ticket|visa|hospital|surgery|customs|emergency|bank|hotel|flight)"
)
_COIN, _GAIN = r"(?:bitcoin|crypto|forex|usdt)", r"(?:invest\w*|profit\w*|returns?|double|earn\w*|platform|mentor)"
MONEY = re.compile(
    rf"\b(?:send|wire|lend|transfer|borrow|loan|need)\b[^.?!]{{0,40}}(?<!\w){_SUM}[^.?!]{{0,60}}\b{_PAID_BY}\b"
    r"|\b(?:western union|moneygram|gift ?cards?|steam cards?|google play cards?|itunes cards?)\b"
    rf"|\b{_COIN}\b[^.?!]{{0,60}}\b{_GAIN}\b|\b(?:{_GAIN}|guaranteed)\b[^.?!]{{0,60}}\b{_COIN}\b",
    re.IGNORECASE,
)

RULES = {"threat": THREAT, "under_age": UNDER_AGE, "scam": MONEY}
"""Pattern by kind of flag. A message has each kind at most once."""


def match_rules(body: str) -> list[str]:
    """Return the kinds of flags whose rule a text of bounded length matches.

    The rules read English, the one about ages German, French and Spanish as well.
    """
    return [kind for kind, pattern in RULES.items() if pattern.search(body)]
