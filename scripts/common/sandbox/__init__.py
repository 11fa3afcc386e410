"""A stand-in for api.binotel.com, to try and to test everything without a key."""
