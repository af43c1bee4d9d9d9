"""The public data of the flags: its labels, and files that are missing or are something else."""

from pathlib import Path

import pytest

from models.db.errors import InputError
from pipelines.loaders import flag_data
from tests.pipelines.loaders.conftest import PUBLIC_FILES

FOLDER = PUBLIC_FILES / "conversations"


@pytest.fixture
def folder() -> Path:
    if not FOLDER.exists():
        pytest.skip("needs the public folder ../shared/data/conversations")
    return FOLDER


def test_public_files_are_read(folder: Path) -> None:
    train, valid = (flag_data.read_convabuse(folder, part) for part in ("train", "valid"))
    assert [(len(each), sum(label for _, label in each)) for each in (train, valid)] == [(2501, 338), (831, 112)]
    sms = flag_data.read_sms(folder)
    assert (len(sms), sum(label for _, label in sms)) == (5574, 747)
    assert len(flag_data.read_casino(folder, "test")) == 1169
    suite = flag_data.read_hatecheck(folder)
    assert (len(suite), len({case.function for case in suite})) == (3728, 29)
    assert 0.5 < sum(label for _, label in flag_data.read_davidson(folder)) / 24_783 < 0.9


def test_missing_and_wrong_files_say_so_without_a_row(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing"):
        flag_data.read_sms(tmp_path)
    (tmp_path / "sms_spam").mkdir()
    (tmp_path / "sms_spam" / "SMSSpamCollection").write_text("Label\tSMS\nsomebody's words without a label\n")
    with pytest.raises(InputError, match="not as its authors") as caught:
        flag_data.read_sms(tmp_path)
    assert "somebody" not in str(caught.value)
    assert caught.value.__cause__ is None
