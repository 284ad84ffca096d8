//! Unifies the features of shared dependencies; has no code. See its Cargo.toml.
