//! The checkout's sources and bytecode, compared with its manifest.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{Artifact, ArtifactSet, Manifest, Program, SOLANA, WEB_ASSEMBLY, source};

/// A working tree of this repository, and one set of its artifacts.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
    set: &'static ArtifactSet,
}

/// Difference between a committed artifact and its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    Absent(&'static Program),
    Sources(&'static Program),
    /// The command builds all artifacts of the set.
    Toolchain(&'static Program, &'static str),
    Bytecode(&'static Program),
    Address(&'static Program),
}

impl Checkout {
    /// Creates the checkout at `root`, for the programs on chain.
    pub fn programs(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), set: &SOLANA }
    }

    /// Creates the checkout at `root`, for the WebAssembly modules.
    pub fn modules(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), set: &WEB_ASSEMBLY }
    }

    pub fn manifest(&self) -> Result<Manifest> {
        Manifest::read(&self.manifest_path())
    }

    /// Returns the lines that `program`'s source digest covers.
    pub fn explain(&self, program: &Program) -> Result<BTreeSet<String>> {
        source::lines(&self.root, program)
    }

    /// Returns the differences between the manifest and this checkout.
    pub fn drifts(&self) -> Result<Vec<Drift>> {
        let manifest = self.manifest()?;
        let toolchain = self.toolchain_digest()?;
        let mut drifts = Vec::new();
        let recorded = manifest.0.get(self.set.key);
        for program in self.set.programs {
            let Some(artifact) = recorded.and_then(|all| all.get(program.name)) else {
                drifts.push(Drift::Absent(program));
                continue;
            };
            let bytecode = self.bytecode(program.name)?;
            let checks = [
                (artifact.id.as_deref() == program.id, Drift::Address(program)),
                (
                    artifact.source_digest == source::digest(&self.explain(program)?),
                    Drift::Sources(program),
                ),
                (
                    artifact.toolchain_digest == toolchain,
                    Drift::Toolchain(program, self.set.remedy),
                ),
                (artifact.describes(&bytecode), Drift::Bytecode(program)),
            ];
            drifts.extend(checks.into_iter().filter(|(same, _)| !same).map(|(_, drift)| drift));
        }
        Ok(drifts)
    }

    /// Records that `compiler` built the bytecode of `program` from this checkout.
    pub fn record(&self, program: &Program, compiler: &str) -> Result<Artifact> {
        let bytecode = self.bytecode(program.name)?;
        let artifact = Artifact {
            id: program.id.map(str::to_owned),
            source_digest: source::digest(&self.explain(program)?),
            toolchain_digest: self.toolchain_digest()?,
            compiler: compiler.to_owned(),
            bytecode_sha256: source::sha256(&bytecode),
            size_bytes: bytecode.len() as u64,
        };
        let mut manifest = self.manifest()?;
        let all = manifest.0.entry(self.set.key.to_owned()).or_default();
        all.insert(program.name.to_owned(), artifact.clone());
        manifest.write(&self.manifest_path())?;
        Ok(artifact)
    }

    fn toolchain_digest(&self) -> Result<String> {
        let lines = self.set.toolchain.iter().map(|path| source::file(&self.root, Path::new(path)));
        Ok(source::digest(&lines.collect::<Result<_>>()?))
    }

    fn bytecode(&self, name: &str) -> Result<Vec<u8>> {
        let ArtifactSet { directory, extension, remedy, .. } = self.set;
        let path = self.root.join(directory).join(name).with_extension(extension);
        fs::read(&path).with_context(|| format!("cannot read {}; {remedy}", path.display()))
    }

    fn manifest_path(&self) -> PathBuf {
        self.root.join(self.set.directory).join("manifest.json")
    }
}

impl Artifact {
    fn describes(&self, bytecode: &[u8]) -> bool {
        self.size_bytes == bytecode.len() as u64 && self.bytecode_sha256 == source::sha256(bytecode)
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(Program { name, remedy, .. }) => {
                write!(out, "{name} is not in the manifest; {remedy}")
            }
            Self::Sources(Program { name, remedy, .. }) => {
                write!(out, "sources of {name} changed; {remedy}")
            }
            Self::Toolchain(Program { name, .. }, remedy) => {
                write!(out, "{name} was built by another toolchain/; {remedy}")
            }
            Self::Bytecode(Program { name, remedy, .. }) => {
                write!(out, "the file of {name} is not the bytecode in the manifest; {remedy}")
            }
            Self::Address(Program { name, remedy, .. }) => {
                write!(out, "the manifest has another address for {name}; {remedy}")
            }
        }
    }
}
