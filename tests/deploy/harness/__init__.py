"""Machines made of a Debian root and a real systemd, and what is done on them."""
