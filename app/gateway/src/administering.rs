//! What operators do: API keys, budgets, an overview.

use motif_sdk::{
    Pubkey,
    gateway::wire::{Address, Amount, ApiKeyFacts, ChannelSummary, CreatedApiKey, NewApiKey},
};

use crate::{
    Gateway,
    keys::{KeyId, StoredKey, Token},
    problem::ApiError,
    store::Change,
};

const MAX_NAME_CHARACTERS: usize = 100;

impl Gateway {
    /// All API keys, oldest first.
    pub fn api_keys(&self) -> Vec<ApiKeyFacts> {
        self.keyring().all().iter().map(|key| key.facts()).collect()
    }

    /// Makes an API key. It is on disk before its token is shown, this once.
    ///
    /// # Errors
    /// [`ApiError::InvalidKey`], [`ApiError::StoreFailed`].
    pub async fn create_api_key(&self, wanted: NewApiKey) -> Result<CreatedApiKey, ApiError> {
        let name = wanted.name;
        let visible = name.chars().all(|letter| !letter.is_control());
        if !(1..=MAX_NAME_CHARACTERS).contains(&name.chars().count()) || !visible {
            return Err(ApiError::InvalidKey("a name has 1 to 100 visible characters"));
        }
        if wanted.scopes.is_empty() {
            return Err(ApiError::InvalidKey("a key has one scope at least"));
        }
        let budget = wanted.budget.map(|amount| amount.0);
        if budget.is_some_and(|budget| i64::try_from(budget).is_err()) {
            return Err(ApiError::InvalidKey("a budget is 2^63 - 1 base units at most"));
        }
        let token = Token::random();
        let stored = StoredKey {
            id: token.id,
            name,
            token_digest: self.keyring().digest(&token),
            scopes: wanted.scopes.into_iter().collect(),
            budget,
            spent: 0,
            created_at: self.now(),
            expires_at: wanted.expires_at,
            revoked_at: None,
        };
        self.store().writer().write(Change::KeyCreated(Box::new(stored.clone()))).await?;
        let key = self.keyring().add(stored);
        tracing::info!(key = %token.id, "an API key was made");
        Ok(CreatedApiKey { token: token.reveal(), key: key.facts() })
    }

    /// Ends an API key: at once, and for good when this has returned.
    ///
    /// # Errors
    /// [`ApiError::UnknownKey`], [`ApiError::StoreFailed`].
    pub async fn revoke_api_key(&self, id: KeyId) -> Result<ApiKeyFacts, ApiError> {
        if self.store().leases().is_some() {
            self.refresh_keys().await?; // another process may have made it
        }
        let revoked_at = self.now();
        let key = self.keyring().revoke(id, revoked_at)?;
        self.store().writer().write(Change::KeyRevoked { id, revoked_at }).await?;
        tracing::info!(key = %id, "an API key was revoked");
        Ok(key.facts())
    }

    /// Serves a channel up to this total, base units; `None` for its whole deposit.
    ///
    /// # Errors
    /// [`ApiError::UnknownChannel`], [`ApiError::StoreFailed`].
    pub async fn set_channel_budget(
        &self,
        channel: Pubkey,
        budget: Option<u64>,
    ) -> Result<(), ApiError> {
        let desk = self.desk(&channel).await?;
        let written = {
            let mut book = desk.book();
            book.ledger.set_budget(budget);
            let change = Change::Budget { channel_id: desk.id(), budget };
            self.store().writer().write_channel(desk.lease, change)
        };
        self.on_disk(&desk, written).await
    }

    /// Channels this gateway serves, by address.
    pub fn channels(&self) -> Vec<ChannelSummary> {
        let mut desks = self.desks();
        desks.sort_by_key(|desk| desk.address);
        let summary = |desk: &std::sync::Arc<crate::desk::Desk>| {
            let book = desk.book();
            let ledger = &book.ledger;
            let cut = ledger.cut_statements().iter().map(|cut| cut.receipts);
            ChannelSummary {
                channel: Address(desk.address),
                payer: Address(desk.payer),
                mint: Address(ledger.channel().mint),
                cumulative: Amount(ledger.cumulative().unwrap_or(u64::MAX)),
                available: Amount(ledger.available()),
                exposed: Amount(ledger.exposed()),
                unsettled_receipts: cut.sum::<u32>() + ledger.open_statement().receipts,
                settle_before: ledger.settle_before(),
                closes_at: Some(ledger.channel().closes_at).filter(|at| *at != i64::MAX),
                budget: ledger.budget().map(Amount),
            }
        };
        desks.iter().map(summary).collect()
    }
}
