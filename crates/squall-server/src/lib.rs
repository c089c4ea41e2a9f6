//! The HTTP service: router, handlers, limits, TLS and landing page.
