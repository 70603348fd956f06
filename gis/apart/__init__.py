"""Reading a stranger's file in a process of its own, without privileges, within limits, and listening to it.

`supervision` is the service's side; `confinement` and `beat` are the worker's; `messages` is what they say.
Areas and tables (`gis.intake`) and OpenStreetMap extracts (`gis.roads`) are read this way.
"""
