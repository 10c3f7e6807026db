"""The parts of mutate.py: case generators, the clients that send them, and the server under test."""
