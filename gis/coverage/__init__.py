"""What is covered: by whom in which time, and by which camera.

`samples` puts points on the roads once, `reach` times them from all responders in one search, `siting` says where
one more would help most, `view` measures what cameras see, `gaps` draws what is out of reach, `rollup` carries
figures of grids up the division tree.
"""
