use solana_pubkey::Pubkey;

/// Account at an address.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    Work,
    Channel,
    Book(Pubkey, Pubkey),
    Till(Pubkey, Pubkey),
    TillTokens(Pubkey, Pubkey),
    StatementBuffer(Pubkey, Pubkey),
    Purse(Pubkey, Pubkey),
    VaultTokens(Pubkey),
    Config,
}
