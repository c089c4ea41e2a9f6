"""Runs a program as a daemon with its output in a log file."""
import os, socket, subprocess
log = open("/var/log/example.log", "ab")
os.dup2(log.fileno(), 1)
os.dup2(log.fileno(), 2)
with socket.create_connection(("localhost", 8125)) as s:
    s.sendall(b"started:1|c")
subprocess.run(["/usr/bin/example", "--serve"], check=True)
