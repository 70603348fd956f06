"""Whether a camera's picture is there and fit for use: measured, compared with its reference, confirmed."""
