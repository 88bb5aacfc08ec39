"""From the film's shape to a graded, tagged mesh of the half space above it."""
