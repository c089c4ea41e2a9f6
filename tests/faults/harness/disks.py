"""Disks that lose power, fill up or turn read-only: loop images and memory file systems.

Everything made here is registered with an `ExitStack` at once, so that nothing
stays mounted when a test fails.
"""

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

from support.needs import lacking

# <linux/ext4.h>: ends all writing at once, what the journal has not committed included.
_EXT4_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2


def _run(*command: str) -> str:
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)
    if run.returncode != 0:
        raise OSError(f"{' '.join(map(str, command))}: {run.stderr.strip() or run.returncode}")
    return run.stdout.strip()


def _try(*command: str) -> None:
    subprocess.run(list(map(str, command)), capture_output=True, check=False, timeout=120)


def may_mount() -> None:
    """Skips the test where file systems cannot be mounted."""
    if os.geteuid() != 0:
        lacking("needs root, to mount file systems")


class Image:
    """An ext4 file system in a file, mounted through a loop device."""

    def __init__(self, file: Path, mount_point: Path, clean_up, options: str = "defaults"):
        self.file = file
        self.root = mount_point
        self.options = options
        self.device: str | None = None
        self.mounted = False
        mount_point.mkdir(parents=True, exist_ok=True)
        clean_up.callback(self.detach)

    @classmethod
    def make(cls, folder: Path, name: str, clean_up, megabytes: int = 512, options: str = "defaults") -> "Image":
        """Makes an empty file system and mounts it; skips the test without the right or the tools."""
        may_mount()
        if not shutil.which("mkfs.ext4"):
            lacking("needs mkfs.ext4, of the package e2fsprogs")
        file = folder / f"{name}.img"
        with file.open("wb") as image:
            image.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", file)
        image = cls(file, folder / name, clean_up, options)
        try:
            image.attach()
        except OSError as error:
            lacking(f"no loop device here: {error}")
        return image

    def attach(self) -> None:
        """Mounts it, replaying the journal. Unwritten pages of the mount stay out of the file: direct I/O."""
        self.device = _run("losetup", "--find", "--show", "--direct-io=on", self.file)
        _run("mount", "-t", "ext4", "-o", self.options, self.device, self.root)
        self.mounted = True

    def detach(self) -> None:
        """Unmounts it, and writes what it holds."""
        if self.mounted:
            try:
                _run("umount", self.root)
            except OSError:
                _try("umount", "--lazy", self.root)
            self.mounted = False
        if self.device:
            _try("losetup", "--detach", self.device)
            self.device = None

    def cut(self) -> None:
        """Cuts the power: from this moment on nothing reaches the disk, not even the journal."""
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(handle, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def copy(self, name: str, clean_up) -> "Image":
        """Copies the file as it is, still mounted, and mounts the copy."""
        file = self.file.with_name(f"{name}.img")
        _run("cp", "--sparse=always", self.file, file)
        copy = Image(file, self.root.with_name(name), clean_up, self.options)
        copy.attach()
        return copy

    def discard(self) -> None:
        """Unmounts it and deletes the file."""
        self.detach()
        self.file.unlink(missing_ok=True)

    def break_down(self) -> None:
        """Has the kernel find an error, at which it makes a file system read-only (`errors=remount-ro`)."""
        trigger = Path("/sys/fs/ext4", Path(self.device).name, "trigger_fs_error")
        if not trigger.exists():
            lacking("the kernel has no trigger_fs_error")
        trigger.write_text("1")

    def repair(self) -> None:
        """Unmounts, checks and mounts it again."""
        self.detach()
        _try("e2fsck", "-p", self.file)
        _run("e2fsck", "-f", "-p", self.file)
        self.attach()


def memory_disk(folder: Path, megabytes: int, clean_up) -> Path:
    """Mounts a file system of so many megabytes in memory; returns its path."""
    may_mount()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", folder)
    except OSError as error:
        lacking(f"cannot mount a tmpfs: {error}")
    clean_up.callback(_try, "umount", "--lazy", folder)
    return folder


def freeze(folder: Path, clean_up):
    """Lets every write to a file system hang; returns what ends that."""
    _run("fsfreeze", "--freeze", folder)
    # Before it is unmounted, and also when the test fails.
    clean_up.callback(_try, "fsfreeze", "--unfreeze", folder)
    return lambda: _run("fsfreeze", "--unfreeze", folder)


def enlarge(disk: Path, megabytes: int) -> None:
    """Gives a memory disk another size."""
    _run("mount", "-o", f"remount,size={megabytes}m", disk)


def free_bytes(folder: Path) -> int:
    """Returns the bytes free on a file system."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def fill(folder: Path, leave: int = 0) -> Path:
    """Fills the file system but for `leave` bytes with one file; returns the file."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while free_bytes(folder) - leave >= size:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler
