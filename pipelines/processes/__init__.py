"""Processes and ports: the Dask cluster, process groups, and checks of TCP ports."""
