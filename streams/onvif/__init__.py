"""Asking cameras by ONVIF what they have, and moving them.

A device's answers are those of a stranger: they are bounded, nothing they name is followed, and every request
goes to the one address that the administrator's rules admitted, whatever host the device says it has.
"""
