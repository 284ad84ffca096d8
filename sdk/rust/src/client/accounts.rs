use motif_interface::{AccountData, mint_decimals, token_amount};
use serde_json::json;
use solana_account::Account;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_clock::Clock;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
    request::RpcRequest,
    response::Response,
};

use super::{Client, TransportError};
use crate::{
    Error,
    channel::{self, Channel, ChannelAccount, Currency},
    earnings::EarningsAccount,
    licensing::{self, Config, Terms, Work, WorkKind, WorkStatus, terms_digest},
    pda,
};

/// Offsets in a work's account: see [`crate::licensing::WorkHead`].
const KIND_OFFSET: usize = 10;
const STATUS_OFFSET: usize = 11;
/// Maximum number of accounts in one request.
const MAX_ACCOUNTS: usize = 100;

/// Conditions on works; all given fields must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkFilter {
    /// Key that registered the work.
    pub creator: Option<Pubkey>,
    /// Present owner.
    pub owner: Option<Pubkey>,
    /// SHA-256 of the content.
    pub content_digest: Option<[u8; 32]>,
    /// Kind of content.
    pub kind: Option<WorkKind>,
    /// Status.
    pub status: Option<WorkStatus>,
}

/// Published terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedTerms {
    /// Address of the account.
    pub address: Pubkey,
    /// Contents of the account.
    pub terms: Terms,
    /// SHA-256 of the account data, which an acceptance names.
    pub digest: [u8; 32],
}

/// Parses the data of the Clock sysvar's account.
pub fn parse_clock(data: &[u8]) -> Option<Clock> {
    wincode::deserialize(data).ok()
}

impl Client {
    /// Returns the deployment's config.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not initialized; [`Error::Transport`].
    pub async fn config(&self) -> Result<Config, Error> {
        self.typed("config", &pda::config(), &licensing::PROGRAM_ID).await
    }

    /// Returns a mint and the token program that owns it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no account; [`Error::Transport`].
    pub async fn currency(&self, mint: &Pubkey) -> Result<Currency, Error> {
        let account = self.account(mint).await?;
        let account = account.ok_or(Error::NotFound { kind: "mint", address: *mint })?;
        Ok(Currency { mint: *mint, token_program: account.owner })
    }

    /// Returns a mint's number of decimals.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no mint; [`Error::Transport`].
    pub async fn decimals(&self, mint: &Pubkey) -> Result<u8, Error> {
        let missing = || Error::NotFound { kind: "mint", address: *mint };
        let account = self.account(mint).await?.ok_or_else(missing)?;
        mint_decimals(&account.data).ok_or_else(missing)
    }

    /// Returns a registered work.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Transport`].
    pub async fn work(&self, address: &Pubkey) -> Result<Work, Error> {
        self.typed("work", address, &licensing::PROGRAM_ID).await
    }

