"""What the fault tests share: load, the books of what was promised, disks that fail."""
