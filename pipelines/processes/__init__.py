"""What a run starts or listens on: the Dask cluster, process groups, ports."""
