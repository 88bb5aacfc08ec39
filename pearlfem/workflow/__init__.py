"""From a study to its result: each module here joins layers and computes nothing itself."""
