# ruff: noqa: E501, RUF001 -- sentences in many scripts, whose letters are wide and look alike

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.profiles.encoders.opening import MINILM, open_encoder
from models.ml.profiles.readability import is_worth_a_vector

UNREADABLE = [
    "ฉันชอบเดินป่าบนภูเขาทุกสุดสัปดาห์กับสุนัขของฉัน",  # Thai
    "ខ្ញុំចូលចិត្តដើរលេងលើភ្នំរាល់ចុងសប្តាហ៍",  # Khmer
    "ကျွန်တော် တောင်တက်ရတာ ကြိုက်တယ်",  # Burmese
    "በየሳምንቱ መጨረሻ ተራራ መውጣት እወዳለሁ",  # Amharic
    "ຂ້ອຍມັກຍ່າງປ່າຢູ່ເທິງພູທຸກທ້າຍອາທິດ",  # Lao
    "ప్రతి వారాంతంలో కొండల్లో నడవడం నాకు ఇష్టం",  # Telugu
    "എല്ലാ വാരാന്ത്യത്തിലും മലകളിൽ നടക്കാൻ എനിക്ക് ഇഷ്ടമാണ്",  # Malayalam
    "મને દર સપ્તાહના અંતે પર્વતોમાં ચાલવું ગમે છે",  # Gujarati
    "ਮੈਨੂੰ ਹਰ ਹਫ਼ਤੇ ਪਹਾੜਾਂ ਵਿੱਚ ਤੁਰਨਾ ਪਸੰਦ ਹੈ",  # Punjabi
    "මම සෑම සති අන්තයකම කඳු නගින්න කැමතියි",  # Sinhala
    "ང་རི་ལ་འཛེག་རྒྱུར་དགའ་པོ་ཡོད།",  # Tibetan
    *("🎉", "😀🏔️🐕", "👩‍👩‍👧 🇨🇭", "❤️‍🔥 ❤️‍🔥 ❤️‍🔥", "𝓘 𝓵𝓸𝓿𝓮 𝓭𝓸𝓰𝓼"),
]  # fmt: skip
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


def test_which_answers_are_compared() -> None:
    """Not those in scripts that the tokenizer does not know, and not those that say next to nothing."""
    assert [text for text in UNREADABLE + NEAR_EMPTY if open_encoder(MINILM).is_readable(text)] == []
    assert [text for text in READABLE if not open_encoder(MINILM).is_readable(text)] == []
    assert open_encoder(MINILM).find_readable([]).shape == (0,)


def test_a_long_answer_is_judged_as_a_whole() -> None:
    thai, english = UNREADABLE[0], "I love hiking in the mountains. "
    mixed = [thai * 100, english * 300, english * 300 + thai, thai * 100 + english]
    assert open_encoder(MINILM).find_readable(mixed).tolist() == [False, True, True, False]


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
    assert open_encoder(MINILM).is_readable(f"{emoji} {text} {emoji}") == open_encoder(MINILM).is_readable(f" {text} ")
