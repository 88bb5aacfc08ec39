"""Services for a running process: atomic files, compiled code, MPI ranks, progress, signals."""
