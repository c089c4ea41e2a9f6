//! The scan threads: claim a sample, scan it, tell the sinks, store the result.
