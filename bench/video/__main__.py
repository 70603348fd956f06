"""Run the benchmarks of video, one after the other: ``python -m bench.video``."""

import subprocess
import sys

PARTS = ("pull", "watch", "health", "devices", "beside")


def main() -> None:
    """Run them in processes of their own, so that none warms another up."""
    failed = []
    for part in PARTS:
        print(f"\n== video.{part}", flush=True)
        if subprocess.call([sys.executable, "-m", f"bench.video.{part}"]):
            failed.append(part)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
