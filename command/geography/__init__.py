"""The district as something that changes: what is in force, who changed it when, and how to take that back.

`model` is what the board knows of it, `revisions` the files with their history, `atlas` the district in force,
`keeper` the one way in for a change.
"""
