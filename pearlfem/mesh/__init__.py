"""From the shape of a film to a graded mesh of the space around it, with named parts."""
