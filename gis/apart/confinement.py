"""What a worker gives up before it opens a stranger's file: privileges, resources, the network and the file system.

Each layer is taken as far as the system has it. Limits and dropping root always work; Landlock (Linux 5.13) keeps
the process from every file but its own folder and the installed code, from starting programs and, later kernels,
from connecting anywhere; a network namespace of its own leaves it no interface to connect through.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

MEMORY_BYTES: Final = 3 << 30
"""Of address space; libraries alone map half of one."""
CPU_S: Final = 600
FILE_BYTES: Final = 2 << 30
OPEN_FILES: Final = 128
NOBODY: Final = 65534

_NO_NEW_PRIVS: Final = 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ: Final = 1 << 2 | 1 << 3
_FS_RIGHTS: Final = ((1, 13), (2, 14), (3, 15), (5, 16))
"""(version of Landlock, how many rights over files it knows)."""
_TCP: Final = 3
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000


def limit(memory_bytes: int, cpu_s: int, file_bytes: int, open_files: int) -> None:
    """Limit what the process and all that it starts may take; nobody can raise it again.

    Args:
        memory_bytes: Of address space.
        cpu_s: Seconds of processor time.
        file_bytes: Of any one file that it writes.
        open_files: At a time.
    """
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def become_nobody() -> None:
    """Leave root, where the process was started as root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def confine(folder: Path) -> None:
    """Give up what reading a file does not need.

    Args:
        folder: The only place where the process may write; it must have been given to it.
    """
    limit(MEMORY_BYTES, CPU_S, FILE_BYTES, OPEN_FILES)
    libc = ctypes.CDLL(None, use_errno=True)
    root = os.geteuid() == 0
    # Without root a namespace needs another for users, which a process with threads cannot make.
    libc.unshare(_NEW_NET if root else _NEW_USER | _NEW_NET)
    become_nobody()
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    keep_to(libc, folder, _installed())


def keep_to(libc: ctypes.CDLL, folder: Path, readable: Iterable[Path]) -> bool:
    """Let the process write in one folder and read in some others; whether the system knows how."""
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    rights = (1 << max(count for since, count in _FS_RIGHTS if since <= version)) - 1
    wanted = struct.pack("<QQ", rights, _TCP) if version >= 4 else struct.pack("<Q", rights)
    ruleset = libc.syscall(_CREATE_RULESET, wanted, len(wanted), 0)
    if ruleset < 0:
        return False
    try:
        for path, allowed in ((folder, rights), *((path, _READ) for path in readable)):
            try:
                beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("<Qi", allowed, beneath), 0)
            os.close(beneath)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _installed() -> list[Path]:
    """Where code and its data lie; nothing of the service's own, and nothing of the system's settings."""
    here = Path(__file__).parents[1]
    places = {Path(sys.prefix), Path(sys.base_prefix), here, Path("/usr"), Path("/lib"), Path("/lib64")}
    places |= {Path(entry) for entry in sys.path if entry.endswith("site-packages")}
    return sorted(places)
