"""The codes in the Columbia speed-dating file (Fisman, Iyengar, Kamenica, Simonson), from its public key."""

from datetime import date

WAVE_DATES = {
    1: date(2002, 10, 16),
    2: date(2002, 10, 23),
    3: date(2002, 11, 12),
    4: date(2002, 11, 12),
    5: date(2002, 11, 20),
    6: date(2003, 3, 26),
    7: date(2003, 3, 26),
    8: date(2003, 4, 2),
    9: date(2003, 4, 2),
    10: date(2003, 9, 24),
    11: date(2003, 9, 24),
    12: date(2003, 10, 7),
    13: date(2003, 10, 8),
    14: date(2003, 10, 8),
    15: date(2004, 2, 24),
    16: date(2004, 2, 25),
    17: date(2004, 2, 25),
    18: date(2004, 4, 6),
    19: date(2004, 4, 6),
    20: date(2004, 4, 7),
    21: date(2004, 4, 7),
}

GENDERS = {0: "woman", 1: "man"}

FIELDS = {
    1: "law",
    2: "mathematics",
    3: "social science, psychology",
    4: "medical science, pharmaceuticals, biotechnology",
    5: "engineering",
    6: "English, creative writing, journalism",
    7: "history, religion, philosophy",
    8: "business, economics, finance",
    9: "education, academia",
    10: "biology, chemistry, physics",
    11: "social work",
    12: "undergraduate, undecided",
    13: "political science, international affairs",
    14: "film",
    15: "fine arts, arts administration",
    16: "languages",
    17: "architecture",
    18: "other",
}

CAREERS = {
    1: "lawyer",
    2: "academic, research",
    3: "psychologist",
    4: "doctor, medicine",
    5: "engineer",
    6: "creative arts, entertainment",
    7: "business, banking, consulting, marketing",
    8: "real estate",
    9: "international, humanitarian affairs",
    10: "undecided",
    11: "social work",
    12: "speech pathology",
    13: "politics",
    14: "professional sports",
    15: "other",
    16: "journalism",
    17: "architecture",
}

GOALS = {
    1: "a fun night out",
    2: "to meet new people",
    3: "to get a date",
    4: "a serious relationship",
    5: "to say I did it",
    6: "other",
}

RACES = {
    1: "Black or African American",
    2: "European or Caucasian American",
    3: "Latino or Hispanic American",
    4: "Asian, Pacific Islander or Asian American",
    5: "Native American",
    6: "other",
}

ATTRIBUTES = {
    "attr": "attractive",
    "sinc": "sincere",
    "intel": "intelligent",
    "fun": "fun",
    "amb": "ambitious",
    "shar": "shared_interests",
}

ACTIVITIES = {
    "sports": "playing sports",
    "tvsports": "watching sports",
    "exercise": "exercise",
    "dining": "dining out",
    "museums": "museums",
    "art": "art",
    "hiking": "hiking",
    "gaming": "gaming",
    "clubbing": "dancing",
    "reading": "reading",
    "tv": "watching TV",
    "theater": "theater",
    "movies": "movies",
    "concerts": "concerts",
    "music": "music",
    "shopping": "shopping",
    "yoga": "yoga",
}
