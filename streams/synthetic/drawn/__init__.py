"""The drawn places, one module each: a function that draws what stands still and returns what moves."""
