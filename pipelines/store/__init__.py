"""What runs keep: frames, shards and their manifests, rankers, the run lock, and erasure from files."""
