"""The benchmarks of live video, each beside a peer in the same run."""
