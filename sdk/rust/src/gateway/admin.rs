use std::fmt;

use reqwest::Method;
use solana_pubkey::Pubkey;

use super::{
    GatewayClient, GatewayError,
    wire::{
        ApiKeyFacts, ApiKeyList, ChannelBudget, ChannelList, ChannelSummary, Closing,
        CreatedApiKey, FeeClaim, NewApiKey, QuarantinedChannel, Reconciliation, SettlementReport,
        Settlements, UsageBy, UsageReport,
    },
};

/// Client of a gateway's admin listener. Clones share connections.
#[derive(Clone)]
pub struct AdminClient(GatewayClient);

impl AdminClient {
    /// Creates a client of the listener at `url`. `secret` is the listener's secret or an API key
    /// with the scope `admin`.
    pub fn new(url: &str, secret: &str) -> Self {
        Self(GatewayClient::new(url).api_key(secret).staying())
    }

    /// Sets how long unanswered requests are repeated. Default: 10 seconds.
    pub fn patience(self, patience: std::time::Duration) -> Self {
        Self(self.0.patience(patience))
    }

    /// Creates an API key. The request is not repeated: each answer is a new key.
    ///
    /// # Errors
    /// As all methods: [`GatewayError::Refused`], [`GatewayError::Unreachable`],
    /// [`GatewayError::Untrusted`].
    pub async fn create_api_key(&self, key: &NewApiKey) -> Result<CreatedApiKey, GatewayError> {
        self.0.clone().patience(std::time::Duration::ZERO).post("keys".into(), key).await
    }

    /// Returns all API keys, oldest first.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyFacts>, GatewayError> {
        let list: ApiKeyList = self.0.get("keys".into()).await?;
        Ok(list.keys)
    }

    /// Revokes an API key.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn revoke_api_key(&self, key: &str) -> Result<ApiKeyFacts, GatewayError> {
        self.0.request(Method::DELETE, format!("keys/{key}"), None::<&()>).await
    }

    /// Returns the channels that the gateway serves, ordered by address.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn channels(&self) -> Result<Vec<ChannelSummary>, GatewayError> {
        let list: ChannelList = self.0.get("channels".into()).await?;
        Ok(list.channels)
    }

    /// Returns the channels that the gateway does not serve because their stored state is corrupt.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn quarantined(&self) -> Result<Vec<QuarantinedChannel>, GatewayError> {
        let list: ChannelList = self.0.get("channels".into()).await?;
        Ok(list.quarantined)
    }

    /// Settles a channel.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn settle(&self, channel: &Pubkey) -> Result<Vec<SettlementReport>, GatewayError> {
        let path = format!("channels/{channel}/settlements");
        let done: Settlements = self.0.post(path, &serde_json::json!({})).await?;
        Ok(done.settlements)
    }

    /// Settles and closes a channel whose payer has started closing.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn close(&self, channel: &Pubkey) -> Result<Closing, GatewayError> {
        self.0.post(format!("channels/{channel}/close"), &serde_json::json!({})).await
    }

    /// Claims the operator's settled fees of a channel.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn claim_fees(&self, channel: &Pubkey) -> Result<FeeClaim, GatewayError> {
        self.0.post(format!("channels/{channel}/fee-claims"), &serde_json::json!({})).await
    }

    /// Reconciles vouchers, statements, receipts and the chain.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn reconcile(&self) -> Result<Reconciliation, GatewayError> {
        self.0.get("reconciliation".into()).await
    }

    /// Returns usage and spending of all channels, from the unix second `from` to before `until`.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn usage(
        &self,
        by: UsageBy,
        from: Option<i64>,
        until: Option<i64>,
    ) -> Result<UsageReport, GatewayError> {
        let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
        let until = until.map(|until| format!("&until={until}")).unwrap_or_default();
        self.0.get(format!("usage?by={by}{from}{until}")).await
    }

    /// Sets the maximum spending of a channel through the gateway.
    ///
    /// # Errors
    /// As [`AdminClient::create_api_key`].
    pub async fn set_channel_budget(
        &self,
        channel: &Pubkey,
        budget: ChannelBudget,
    ) -> Result<ChannelBudget, GatewayError> {
        self.0.request(Method::PUT, format!("channels/{channel}/budget"), Some(&budget)).await
    }
}

impl fmt::Debug for AdminClient {
    /// Without the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
