"""What happened: calls, and how they are asked for."""
