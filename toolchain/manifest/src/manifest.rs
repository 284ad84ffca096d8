//! Format of the file.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Committed artifacts by the key of their set, then by name.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest(pub BTreeMap<String, BTreeMap<String, Artifact>>);

/// Committed program or module. Digests are SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Address, base58; absent for a module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Digest of its sources and dependencies; see [`crate::source`].
    pub source_digest: String,
    /// Digest of the toolchain files that affect the bytecode.
    pub toolchain_digest: String,
    /// Version of the compiler that built it.
    pub compiler: String,
    /// Digest of the bytecode file.
    pub bytecode_sha256: String,
    pub size_bytes: u64,
}

impl Manifest {
    /// Reads the manifest; a missing file is an empty manifest.
    pub fn read(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("{} is no manifest", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}
