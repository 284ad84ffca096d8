//! Paying through a gateway.
