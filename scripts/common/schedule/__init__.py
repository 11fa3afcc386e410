"""When jobs run by themselves, and who is told how they ended."""
