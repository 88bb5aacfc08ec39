"""From the film's shape to a graded, tagged mesh of space around it."""
