//! The programs whose bytecode is committed.

/// A program crate, and the address its bytecode is loaded at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Library name, and file stem of the bytecode.
    pub name: &'static str,
    /// Name of its package, as in `Cargo.lock`.
    pub package: &'static str,
    /// Base58 address.
    pub id: &'static str,
    /// Directory of its crate, from the root of the checkout.
    pub directory: &'static str,
    /// Directory whose `Cargo.toml` and `Cargo.lock` decide its dependencies.
    pub workspace: &'static str,
}

/// Programs in build order.
pub const PROGRAMS: [Program; 3] = [
    Program {
        name: "licensing",
        package: "licensing",
        id: "7Wf1kQ8x2KDRjUynHQuNt3fPZRUBPvyRWwoF9BHfFfPo",
        directory: "programs/licensing",
        workspace: "",
    },
    Program {
        name: "payments",
        package: "payments",
        id: "BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w",
        directory: "programs/payments",
        workspace: "",
    },
    // Metaplex's program from its crates.io source, for certificates in tests and on localnet.
    Program {
        name: "token_metadata",
        package: "token-metadata",
        id: "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s",
        directory: "toolchain/token-metadata",
        workspace: "toolchain/token-metadata",
    },
];
