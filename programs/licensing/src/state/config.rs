use anchor_lang::prelude::*;

/// What holds for one deployment of Motif.
///
/// Seeds: `["config"]`.
#[account]
#[derive(Debug, InitSpace)]
pub struct Config {
    pub version: u8,
    pub bump: u8,
    /// Names this cluster in every voucher, so that one signed for another cluster is worth
    /// nothing here. By convention the cluster's genesis hash.
    pub cluster: [u8; 32],
    /// May change this account.
    pub authority: Pubkey,
    /// Offered the authority; becomes it by accepting.
    pub pending_authority: Option<Pubkey>,
    /// Decides disputes.
    pub arbiter: Pubkey,
    /// What a claimant puts at stake with a dispute, lamports.
    pub dispute_bond_lamports: u64,
}

impl Config {
    pub const SEED: &'static [u8] = b"config";
    pub const VERSION: u8 = 1;
    pub const SPACE: usize = Self::DISCRIMINATOR.len() + Self::INIT_SPACE;
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Config::SPACE == 147);
