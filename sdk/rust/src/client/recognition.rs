use std::time::Duration;

use futures::StreamExt;
use reqwest::Url;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding, UiDataSliceConfig};
use solana_pubkey::Pubkey;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
};
use tokio::{sync::mpsc::Sender, time::timeout};

use super::{
    CatalogueEntry, Client, TransportError,
    catalogue::{published, read},
};
use crate::{
    Error,
    licensing::{self, Work},
    pda,
    recognition::Registered,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Event of [`Client::follow_works`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The subscription is active. Works registered before must be read with
    /// [`Client::registered`].
    Listening,
    /// A work was registered or changed.
    Work(Registered),
}

impl Client {
    /// Downloads the index entry of every registered work: the first bytes of its account.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn registered(&self) -> Result<Vec<Registered>, Error> {
        let config =
            self.heads(Some(UiDataSliceConfig { offset: 0, length: Registered::HEAD_BYTES }));
        let found =
            self.rpc.get_program_ui_accounts_with_config(&licensing::PROGRAM_ID, config).await;
        let found = found?;
        let head = |(address, account): &(Pubkey, UiAccount)| {
            Registered::from_head(*address, &account.data.decode()?)
        };
        Ok(found.iter().filter_map(head).collect())
    }

    /// Subscribes to works and sends an event for each that is registered or changed, until the
    /// receiver is closed.
    ///
    /// # Errors
    /// [`Error::Transport`] if the subscription fails or ends.
    pub async fn follow_works(&self, tell: &Sender<Heard>) -> Result<(), Error> {
        let url = websocket(&self.rpc.url()).ok_or(TransportError::InvalidUrl)?;
        let connected = timeout(CONNECT_TIMEOUT, PubsubClient::new(url.as_str())).await;
        let pubsub = connected.map_err(|_| TransportError::Timeout)?;
        let pubsub = pubsub.map_err(TransportError::from)?;
        let config = Some(self.heads(None));
        let subscribed = pubsub.program_subscribe(&licensing::PROGRAM_ID, config).await;
        let (mut heard, _) = subscribed.map_err(TransportError::from)?;
        if tell.send(Heard::Listening).await.is_err() {
            return Ok(());
        }
        while let Some(changed) = heard.next().await {
            let (address, account) = (changed.value.pubkey, changed.value.account);
            let head = account.data.decode().zip(address.parse().ok());
            let work = head.and_then(|(data, address)| Registered::from_head(address, &data));
            let Some(work) = work else { continue };
            if tell.send(Heard::Work(work)).await.is_err() {
                return Ok(());
            }
        }
        Err(TransportError::Closed.into())
    }

    /// Returns the works at `works` with their latest terms, without those that do not exist.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn entries(&self, works: &[Pubkey]) -> Result<Vec<CatalogueEntry>, Error> {
        let accounts = self.accounts(works).await?;
        let found = works.iter().zip(accounts);
        let found: Vec<(Pubkey, Work)> =
            found.filter_map(|(address, account)| Some((*address, read(&account?)?))).collect();
        let addresses: Vec<_> =
            found.iter().map(|(address, work)| pda::terms(address, work.latest_terms)).collect();
        let terms = self.accounts(&addresses).await?;
        let entries = found.into_iter().zip(addresses).zip(terms);
        let entries = entries.map(|(((address, work), terms_address), terms)| CatalogueEntry {
            address,
            work,
            terms: terms.and_then(|account| published(terms_address, &account)),
        });
        Ok(entries.collect())
    }

    /// Returns the request for accounts of works.
    fn heads(&self, data_slice: Option<UiDataSliceConfig>) -> RpcProgramAccountsConfig {
        let works = Memcmp::new_raw_bytes(0, Work::DISCRIMINATOR.to_vec());
        RpcProgramAccountsConfig {
            filters: Some(vec![RpcFilterType::Memcmp(works)]),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(self.rpc.commitment()),
                data_slice,
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        }
    }
}

/// Returns the WebSocket URL of a node: the same host, and the next port if the URL has one.
fn websocket(rpc_url: &str) -> Option<Url> {
    let mut url: Url = rpc_url.parse().ok()?;
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    let port = url.port().map(|port| port.checked_add(1)).unwrap_or_default();
    url.set_scheme(scheme).ok()?;
    url.set_port(port).ok()?;
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn websocket_url_follows_rpc_url() {
        for (rpc, expected) in [
            ("http://127.0.0.1:8899", "ws://127.0.0.1:8900/"),
            ("https://rpc.example/v2/key?a=b", "wss://rpc.example/v2/key?a=b"),
        ] {
            assert_eq!(websocket(rpc).unwrap().as_str(), expected);
        }
        assert_eq!(websocket("nowhere"), None);
    }
}
