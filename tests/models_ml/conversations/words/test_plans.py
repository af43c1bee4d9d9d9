"""Plans to meet: known answers, and text messages that were read by a person."""

import numpy as np
from sklearn.metrics import roc_auc_score

from models.ml.conversations.words.plans import find_plan, has_plan_words, predict_plan

PLANS = [
    "Let's meet for a coffee tomorrow",
    "Treffen wir uns am Samstag?",
    "I will pick you up at eight",
    "see you on Friday then",
]
OTHERS = ["I met my sister", "I can't meet you on Friday", "Good night, sleep well", "What do you do for work?", ""]

# Rows of the SMS Spam Collection: a random sample of ham, read after the rule and the examples were written. Rows that
# can be understood either way are left out.
READ = [
    62, 70, 74, 96, 125, 145, 161, 192, 196, 201, 203, 224, 245, 318, 490, 604, 631, 657,
    696, 712, 721, 825, 832, 863, 912, 954, 964, 971, 976, 978, 1006, 1015, 1016, 1098, 1151, 1160,
    1241, 1275, 1320, 1348, 1384, 1396, 1409, 1422, 1459, 1464, 1499, 1535, 1559, 1576, 1609, 1624, 1712, 1732,
    1737, 1740, 1775, 1786, 1800, 1817, 1831, 1854, 1868, 1877, 1901, 1931, 1932, 1949, 2007, 2022, 2025, 2027,
    2091, 2111, 2138, 2149, 2154, 2174, 2175, 2203, 2246, 2288, 2293, 2294, 2331, 2346, 2401, 2458, 2464, 2504,
    2521, 2537, 2557, 2588, 2634, 2661, 2668, 2716, 2741, 2751, 2771, 2799, 2824, 2832, 2853, 2870, 2884, 2898,
    2912, 2924, 2937, 2942, 2996, 3006, 3038, 3127, 3161, 3180, 3197, 3207, 3220, 3239, 3292, 3352, 3472, 3502,
    3514, 3581, 3592, 3621, 3632, 3662, 3692, 3708, 3736, 3760, 3813, 3844, 3874, 3888, 3892, 3926, 3985, 3987,
    4056, 4115, 4203, 4234, 4240, 4242, 4277, 4313, 4319, 4326, 4332, 4338, 4349, 4374, 4402, 4428, 4434, 4442,
    4503, 4525, 4546, 4623, 4627, 4659, 4666, 4755, 4780, 4833, 4838, 4851, 4880, 4885, 4892, 4983, 4999, 5025,
    5058, 5089, 5091, 5097, 5113, 5115, 5120, 5224, 5225, 5242, 5246, 5269, 5274, 5295, 5299, 5333, 5345, 5406,
    5409, 5419, 5430, 5481, 5487, 5497, 5556,
]  # fmt: skip
ARRANGED = {145, 604, 1464, 1737, 2346, 2588, 2634, 2661, 2751, 3127, 3180, 3352, 3813, 4434, 4442, 4755, 5058}


def test_known_plans() -> None:
    assert find_plan(PLANS).all()
    assert not find_plan(OTHERS).any()


def test_plans_in_text_messages(text_messages: list[tuple[str, str]]) -> None:
    texts = [text_messages[row][1] for row in READ]
    arranged = np.array([row in ARRANGED for row in READ])
    score = predict_plan(texts) + [has_plan_words(text) for text in texts]
    assert roc_auc_score(arranged, score) >= 0.85
