"""Rewrite the SHA-256 sums in manifest.json after a library here was refreshed."""

import hashlib
import json
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Hash every file of every folder the manifest names."""
    manifest_path = HERE / "manifest.json"
    manifest = json.loads(manifest_path.read_text("utf-8"))
    for folder, entry in manifest.items():
        entry["files"] = {
            path.relative_to(HERE / folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((HERE / folder).rglob("*"))
            if path.is_file()
        }
    manifest_path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
