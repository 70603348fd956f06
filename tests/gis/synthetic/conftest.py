from dataclasses import dataclass
from pathlib import Path

import pytest

from gis.synthetic import DistrictFiles, DistrictSpec, generate, load_spec

CONFIG = Path(__file__).parents[3] / "config" / "districts"


@dataclass(frozen=True)
class Made:
    spec: DistrictSpec
    files: DistrictFiles


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    spec = load_spec(CONFIG / "small.toml")
    return Made(spec, generate(spec, 7, tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="session")
def lieshan(tmp_path_factory: pytest.TempPathFactory) -> Made:
    spec = load_spec(CONFIG / "lieshan.toml")
    return Made(spec, generate(spec, 3, tmp_path_factory.mktemp("lieshan")))
