"""All of them: ``python -m bench.gis``."""

from bench.gis import coverage, locate

if __name__ == "__main__":
    coverage.main()
    locate.main()
