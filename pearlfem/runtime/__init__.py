"""What a process needs: files written whole, compiled code, ranks, progress, signals."""
