"""The demonstration: a made-up district, brought in through the real importers, and who lives in it.

`build` makes the data folder; `simulator` is an outside program that drives the service over its public
interfaces. Nothing in the service knows that it is a demo.
"""
