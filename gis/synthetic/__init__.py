"""The demo's district: a county that does not exist, written as the files a real one would deliver.

The product imports these files through its ordinary importers; nothing in it knows that they are invented.
"""

from gis.synthetic.district import generate
from gis.synthetic.spec import DistrictFiles, DistrictSpec, TownshipSpec, load_spec

__all__ = ["DistrictFiles", "DistrictSpec", "TownshipSpec", "generate", "load_spec"]
