//! JSON texts of keys, hashes and amounts, for `#[serde(with = ...)]`.
