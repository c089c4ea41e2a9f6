//! A client for a running Squall service.
