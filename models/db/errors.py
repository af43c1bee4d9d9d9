"""The errors a user can do something about. Each message says what is wrong, with the value, and what to do.

MatchingError
├── InputError            a file, an argument or a row cannot be used as it is
├── EmptyTown             there are too few people to match
├── DatabaseUnavailable   PostgreSQL does not answer or was lost
├── CheckFailed           what a step made failed a check that blocks the publication
├── PublicationRefused    a publication failed its checks, or another one is being built
├── NothingToRollBack     no earlier publication is kept
├── OtherMake             a stored ranker was made by another version of this program
├── RankerLost            a stored ranker, its files or its run cannot be found or read
└── NoChampion            no ranker has been trained and accepted yet, or the one that was is lost
"""


class MatchingError(Exception):
    """Base of every error that is the user's to mend; the command line prints it as one line."""


class InputError(MatchingError):
    """A file, an argument or a row cannot be used as it is."""


class NotEnoughProfiles(MatchingError):
    """There are too few people to match."""


class DatabaseUnavailable(MatchingError):
    """PostgreSQL does not answer or was lost."""


class CheckFailed(MatchingError):
    """What a step of the pipeline made failed a check that blocks the publication."""


class PublicationRefused(MatchingError):
    """A publication failed its checks, or another one is being built."""


class NothingToRollBack(MatchingError):
    """No earlier publication is kept."""


class IncompatibleModelError(MatchingError):
    """A stored ranker was made by another version of this program."""


class RankerLost(MatchingError):
    """A stored ranker, its files or its run cannot be found or read."""


class NoChampion(MatchingError):
    """No ranker has been trained and accepted yet, or the one that was is lost."""
