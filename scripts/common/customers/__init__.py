""" "My clients": backups, and what is brought back from them."""
