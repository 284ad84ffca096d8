//! The programs and modules whose bytecode is committed.

/// A crate, and the artifact that is built from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// File stem of the bytecode.
    pub name: &'static str,
    /// Name of its package, as in `Cargo.lock`.
    pub package: &'static str,
    /// Base58 address on chain; `None` for a WebAssembly module.
    pub id: Option<&'static str>,
    /// Directory of its crate, from the root of the checkout.
    pub directory: &'static str,
    /// Directory whose `Cargo.toml` and `Cargo.lock` decide its dependencies.
    pub workspace: &'static str,
    /// Command that builds it again.
    pub remedy: &'static str,
}

/// Artifacts of one manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct ArtifactSet {
    /// Key of the artifacts in the manifest.
    pub key: &'static str,
    /// Directory of the bytecode and of `manifest.json`.
    pub directory: &'static str,
    /// Extension of the bytecode's files.
    pub extension: &'static str,
    /// Files that shape the bytecode of every artifact.
    pub toolchain: &'static [&'static str],
    /// Command that builds all of them again.
    pub remedy: &'static str,
    /// In build order.
    pub programs: &'static [Program],
}

/// Programs on chain.
pub const PROGRAMS: [Program; 3] = [
    Program {
        name: "licensing",
        package: "licensing",
        id: Some("7Wf1kQ8x2KDRjUynHQuNt3fPZRUBPvyRWwoF9BHfFfPo"),
        directory: "programs/licensing",
        workspace: "",
        remedy: "run toolchain/build-programs.sh",
    },
    Program {
        name: "payments",
        package: "payments",
        id: Some("BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w"),
        directory: "programs/payments",
        workspace: "",
        remedy: "run toolchain/build-programs.sh",
    },
    // Metaplex's program from its crates.io source, for certificates in tests and on localnet.
    Program {
        name: "token_metadata",
        package: "token-metadata",
        id: Some("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s"),
        directory: "toolchain/token-metadata",
        workspace: "toolchain/token-metadata",
        remedy: "run toolchain/build-programs.sh --token-metadata",
    },
];

/// Modules of the clients in other languages.
pub const MODULES: [Program; 3] = [
    Program {
        name: "motif_payer",
        package: "motif-payer-calls",
        id: None,
        directory: "sdk/payer-calls",
        workspace: "",
        remedy: "run toolchain/build-wasm.sh motif_payer",
    },
    Program {
        name: "motif_core",
        package: "motif-core",
        id: None,
        directory: "sdk/core",
        workspace: "",
        remedy: "run toolchain/build-wasm.sh motif_core",
    },
    Program {
        name: "motif_content",
        package: "motif-content",
        id: None,
        directory: "sdk/content",
        workspace: "",
        remedy: "run toolchain/build-wasm.sh motif_content",
    },
];

/// Bytecode of Solana. `builtins` is among each program's sources.
pub static SOLANA: ArtifactSet = ArtifactSet {
    key: "programs",
    directory: "programs/artifacts",
    extension: "so",
    toolchain: &[
        "toolchain/bin/cargo-build-sbf",
        "toolchain/bin/rustc-sbf",
        "toolchain/build-programs.sh",
        "toolchain/patch_std.py",
        "toolchain/pins.sh",
        "toolchain/sbpf-solana-solana.json",
    ],
    remedy: "run toolchain/build-programs.sh --all",
    programs: &PROGRAMS,
};

/// WebAssembly.
pub static WEB_ASSEMBLY: ArtifactSet = ArtifactSet {
    key: "modules",
    directory: "sdk/core",
    extension: "wasm",
    toolchain: &[
        "toolchain/bin/rustc-wasm",
        "toolchain/build-wasm.sh",
        "toolchain/patch_std.py",
        "toolchain/pins.sh",
    ],
    remedy: "run toolchain/build-wasm.sh",
    programs: &MODULES,
};
