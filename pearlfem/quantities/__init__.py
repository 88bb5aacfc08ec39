"""Units, numbers with a range and a dimension, and the table of results."""
