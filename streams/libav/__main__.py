"""``python -m streams.libav``: one FFmpeg child; started by `streams.libav.reader` and `transcoder`."""

import sys

from streams.libav.child import main

sys.exit(main())
