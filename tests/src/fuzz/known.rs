use solana_pubkey::Pubkey;

/// Account at an address.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    Work,
    Operator(Pubkey),
    Channel,
    Book(Pubkey, Pubkey),
    Till,
    /// Tokens of the till at this address.
    TillTokens(Pubkey),
    StatementBuffer(Pubkey, Pubkey),
    Purse(Pubkey, Pubkey),
    VaultTokens(Pubkey),
    Config,
}