    /// Downloads all works that match, earliest registration first.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn works(&self, filter: &WorkFilter) -> Result<Vec<(Pubkey, Work)>, Error> {
        let at = |offset, bytes: Option<&[u8]>| bytes.map(|bytes| (offset, bytes.to_vec()));
        let fields = [
            at(Work::CREATOR_OFFSET, filter.creator.as_ref().map(|key| key.as_ref())),
            at(Work::OWNER_OFFSET, filter.owner.as_ref().map(|key| key.as_ref())),
            at(Work::CONTENT_DIGEST_OFFSET, filter.content_digest.as_ref().map(|d| &d[..])),
        ];
        let kind = filter.kind.map(|kind| (KIND_OFFSET, vec![kind as u8]));
        let status = filter.status.map(|status| (STATUS_OFFSET, vec![status as u8]));
        let fields = fields.into_iter().chain([kind, status]).flatten().collect();
        let accounts =
            self.program_accounts(&licensing::PROGRAM_ID, Work::DISCRIMINATOR, fields).await?;
        let read = |(address, account): (Pubkey, Account)| {
            Some((address, Work::from_account_data(&account.data).ok()?))
        };
        let mut works: Vec<_> = accounts.into_iter().filter_map(read).collect();
        works.sort_by_key(|(address, work)| (work.registered_at, *address));
        Ok(works)
    }

    /// Returns one version of a work's terms.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Transport`].
    pub async fn terms(&self, work: &Pubkey, number: u32) -> Result<PublishedTerms, Error> {
        let address = pda::terms(work, number);
        let absent = || Error::NotFound { kind: "terms", address };
        let account = self.account(&address).await?.ok_or_else(absent)?;
        let terms = Terms::from_account_data(&account.data).map_err(|_| absent())?;
        Ok(PublishedTerms { address, terms, digest: terms_digest(&account.data) })
    }

    /// Returns the latest version of a work's terms.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the work does not exist or has no terms;
    /// [`Error::Transport`].
    pub async fn latest_terms(&self, work: &Pubkey) -> Result<PublishedTerms, Error> {
        let number = self.work(work).await?.latest_terms;
        self.terms(work, number).await
    }

    /// Returns a channel with its licenses.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Transport`].
    pub async fn channel(&self, address: &Pubkey) -> Result<ChannelAccount, Error> {
        let absent = || Error::NotFound { kind: "channel", address: *address };
        let account = self.account(address).await?.ok_or_else(absent)?;
        let ours = account.owner == channel::PROGRAM_ID;
        let channel = ChannelAccount::from_bytes(&account.data).filter(|_| ours);
        channel.ok_or_else(absent)
    }

    /// Returns all channels, optionally of one payer, one operator, or both.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn channels(
        &self,
        payer: Option<&Pubkey>,
        operator: Option<&Pubkey>,
    ) -> Result<Vec<(Pubkey, ChannelAccount)>, Error> {
        let payer = payer.map(|key| (Channel::PAYER_OFFSET, key.to_bytes().to_vec()));
        let operator = operator.map(|key| (Channel::OPERATOR_OFFSET, key.to_bytes().to_vec()));
        let fields = [payer, operator].into_iter().flatten().collect();
        let accounts =
            self.program_accounts(&channel::PROGRAM_ID, Channel::DISCRIMINATOR, fields).await?;
        let read = |(address, account): (Pubkey, Account)| {
            Some((address, ChannelAccount::from_bytes(&account.data)?))
        };
        Ok(accounts.into_iter().filter_map(read).collect())
    }

    /// Returns a work's earnings in a mint; `None` if they are not open.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn earnings(
        &self,
        work: &Pubkey,
        mint: &Pubkey,
    ) -> Result<Option<EarningsAccount>, Error> {
        let account = self.account(&pda::earnings(work, mint)).await?;
        let ours = account.filter(|account| account.owner == channel::PROGRAM_ID);
        Ok(ours.and_then(|account| EarningsAccount::from_bytes(&account.data)))
    }

    /// Returns the balance of the owner's associated token account, base units; 0 if it does not
    /// exist.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn token_balance(&self, owner: &Pubkey, currency: &Currency) -> Result<u64, Error> {
        let account = self.account(&currency.tokens(owner)).await?;
        Ok(account.and_then(|account| token_amount(&account.data)).unwrap_or(0))
    }

    /// Returns the cluster's Clock sysvar.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn clock(&self) -> Result<Clock, Error> {
        let account = self.account(&solana_sdk_ids::sysvar::clock::ID).await?;
        let clock = account.and_then(|account| parse_clock(&account.data));
        clock.ok_or(Error::Transport(TransportError::NoClock))
    }

    /// Returns the cluster's time, unix seconds.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn now(&self) -> Result<i64, Error> {
        self.clock().await.map(|clock| clock.unix_timestamp)
    }

    /// Returns any account; `None` if it does not exist.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn account(&self, address: &Pubkey) -> Result<Option<Account>, Error> {
        let config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64Zstd),
            commitment: Some(self.rpc.commitment()),
            ..RpcAccountInfoConfig::default()
        };
        // The client's own method reports every failure as a missing account.
        let params = json!([address.to_string(), config]);
        let response = self.rpc.send(RpcRequest::GetAccountInfo, params).await;
        let response: Response<Option<UiAccount>> = response?;
        Ok(response.value.and_then(|account| account.to_account()))
    }

    /// Returns the accounts at `addresses`, in their order; `None` for those that do not exist.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>, Error> {
        let commitment = self.rpc.commitment();
        let mut accounts = Vec::with_capacity(addresses.len());
        for batch in addresses.chunks(MAX_ACCOUNTS) {
            let found = self.rpc.get_multiple_accounts_with_commitment(batch, commitment).await;
            accounts.extend(found?.value);
        }
        Ok(accounts)
    }

    pub(super) async fn typed<T: AccountData>(
        &self,
        kind: &'static str,
        address: &Pubkey,
        program: &Pubkey,
    ) -> Result<T, Error> {
        let absent = || Error::NotFound { kind, address: *address };
        let account = self.account(address).await?.ok_or_else(absent)?;
        if account.owner != *program {
            return Err(absent());
        }
        T::from_account_data(&account.data).map_err(|_| absent())
    }

    pub(super) async fn program_accounts(
        &self,
        program: &Pubkey,
        discriminator: &[u8],
        fields: Vec<(usize, Vec<u8>)>,
    ) -> Result<Vec<(Pubkey, Account)>, Error> {
        let kind = (0, discriminator.to_vec());
        let filters = std::iter::once(kind)
            .chain(fields)
            .map(|(offset, bytes)| RpcFilterType::Memcmp(Memcmp::new_raw_bytes(offset, bytes)));
        let config = RpcProgramAccountsConfig {
            filters: Some(filters.collect()),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(self.rpc.commitment()),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let found = self.rpc.get_program_ui_accounts_with_config(program, config).await;
        let found = found?;
        let read = |(address, account): (Pubkey, UiAccount)| Some((address, account.to_account()?));
        Ok(found.into_iter().filter_map(read).collect())
    }
}
