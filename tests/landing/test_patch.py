from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forceglue.landing.patch import FOOTER_KEY, KINDS, Patch, patch_of

AT = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("kind", KINDS)
def test_a_patch_is_read_as_it_was_written_to_a_real_footer(kind, tmp_path):
    patch = Patch(kind, AT)
    schema = pa.schema([("Id", pa.string())], metadata=patch.footer())
    pq.write_table(pa.table({"Id": ["001A"]}, schema=schema), tmp_path / "file.parquet")

    assert patch_of(pq.read_metadata(tmp_path / "file.parquet").metadata) == patch


@pytest.mark.parametrize("footer", [None, {}, {b"ARROW:schema": b"..."}])
def test_a_file_without_the_mark_is_no_patch(footer):
    assert patch_of(footer) is None


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        (b"not json", "damaged"),
        (b'{"kind": "refresh"}', "damaged"),
        (b'{"kind": "refresh", "at": "soon"}', "damaged"),
        (b'{"kind": "merged", "at": "2026-11-01T08:30:00+00:00"}', "known are refresh, deleted, vanished"),
        (b'{"kind": "refresh", "at": "2026-11-01T08:30:00"}', "damaged"),
    ],
)
def test_a_mark_that_is_not_understood_is_an_error_and_not_a_file_of_whole_records(mark, told):
    with pytest.raises(ValueError, match=told):
        patch_of({FOOTER_KEY: mark})
