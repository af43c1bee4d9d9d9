"""The errors that a user can fix. Each message says what is wrong, with the value, and what to do.

MatchingError
├── InputError              a file, an argument or a row cannot be used
├── NotEnoughProfiles       there are too few profiles to match
├── DatabaseUnavailable     PostgreSQL does not answer or was lost
├── CheckFailed             the output of a step failed a check that blocks the publication
├── PublicationRefused      a publication failed its checks, or another one is being built
├── NothingToRollBack       no earlier publication is kept
├── IncompatibleModelError  a stored ranker was written by another version of this program
├── RankerLost              a stored ranker, its files or its run cannot be found or read
└── NoChampion              no ranker has been trained and accepted yet, or the accepted one is lost
"""


class MatchingError(Exception):
    """Base class of all errors that the user can fix. The command line prints them as one line."""


class InputError(MatchingError):
    """A file, an argument or a row cannot be used."""


class NotEnoughProfiles(MatchingError):
    """There are too few profiles to match."""


class DatabaseUnavailable(MatchingError):
    """PostgreSQL does not answer or was lost."""


class CheckFailed(MatchingError):
    """The output of a step of the pipeline failed a check that blocks the publication."""


class PublicationRefused(MatchingError):
    """A publication failed its checks, or another one is being built."""


class NothingToRollBack(MatchingError):
    """No earlier publication is kept."""


class IncompatibleModelError(MatchingError):
    """A stored ranker was written by another version of this program."""


class RankerLost(MatchingError):
    """A stored ranker, its files or its run cannot be found or read."""


class NoChampion(MatchingError):
    """No ranker has been trained and accepted yet, or the accepted one is lost."""
