import subprocess
import sys
from pathlib import Path

SERVE = """
import gc, os, signal, sys
from pathlib import Path
from command.cli.serving import run
from command.settings import load_settings

def ready(url: str) -> None:
    print(url, gc.get_freeze_count(), len(gc.get_objects()))
    os.kill(os.getpid(), signal.SIGTERM)

run(load_settings(None, data_dir=Path(sys.argv[1]), port=0), ready)
"""


def test_the_collector_leaves_alone_what_the_start_made(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode in (0, -15), found.stderr[-2000:]
    url, frozen, watched = found.stdout.split()[-3:]
    assert url.startswith("http://127.0.0.1:")
    assert int(frozen) > 20 * int(watched)
