//! The checkout's sources and bytecode, compared with its manifest.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{Artifact, Manifest, PROGRAMS, Program, source};

/// Files that shape the bytecode of every program. `builtins` is among each program's sources.
const TOOLCHAIN: [&str; 6] = [
    "toolchain/bin/cargo-build-sbf",
    "toolchain/bin/rustc-sbf",
    "toolchain/build-programs.sh",
    "toolchain/patch_std.py",
    "toolchain/pins.sh",
    "toolchain/sbpf-solana-solana.json",
];

/// A working tree of this repository.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
}

/// Difference between a committed program and its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    Absent(&'static str),
    Sources(&'static str),
    Toolchain(&'static str),
    Bytecode(&'static str),
    Address(&'static str),
}

impl Checkout {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
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
        for program in &PROGRAMS {
            let name = program.name;
            let Some(artifact) = manifest.programs.get(name) else {
                drifts.push(Drift::Absent(name));
                continue;
            };
            let bytecode = self.bytecode(name)?;
            let checks = [
                (artifact.id == program.id, Drift::Address(name)),
                (
                    artifact.source_digest == source::digest(&self.explain(program)?),
                    Drift::Sources(name),
                ),
                (artifact.toolchain_digest == toolchain, Drift::Toolchain(name)),
                (artifact.describes(&bytecode), Drift::Bytecode(name)),
            ];
            drifts.extend(checks.into_iter().filter(|(same, _)| !same).map(|(_, drift)| drift));
        }
        Ok(drifts)
    }

    /// Records that `compiler` built the bytecode of `program` from this checkout.
    pub fn record(&self, program: &Program, compiler: &str) -> Result<Artifact> {
        let bytecode = self.bytecode(program.name)?;
        let artifact = Artifact {
            id: program.id.to_owned(),
            source_digest: source::digest(&self.explain(program)?),
            toolchain_digest: self.toolchain_digest()?,
            compiler: compiler.to_owned(),
            bytecode_sha256: source::sha256(&bytecode),
            size_bytes: bytecode.len() as u64,
        };
        let mut manifest = self.manifest()?;
        manifest.programs.insert(program.name.to_owned(), artifact.clone());
        manifest.write(&self.manifest_path())?;
        Ok(artifact)
    }

    fn toolchain_digest(&self) -> Result<String> {
        let lines = TOOLCHAIN.iter().map(|path| source::file(&self.root, Path::new(path)));
        Ok(source::digest(&lines.collect::<Result<_>>()?))
    }

    fn bytecode(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.root.join("programs/artifacts").join(name).with_extension("so");
        fs::read(&path).with_context(|| {
            format!("cannot read {}; run toolchain/build-programs.sh", path.display())
        })
    }

    fn manifest_path(&self) -> PathBuf {
        self.root.join("programs/artifacts/manifest.json")
    }
}

impl Drift {
    /// Returns the command that repairs the difference.
    fn remedy(&self) -> &'static str {
        match self {
            Self::Toolchain(_) => "run toolchain/build-programs.sh --all",
            Self::Absent("token_metadata")
            | Self::Sources("token_metadata")
            | Self::Bytecode("token_metadata")
            | Self::Address("token_metadata") => "run toolchain/build-programs.sh --token-metadata",
            _ => "run toolchain/build-programs.sh",
        }
    }
}

impl Artifact {
    fn describes(&self, bytecode: &[u8]) -> bool {
        self.size_bytes == bytecode.len() as u64 && self.bytecode_sha256 == source::sha256(bytecode)
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rebuild = self.remedy();
        match self {
            Self::Absent(name) => write!(out, "{name} is not in the manifest; {rebuild}"),
            Self::Sources(name) => write!(out, "sources of {name} changed; {rebuild}"),
            Self::Toolchain(name) => {
                write!(out, "{name} was built by another toolchain/; {rebuild}")
            }
            Self::Bytecode(name) => {
                write!(out, "{name}.so is not the bytecode in the manifest; {rebuild}")
            }
            Self::Address(name) => {
                write!(out, "the manifest has another address for {name}; {rebuild}")
            }
        }
    }
}
