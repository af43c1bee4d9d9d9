"""What runs keep between steps: frames, shards, rankers, the lock of runs, and erasure from files."""
