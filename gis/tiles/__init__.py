"""Map tiles of others: where they lie, how a PMTiles file keeps them, and tiles in GCJ-02 laid right."""
