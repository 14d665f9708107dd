"""A patched checkpoint is written whole or not at all, and differs where it was patched alone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
import torch

from circ.compiler.readings.torch import DTYPES, numbers
from circ.compiler.rounding import FORMATS, round_to_dtype
from circ.lang.diagnostic import CircError
from circ.runtime.atomic import replacing
from circ.runtime.patches.encoding import encoded, rounded
from circ.runtime.patches.plan import TensorBytes, TensorEntry, header_bytes, header_of
from circ.runtime.patches.write import Rewrite, Written, would_write, write_patched
from tests.unit.files import load, metadata, save


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkpoint of several dtypes, with metadata and a tensor of no entries."""
    path = tmp_path / "model.safetensors"
    tensors = {
        "embed": torch.randn(5, 3),
        "mlp.W_out": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "half": torch.randn(4).to(torch.float16),
        "brain": torch.randn(4).to(torch.bfloat16),
        "steps": torch.tensor([1, 2, 3]),
        "mask": torch.tensor([True, False]),
        "nothing": torch.zeros(0, 3),
        "größe": torch.ones(1, dtype=torch.float64),
    }
    save(tensors, path, {"format": "pt", "note": 'as "trained"'})
    return path


NEW = array("d", [0.5, -1.5, 2.25, 1e-3, 0, 7])


def new_bytes() -> bytes:
    """What one tensor is to hold."""
    return encoded(round_to_dtype(NEW, "F32"), "F32")


def change(source: Path) -> Rewrite:
    """A change of that tensor."""
    new = {"mlp.W_out": TensorBytes("F32", (2, 3), new_bytes())}
    return Rewrite(source, digest(source), new, {"circ.receipt": "{}"})


def write(source: Path, target: Path, **how: bool) -> Written:
    """Write the change."""
    return write_patched(change(source), target, **how)


def header(path: Path) -> dict[str, dict[str, object]]:
    """A safetensors header, in the order of the file."""
    raw = path.read_bytes()
    found: dict[str, dict[str, object]] = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    return found


def data_section(path: Path) -> bytes:
    """What follows the header."""
    raw = path.read_bytes()
    return raw[8 + int.from_bytes(raw[:8], "little") :]


class TestTheTarget:
    """What is in the file that was written."""

    def test_holds_the_new_numbers_and_all_the_old_ones(self, source: Path) -> None:
        """An independent reader finds the change, and everything else as it was."""
        target = source.with_name("patched.safetensors")
        write(source, target)
        before, after = load(source), load(target)

        assert list(after) == list(before)
        assert numbers(after["mlp.W_out"]) == list(round_to_dtype(NEW, "F32"))
        for name in before.keys() - {"mlp.W_out"}:
            assert after[name].dtype == before[name].dtype
            assert torch.equal(after[name], before[name])

    def test_keeps_every_other_byte_in_its_place(self, source: Path) -> None:
        """Names, dtypes, shapes, order and offsets are the source's; so is the other data."""
        target = source.with_name("patched.safetensors")
        write(source, target)
        old, new = header(source), header(target)
        begin, end = cast_offsets(old["mlp.W_out"]["data_offsets"])
        kept = data_section(source)

        assert [*new.items()][1:] == [*old.items()][1:]
        assert data_section(target) == kept[:begin] + new_bytes() + kept[end:]
        assert (len(target.read_bytes()) - len(kept)) % 8 == 0

    def test_keeps_the_old_metadata_beside_the_new(self, source: Path) -> None:
        """Entries that others wrote stay."""
        target = source.with_name("patched.safetensors")
        write(source, target)

        assert metadata(target) == {"format": "pt", "note": 'as "trained"', "circ.receipt": "{}"}

    def test_is_what_the_hashes_say(self, source: Path) -> None:
        """Source, target and data section are hashed as they are on the disk."""
        target = source.with_name("patched.safetensors")
        expected = digest(source)
        written = write(source, target)

        assert written == Written(
            expected, digest(target), hashlib.sha256(data_section(target)).hexdigest()
        )
        assert would_write(change(source)) == written

    def test_of_no_change_is_the_same_data(self, source: Path) -> None:
        """Without changes and metadata the copy is the source, up to the header's padding."""
        target = source.with_name("copy.safetensors")
        write_patched(Rewrite(source, digest(source), {}, {}), target)

        assert header(target) == header(source)
        assert data_section(target) == data_section(source)

    def test_is_readable_by_whom_any_new_file_is(self, source: Path) -> None:
        """Permissions follow the umask, as for any file; those of a replaced file are kept."""
        target, plain = source.with_name("patched.safetensors"), source.with_name("plain")
        plain.touch()
        write(source, target)
        assert mode(target) == mode(plain)
        target.chmod(0o640)
        write(source, target, overwrite=True)
        assert mode(target) == 0o640


