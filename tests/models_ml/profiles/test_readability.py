# ruff: noqa: E501, RUF001 -- sentences in many scripts, whose letters are wide and look alike
"""Which answers the real tokenizer reads: scripts it does not know, near-empty answers, and real short ones."""
# ruff: noqa: E501, RUF001

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.profiles.encoder import encode_texts, find_readable, is_readable
from models.ml.profiles.readability import is_worth_a_vector

UNREADABLE = {
    "Thai": ["ฉันชอบเดินป่าบนภูเขาทุกสุดสัปดาห์กับสุนัขของฉัน", "การเมืองไม่ใช่เรื่องที่ฉันอยากคุยในเดทแรก"],
    "Khmer": ["ខ្ញុំចូលចិត្តដើរលេងលើភ្នំរាល់ចុងសប្តាហ៍", "នយោបាយមិនមែនជារឿងដែលខ្ញុំចង់និយាយទេ"],
    "Burmese": ["ကျွန်တော် တောင်တက်ရတာ ကြိုက်တယ်", "နိုင်ငံရေးအကြောင်း မပြောချင်ဘူး"],
    "Amharic": ["በየሳምንቱ መጨረሻ ተራራ መውጣት እወዳለሁ", "ስለ ፖለቲካ ማውራት አልፈልግም"],
    "Lao": ["ຂ້ອຍມັກຍ່າງປ່າຢູ່ເທິງພູທຸກທ້າຍອາທິດ", "ຂ້ອຍບໍ່ຢາກເວົ້າເລື່ອງການເມືອງ"],
    "Telugu": ["ప్రతి వారాంతంలో కొండల్లో నడవడం నాకు ఇష్టం", "నేను రాజకీయాల గురించి మాట్లాడాలనుకోవడం లేదు"],
    "Malayalam": ["എല്ലാ വാരാന്ത്യത്തിലും മലകളിൽ നടക്കാൻ എനിക്ക് ഇഷ്ടമാണ്", "ഞാൻ ഒരു സോഫ്റ്റ്‌വെയർ എഞ്ചിനീയറാണ്"],
    "Gujarati": ["મને દર સપ્તાહના અંતે પર્વતોમાં ચાલવું ગમે છે", "મારે રાજકારણ વિશે વાત નથી કરવી"],
    "Punjabi": ["ਮੈਨੂੰ ਹਰ ਹਫ਼ਤੇ ਪਹਾੜਾਂ ਵਿੱਚ ਤੁਰਨਾ ਪਸੰਦ ਹੈ", "ਮੈਂ ਰਾਜਨੀਤੀ ਬਾਰੇ ਗੱਲ ਨਹੀਂ ਕਰਨੀ ਚਾਹੁੰਦਾ"],
    "Sinhala": ["මම සෑම සති අන්තයකම කඳු නගින්න කැමතියි", "මට දේශපාලනය ගැන කතා කරන්න ඕනෙ නෑ"],
    "Tibetan": ["ང་རི་ལ་འཛེག་རྒྱུར་དགའ་པོ་ཡོད།", "ངའི་ཨ་མས་ཁ་ལག་ཞིམ་པོ་བཟོ་གི་རེད།"],
    "emoji": ["🎉", "😀🏔️🐕", "👩‍👩‍👧 🇨🇭", "❤️‍🔥 ❤️‍🔥 ❤️‍🔥"],
    "fancy letters": ["𝓘 𝓵𝓸𝓿𝓮 𝓭𝓸𝓰𝓼"],
}  # fmt: skip
NEAR_EMPTY = [
    *("", " ", "\u200b", "\ufeff\u2060", "-", "--", "...", "…", "?", "?!", "!!!", ".", "—", "ok", "OK!", "Ok 👍", "a", "A."),
    *("x", "aaaaaaa", "aaa aaa aaa", "hahaha", "lol", "mmmmm", "xoxo", "hi", "Hi!", "no", "yes", "Yes.", "n/a", "N/A"),
    *("NA", "none", "None", "null", "nan", "idk", "Ask me!", "just ask :)", "TBA", "42", "123456", "^_^", ":-)", "[UNK]"),
    *("[CLS] [SEP]", "ha ha ha", "♥♥♥", "h h h h", "\u0300\u0301", "I don't know", "١٢٣", "null 😀"),
]  # fmt: skip
READABLE = [
    *("Law", "judge", "MBA", "NYC", "Paris", "New York", "I hike.", "I like cats 😀", "❤️ love ❤️", "Pizza!!!!!!!!!"),
    *("🏔️ hiking 🐈 cats 🍣 sushi", "c++ and lisp", "I love hiking in the mountains with my dog", "Müller", "crème brûlée"),
    *("Ich wandere gern in den Bergen", "Tôi thích leo núi", "To\u0302i thi\u0301ch leo nu\u0301i", "Lubię góry"),
    *("Я люблю гулять по горам каждые выходные", "Μου αρέσει να περπατάω στα βουνά", "أحب المشي في الجبال"),
    *("אני אוהבת לטייל בהרים בכל סוף שבוע", "저는 주말마다 강아지와 등산하는 것을 좋아해요", "मुझे हर सप्ताहांत पहाड़ों में घूमना पसंद है"),
    *("母の料理はとても美味しい", "আমি প্রতি সপ্তাহান্তে পাহাড়ে হাঁটতে ভালোবাসি", "ฉันชอบ hiking in the mountains with my dog"),
]  # fmt: skip


@pytest.mark.parametrize("script", UNREADABLE)
def test_scripts_that_the_encoder_cannot_read(script: str) -> None:
    assert not find_readable(UNREADABLE[script]).any()


def test_what_it_cannot_read_it_takes_for_the_same() -> None:
    unrelated = [UNREADABLE[script][:2] for script in ("Thai", "Khmer", "Lao", "Telugu", "emoji")]
    for one, other in (encode_texts(pair) for pair in unrelated):
        assert one @ other > 0.85


@pytest.mark.parametrize("text", NEAR_EMPTY)
def test_near_empty_answers_are_not_compared(text: str) -> None:
    assert not is_readable(text)


@pytest.mark.parametrize("text", READABLE)
def test_short_mixed_and_foreign_answers_that_are_read_are_compared(text: str) -> None:
    assert is_readable(text)


def test_a_long_answer_is_judged_as_a_whole() -> None:
    thai, english = UNREADABLE["Thai"][0], "I love hiking in the mountains. "
    assert find_readable([thai * 100, english * 300, english * 300 + thai, thai * 100 + english]).tolist() == [
        *(False, True, True, False),
    ]


def test_nothing_is_asked_about_nothing() -> None:
    assert find_readable([]).dtype == np.bool_
    assert find_readable([]).shape == (0,)


@pytest.mark.parametrize(
    ("text", "read", "worth"),
    [
        ("abcdef", [(0, 3)], True),
        ("abcdefg", [(0, 3)], False),
        ("abcdef", [(0, 2)], False),
        ("abaBAb", [(0, 6)], False),
        ("12ab3c", [(0, 6)], True),
        ("123456", [(0, 6)], False),
        ("abc", [(0, 3), (1, 3)], True),
    ],
)
def test_the_rule_by_hand(text: str, read: list[tuple[int, int]], worth: bool) -> None:
    assert is_worth_a_vector(text, read) is worth


@given(st.text(max_size=60), st.text("😀🎉🐈🏔👍", max_size=10))
def test_emoji_around_an_answer_change_nothing(text: str, emoji: str) -> None:
    assert is_readable(f"{emoji} {text} {emoji}") == is_readable(f" {text} ")
