"""What a run leaves on disk: fields for ParaView, a picture, summary.json."""
