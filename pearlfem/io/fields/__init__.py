"""Fields for ParaView and the picture of the film."""