def mode(path: Path) -> int:
    """A file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def cast_offsets(found: object) -> tuple[int, int]:
    """A tensor's place in the data section."""
    match found:
        case [int(begin), int(end)]:
            return begin, end
        case _:
            raise AssertionError(found)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_survive_the_round_trip(dtype: str, tmp_path: Path) -> None:
    """What was rounded to a dtype is what an independent reader reads, in every dtype."""
    largest = FORMATS[dtype].largest
    values = array("d", [0.1, -1 / 3, 1e-7, 2.0**-133, largest, -largest, -0.0, 3.0])
    path, target = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save({"w": torch.zeros(8, dtype=DTYPES[dtype])}, path)
    held = rounded("w", values, dtype)
    new = {"w": TensorBytes(dtype, (8,), encoded(held, dtype))}
    write_patched(Rewrite(path, digest(path), new, {}), target)

    read = load(target)["w"]
    assert read.dtype == DTYPES[dtype]
    assert numbers(read) == list(held)


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_numbers_are_never_rounded_on_the_way_to_the_file(dtype: str) -> None:
    """Encoding refuses what the dtype does not hold: the proof would be about other numbers."""
    with pytest.raises(ValueError, match=r"a value is no"):
        encoded(array("d", [0.1]), dtype)


@pytest.mark.parametrize(
    ("dtype", "value", "code"), [("F16", 70000.0, "E0654"), ("I64", 1.0, "E0655")]
)
def test_what_cannot_be_stored_is_an_error(dtype: str, value: float, code: str) -> None:
    """An entry beyond the dtype, and a dtype that patches are not written in."""
    assert refused(lambda: rounded("w", array("d", [1.0, value]), dtype)) == code


def refused(action: Callable[[], object]) -> str:
    """The code of the error that an action ends in."""
    with pytest.raises(CircError) as caught:
        action()
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code


class TestTheSource:
    """The checkpoint is never written over unless asked, and is the one that was proved about."""

    @pytest.mark.parametrize("link", ["itself", "symlink", "hardlink"])
    def test_is_not_written_over(self, source: Path, link: str) -> None:
        """By whatever name it is called, not even where overwriting is allowed."""
        target = other_name(source, link)
        before = source.read_bytes()

        assert refused(lambda: write(source, target, overwrite=True)) == "E0651"
        assert source.read_bytes() == before

    @pytest.mark.parametrize("link", ["symlink", "hardlink"])
    def test_in_place_replaces_the_name_alone(self, source: Path, link: str) -> None:
        """Asked for, the name that was given gets the new file, and other names keep the old."""
        target = other_name(source, link)
        before = source.read_bytes()
        write(source, target, in_place=True)

        assert source.read_bytes() == before
        assert not target.is_symlink()
        assert load(target)["mlp.W_out"][0, 0] == 0.5

    def test_can_be_patched_in_place(self, source: Path) -> None:
        """Asked for, the checkpoint itself becomes the patched one."""
        written = write(source, source, in_place=True)

        assert digest(source) == written.target
        assert load(source)["mlp.W_out"][0, 0] == 0.5

    def test_that_changed_is_refused(self, source: Path) -> None:
        """One byte more than when it was read, and nothing is written; the same if it is gone."""
        target, expected = source.with_name("patched.safetensors"), digest(source)
        source.write_bytes(source.read_bytes()[:-1] + b"\x7f")
        action = lambda: write_patched(Rewrite(source, expected, {}, {}), target)

        assert refused(action) == "E0652"
        source.unlink()
        assert refused(action) == "E0652"
        assert list(source.parent.iterdir()) == []

    def test_that_is_another_by_now_is_refused(self, source: Path) -> None:
        """Cut off or changed anywhere, its header too: it is read once, and hashed as it is read."""
        expected, data = digest(source), source.read_bytes()
        target = source.with_name("patched.safetensors")
        places = range(len(data))
        damaged = [data[:at] for at in places]
        damaged += [data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :] for at in places]
        for other in (*damaged, data + b" ", b"\xff" * len(data)):
            source.write_bytes(other)
            rewrite = Rewrite(source, expected, {}, {"note": "n"})
            assert refused(partial(write_patched, rewrite, target)) == "E0652"
        assert list(source.parent.iterdir()) == [source]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"mlp.W_out": TensorBytes("F32", (2, 3), b"1234")}, "not the bytes of its shape"),
            ({}, "the header is not that of the tensors"),
        ],
    )
    def test_must_have_the_tensors(
        self, source: Path, changes: dict[str, TensorBytes], reason: str
    ) -> None:
        """Other bytes than a shape has, or a header of other tensors, are the caller's mistake."""
        target = source.with_name("patched.safetensors")
        small = TensorEntry(dtype="F32", shape=[1], data_offsets=(0, 4))
        header = b"" if changes else header_bytes({"embed": small}, {})
        with pytest.raises(ValueError, match=reason):
            write_patched(Rewrite(source, digest(source), changes, {}, header), target)
        assert list(source.parent.iterdir()) == [source]

    def test_makes_room_for_a_tensor_that_grows(self, source: Path) -> None:
        """All others keep their bytes and their order, and a new one comes last; the old header brings it back."""
        target, back = source.with_name("grown.safetensors"), source.with_name("back.safetensors")
        wide, new = torch.randn(3, 4), torch.randn(2)
        changes = {"mlp.W_out": as_stored(wide), "added": as_stored(new)}
        write_patched(Rewrite(source, digest(source), changes, {}), target)
        before, after = load(source), load(target)

        assert list(after) == [*before, "added"]
        assert torch.equal(after["mlp.W_out"], wide)
        assert torch.equal(after["added"], new)
        assert all(torch.equal(before[n], after[n]) for n in before.keys() - {"mlp.W_out"})

        with source.open("rb") as stream:
            old = header_of(stream)
        undone = {"mlp.W_out": as_stored(before["mlp.W_out"])}
        write_patched(Rewrite(target, digest(target), undone, {}, old), back)
        assert back.read_bytes() == source.read_bytes()


