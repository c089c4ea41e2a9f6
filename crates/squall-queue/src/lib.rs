//! The durable on-disk queue of samples, their results, and the in-memory lane for synchronous checks.
