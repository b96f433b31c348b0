"""People's photographs lie encrypted, are read by who has the keys, and are noise once the sender is erased."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from config.records.district import Contact
from dispatch.people.contact_store import ContactStore
from dispatch.people.erase import erase
from ingest.people.photos.sealed_photos import FILE, Pictures, SealedPhotos
from stream.disk.blobs import FrameStore
from tests.support.choices import resident

JPEG = b"\xff\xd8" + b"people before a wall" * 40
LATER = 4_000_000_000_000


def files(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.is_file()]


@pytest.fixture
def frames(tmp_path: Path) -> FrameStore:
    return FrameStore(tmp_path / "frames")


def test_nothing_on_the_disk_shows_the_picture_and_who_has_the_keys_reads_it(
    tmp_path: Path, frames: FrameStore
) -> None:
    photos = SealedPhotos(frames, tmp_path)
    digest = photos.put("C-1", JPEG)
    assert photos.put("C-2", JPEG) == digest == photos.put("C-1", JPEG)
    assert not [p for p in files(tmp_path) if b"people before a wall" in p.read_bytes()]
    assert not [p for p in files(tmp_path / "frames") if p.suffix == ".jpg"]
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    assert photos.get(digest) == JPEG == Pictures(frames, tmp_path).get(digest)
    camera = frames.put(b"a gully")
    assert Pictures(frames, tmp_path).get(camera) == b"a gully"
    assert photos.get(camera) is None
    assert frames.get(digest) is None, "who has the pictures alone has no photograph"
    (tmp_path / "keys" / "people-words.key").unlink()
    assert SealedPhotos(frames, tmp_path).get(digest) is None
    assert not (tmp_path / "keys" / "people-words.key").exists(), "who looks makes no key"
    SealedPhotos(frames, tmp_path).put("C-3", JPEG + b"3")
    assert SealedPhotos(frames, tmp_path).get(digest) is None, "another key opens nothing"


def test_whoever_is_erased_takes_their_photographs_along_but_not_what_others_sent(
    tmp_path: Path, frames: FrameStore
) -> None:
    people: list[Contact] = [resident("C-1"), resident("C-2")]
    with ContactStore(tmp_path) as store:
        store.put(people)
    photos = SealedPhotos(frames, tmp_path)
    own, both = photos.put("C-1", JPEG), photos.put("C-1", JPEG + b"2")
    photos.put("C-2", JPEG + b"2")
    assert erase(tmp_path, ["C-1"], 1) == ["C-1"]
    assert (photos.get(own), photos.get(both)) == (None, JPEG + b"2")
    erase(tmp_path, ["C-2"], 1)
    assert photos.get(both) is None
    pictures = Pictures(frames, tmp_path)
    assert pictures.drop(own, LATER), "what is noise goes with its time"
    assert not pictures.drop(own, LATER)


def test_it_goes_with_its_time_and_its_key_with_it(tmp_path: Path, frames: FrameStore) -> None:
    pictures, photos = Pictures(frames, tmp_path), SealedPhotos(frames, tmp_path)
    digest = photos.put("C-1", JPEG)
    assert pictures.drop(digest, 0) is None, "put again meanwhile"
    assert pictures.get(digest) == JPEG
    assert pictures.drop(digest, LATER)
    assert pictures.get(digest) is None
    assert photos.put("C-1", JPEG) == digest
    assert pictures.get(digest) == JPEG


def test_a_damaged_file_is_no_picture_and_a_plain_list_keeps_pictures_as_they_were(
    tmp_path: Path, frames: FrameStore
) -> None:
    photos = SealedPhotos(frames, tmp_path)
    digest = photos.put("C-1", JPEG)
    (file,) = files(tmp_path / "frames")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert photos.get(digest) is None
    assert SealedPhotos(frames, None).put("C-1", JPEG) == digest
    assert Pictures(frames, tmp_path).get(digest) == JPEG


def test_what_another_sends_again_after_an_erasure_is_read_again(
    tmp_path: Path, frames: FrameStore
) -> None:
    with ContactStore(tmp_path) as store:
        store.put([resident("C-1"), resident("C-2")])
    photos = SealedPhotos(frames, tmp_path)
    digest = photos.put("C-1", JPEG)
    erase(tmp_path, ["C-1"], 1)
    assert photos.put("C-2", JPEG) == digest
    assert photos.get(digest) == JPEG, "its file lay there under a key that is gone"


def test_a_lost_key_a_damaged_file_and_a_file_that_was_never_written_are_mended_by_sending_again(
    tmp_path: Path, frames: FrameStore
) -> None:
    photos = SealedPhotos(frames, tmp_path)
    digest = photos.put("C-1", JPEG)
    (tmp_path / "keys" / "people-words.key").unlink()
    assert photos.put("C-1", JPEG) == digest
    assert photos.get(digest) == JPEG
    (file,) = files(tmp_path / "frames")
    file.write_bytes(b"short")
    photos.put("C-1", JPEG)
    assert photos.get(digest) == JPEG
    file.unlink()
    photos.put("C-1", JPEG)
    assert photos.get(digest) == JPEG


def test_one_that_comes_again_as_its_time_is_over_keeps_a_key_or_goes_whole(
    tmp_path: Path, frames: FrameStore
) -> None:
    photos = SealedPhotos(frames, tmp_path)
    pictures, digest = Pictures(frames, tmp_path), photos.put("C-1", JPEG)
    late = Thread(target=lambda: SealedPhotos(frames, tmp_path).put("C-2", JPEG))
    real = pictures._photos._sealed.drop

    def drop(digest: str, before: int) -> int | None:
        size = real(digest, before)
        late.start()  # waits for the key's row, which is being dropped
        late.join(timeout=0.2)
        return size

    pictures._photos._sealed.drop = drop  # type: ignore[method-assign]
    assert pictures.drop(digest, LATER)
    late.join()
    assert photos.get(digest) == JPEG


def test_the_key_of_a_file_that_went_as_the_machine_did_goes_with_the_next_look(
    tmp_path: Path, frames: FrameStore
) -> None:
    digest = SealedPhotos(frames, tmp_path).put("C-1", JPEG)
    (file,) = files(tmp_path / "frames")
    file.unlink()
    assert Pictures(frames, tmp_path).drop(digest, LATER) == 0
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM photo").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM sent").fetchone() == (0,)
