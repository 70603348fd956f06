"""The process that opens other people's map files, and nothing else.

A map file is parsed by a large C++ library that a crafted file may attack, so it happens here: in a process
of its own, without privileges, with limits on memory, time and file size, and without the driver that follows
references to other files. It is started as a script by `gis.sandbox`, never imported by the service.

Output on stdout: the length of a JSON header (8 bytes, big-endian), the header, all geometries as WKB.
"""

from __future__ import annotations

import json
import math
import os
import resource
import struct
import sys
from typing import Any

MEMORY_BYTES = 3 * 1024**3
CPU_S = 120
NOBODY = 65534


def drop_privileges() -> None:
    """Limit the process, and leave root where it started as root."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def plain(value: Any) -> Any:
    """A field value as JSON can carry it: numbers, text, None; dates and the rest as text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        inner = value.tolist()
        return [plain(v) for v in inner] if isinstance(inner, list) else plain(inner)
    return str(value)


def main(path: str, layer: str, encoding: str) -> None:
    """Read one layer of a file and write it to stdout."""
    # Imported while still able to read the installation, before privileges go.
    import pyogrio

    drop_privileges()
    # Writes to a pipe are not files, but stdout must not be one either: the size limit above is zero.
    out = sys.stdout.buffer
    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    if not names:
        raise ValueError("the file has no layer")
    chosen = layer or names[0]
    if chosen not in names:
        raise ValueError(f"no layer {chosen!r}, there are {', '.join(names)}")
    meta, _, shapes, columns = pyogrio.raw.read(path, layer=chosen, encoding=encoding or None, force_2d=True)
    wkb = [bytes(shape) if shape is not None else b"" for shape in shapes] if shapes is not None else []
    header = {
        "layers": names,
        "crs": meta["crs"],
        "columns": [str(name) for name in meta["fields"]],
        "values": [[plain(value) for value in column] for column in columns],
        "wkb_sizes": [len(shape) for shape in wkb],
    }
    text = json.dumps(header, ensure_ascii=False).encode()
    out.write(struct.pack(">Q", len(text)))
    out.write(text)
    out.writelines(wkb)
    out.flush()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:4])
    except Exception as error:
        # The parent shows one line; a traceback would only repeat the library's paths.
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(2)
