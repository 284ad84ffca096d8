//! The file's shape.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Every committed program by name.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub programs: BTreeMap<String, Artifact>,
}

/// One committed program. Digests are SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Base58 address it is loaded at.
    pub id: String,
    /// Of its sources and of everything it depends on; see [`crate::source`].
    pub source_digest: String,
    /// Of the toolchain files that shape the bytecode.
    pub toolchain_digest: String,
    /// What those files had installed when it was built, for people.
    pub compiler: String,
    /// Of the `.so` file.
    pub bytecode_sha256: String,
    pub size_bytes: u64,
}

impl Manifest {
    /// An absent file is an empty manifest.
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
