"""Geometry without web or incidents: areas, datums, nearest by road, tiles, files in and out."""
