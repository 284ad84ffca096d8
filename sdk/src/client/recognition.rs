use std::time::Duration;

use anchor_lang::Discriminator;
use futures::StreamExt;
use licensing::Work;
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
    CatalogueEntry, Client,
    catalogue::{published, read},
    landing::transport,
};
use crate::{Error, pda, recognition::Registered};

const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// What is heard of works as they are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// From here on nothing is missed; what was registered before has to be read.
    Listening,
    /// A work that was registered, or that changed.
    Work(Registered),
}

impl Client {
    /// What it takes to recognise every work there is. Only the first bytes of each account are
    /// asked for.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn registered(&self) -> Result<Vec<Registered>, Error> {
        let config =
            self.heads(Some(UiDataSliceConfig { offset: 0, length: Registered::HEAD_BYTES }));
        let found = self.rpc.get_program_ui_accounts_with_config(&licensing::ID, config).await;
        let found = found.map_err(|error| transport(&error))?;
        let head = |(address, account): &(Pubkey, UiAccount)| {
            Registered::from_head(*address, &account.data.decode()?)
        };
        Ok(found.iter().filter_map(head).collect())
    }

    /// Tells of works as they are registered, until the node says no more or nobody listens.
    ///
    /// # Errors
    /// [`Error::Transport`] when the node cannot be listened to, or stops talking.
    pub async fn follow_works(&self, tell: &Sender<Heard>) -> Result<(), Error> {
        let failed = Error::Transport;
        let url = websocket(&self.rpc.url()).ok_or_else(|| failed("no websocket".to_owned()))?;
        let connected = timeout(CONNECT_WITHIN, PubsubClient::new(url.as_str())).await;
        let connected =
            connected.map_err(|_| failed("the websocket does not answer".to_owned()))?;
        let pubsub = connected.map_err(|error| failed(error.to_string()))?;
        let subscribed = pubsub.program_subscribe(&licensing::ID, Some(self.heads(None))).await;
        let (mut heard, _) = subscribed.map_err(|error| failed(error.to_string()))?;
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
        Err(failed("the websocket was closed".to_owned()))
    }

    /// These works, each with its latest terms; those that are none are left out.
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

    /// Asks for works, and for what part of them.
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

/// Where a node's websocket is: at the same place, or, where the URL names a port, at the next.
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
    fn the_websocket_is_where_nodes_have_it() {
        for (rpc, expected) in [
            ("http://127.0.0.1:8899", "ws://127.0.0.1:8900/"),
            ("https://rpc.example/v2/key?a=b", "wss://rpc.example/v2/key?a=b"),
        ] {
            assert_eq!(websocket(rpc).unwrap().as_str(), expected);
        }
        assert_eq!(websocket("nowhere"), None);
    }
}
