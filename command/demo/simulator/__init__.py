"""The living demo district: an outside program that plays people over the service's public interfaces.

It moves trackers along the roads, calls in incidents, sits at a second desk and answers as the units that are
sent. It knows nothing that a real phone, caller or desk would not know, and imports nothing of the service.
"""
