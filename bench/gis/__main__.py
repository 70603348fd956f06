"""All of them: ``python -m bench.gis``."""

from bench.gis import coverage, intake, locate, roads

if __name__ == "__main__":
    coverage.main()
    intake.main()
    locate.main()
    roads.main()
