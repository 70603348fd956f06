"""Run every benchmark, one after the other: ``python -m bench``."""

import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run them in processes of their own, so that none warms another up."""
    failed = []
    folder = Path(__file__).parent
    packages = [path.parent for path in folder.glob("*/__main__.py")]
    for path in sorted([*folder.glob("[a-z]*.py"), *packages]):
        print(f"\n== {path.stem}", flush=True)
        if subprocess.call([sys.executable, "-m", f"bench.{path.stem}"]):
            failed.append(path.stem)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
