//! The committed bytecode, embedded: a localnet needs neither the repository nor an SBF compiler.

use solana_pubkey::{Pubkey, pubkey};

use super::program::Program;

/// Address of the licensing program.
pub const LICENSING: Pubkey = pubkey!("7Wf1kQ8x2KDRjUynHQuNt3fPZRUBPvyRWwoF9BHfFfPo");
/// Address of the payments program.
pub const PAYMENTS: Pubkey = pubkey!("BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w");
/// Address of Metaplex Token Metadata, the same as on every public cluster.
pub const TOKEN_METADATA: Pubkey = pubkey!("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s");

/// Returns the programs of `programs/artifacts`, as they were when this crate was built:
/// licensing, payments and Token Metadata.
pub fn motif_programs() -> Vec<Program> {
    let programs: [(Pubkey, &[u8]); 3] = [
        (LICENSING, include_bytes!("../../../../programs/artifacts/licensing.so")),
        (PAYMENTS, include_bytes!("../../../../programs/artifacts/payments.so")),
        (TOKEN_METADATA, include_bytes!("../../../../programs/artifacts/token_metadata.so")),
    ];
    programs.into_iter().map(|(id, elf)| Program { id, elf: elf.to_vec() }).collect()
}