def as_stored(tensor: torch.Tensor) -> TensorBytes:
    """A tensor of floats of four bytes."""
    values = array("d", numbers(tensor))
    return TensorBytes("F32", tuple(tensor.shape), encoded(values, "F32"))


def other_name(source: Path, link: str) -> Path:
    """The checkpoint by another name."""
    target = source.with_name("other.safetensors")
    match link:
        case "symlink":
            target.symlink_to(source)
        case "hardlink":
            target.hardlink_to(source)
        case _:
            return source
    return target


class TestAFailure:
    """Whatever goes wrong and whenever, the old file is whole and nothing is left behind."""

    def test_an_existing_file_is_kept(self, source: Path) -> None:
        """A file is not overwritten unless asked for; then it is."""
        target = source.with_name("patched.safetensors")
        target.write_text("precious")

        assert refused(lambda: write(source, target)) == "E0650"
        assert target.read_text() == "precious"
        write(source, target, overwrite=True)
        assert load(target)["mlp.W_out"][0, 0] == 0.5

    def test_a_dangling_link_is_kept(self, source: Path) -> None:
        """A link that points nowhere is a name that is taken."""
        target = source.with_name("patched.safetensors")
        target.symlink_to("nowhere")

        assert refused(lambda: write(source, target)) == "E0650"
        assert target.is_symlink()

    def test_a_folder_that_is_missing(self, source: Path) -> None:
        """The reason is the operating system's."""
        with pytest.raises(CircError, match="No such file or directory"):
            write(source, source.parent / "missing" / "patched.safetensors")

    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_leaves_the_old_file_whole(
        self, source: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
    ) -> None:
        """A full disk or Ctrl-C while the file is put on the disk, or moved into place."""
        target = source.with_name("patched.safetensors")
        target.write_text("precious")
        monkeypatch.setattr(os, step, raising(error))

        with pytest.raises((CircError, KeyboardInterrupt)):
            write(source, target, overwrite=True)
        assert target.read_text() == "precious"
        assert sorted(source.parent.iterdir()) == [source, target]

    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
    def test_in_the_middle_of_writing(self, tmp_path: Path, error: BaseException) -> None:
        """Half of a file is no file."""
        target = tmp_path / "model.safetensors"
        target.write_text("precious")

        with (
            pytest.raises((CircError, KeyboardInterrupt)),
            replacing(target, overwrite=True) as stream,
        ):
            stream.write(b"half")
            raise error
        assert target.read_text() == "precious"
        assert list(tmp_path.iterdir()) == [target]

    def test_a_process_that_is_killed(self, source: Path) -> None:
        """No clean-up runs, and the old file is whole all the same."""
        target = source.with_name("patched.safetensors")
        target.write_text("precious")
        script = f"""
import os
from pathlib import Path
from circ.runtime.patches.write import Rewrite, write_patched
os.replace = lambda *_: os._exit(9)
write_patched(Rewrite(Path({str(source)!r}), {digest(source)!r}, {{}}, {{}}), Path({str(target)!r}),
              overwrite=True)
"""
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
        assert target.read_text() == "precious"

    def test_a_full_disk_is_told_as_such(
        self, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The error names the file and the reason."""
        monkeypatch.setattr(os, "fsync", raising(OSError(errno.ENOSPC, "No space left on device")))
        target = source.with_name("patched.safetensors")

        assert refused(lambda: write(source, target)) == "E0653"
        with pytest.raises(CircError, match=r"patched\.safetensors`: No space left on device"):
            write(source, target)

    def test_a_file_that_appears_meanwhile_is_kept(self, tmp_path: Path) -> None:
        """Another program wrote the same name while this one was writing."""
        target = tmp_path / "model.safetensors"

        def write_slowly() -> None:
            with replacing(target, overwrite=False) as stream:
                stream.write(b"ours")
                target.write_text("theirs")

        assert refused(write_slowly) == "E0650"
        assert target.read_text() == "theirs"


def raising(error: BaseException) -> Callable[..., NoReturn]:
    """A function that only raises."""

    def fail(*_arguments: object) -> NoReturn:
        raise error

    return fail
