use motif_localnet::Faucet;
use motif_sdk::Pubkey;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::error::CliError;

const LAMPORTS: u64 = 2_000_000_000;

/// Takes photographs.
pub const INES: &str = "Ines";
/// Trains style models.
pub const KOFI: &str = "Kofi";

/// Who takes part, with fresh keys.
pub struct Cast {
    pub ines: Keypair,
    pub kofi: Keypair,
    pub platform: Keypair,
    /// Signs the platform's vouchers and nothing else.
    pub platform_vouchers: Keypair,
    /// Runs the gateway.
    pub operator: Keypair,
}

impl Cast {
    pub fn new() -> Self {
        Self {
            ines: Keypair::new(),
            kofi: Keypair::new(),
            platform: Keypair::new(),
            platform_vouchers: Keypair::new(),
            operator: Keypair::new(),
        }
    }

    /// Gives everybody SOL for fees and rent, and the platform that many base units.
    pub async fn fund(&self, faucet: &Faucet, platform_base_units: u64) -> Result<(), CliError> {
        for keypair in [&self.ines, &self.kofi, &self.platform, &self.operator] {
            faucet.airdrop_sol(&keypair.pubkey(), LAMPORTS).await?;
        }
        faucet.mint_dollars(&self.platform.pubkey(), platform_base_units).await?;
        Ok(())
    }

    pub fn creators(&self) -> [(&'static str, Pubkey); 2] {
        [(INES, self.ines.pubkey()), (KOFI, self.kofi.pubkey())]
    }
}
