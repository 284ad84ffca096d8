use anchor_lang::{AccountDeserialize, Discriminator};
use anchor_spl::token_interface::{Mint, TokenAccount};
use licensing::{Config, Terms, Work, WorkKind, WorkStatus};
use payments::Channel;
use solana_account::Account;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
};

use super::{Client, landing::transport};
use crate::{
    Error,
    channel::{ChannelAccount, Currency},
    earnings::EarningsAccount,
    licensing::terms_digest,
    pda,
};

/// Where a work's account says what it is, and whether it offers anything: see
/// [`licensing::WorkHead`].
const KIND_OFFSET: usize = 10;
const STATUS_OFFSET: usize = 11;
/// The most accounts a node gives at once.
const ACCOUNTS_AT_ONCE: usize = 100;

/// Which works to list; every given field must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkFilter {
    /// Who registered it.
    pub creator: Option<Pubkey>,
    /// Who owns it now.
    pub owner: Option<Pubkey>,
    /// SHA-256 of its content.
    pub content_digest: Option<[u8; 32]>,
    /// What it is.
    pub kind: Option<WorkKind>,
    /// Whether it takes new licenses and derivatives.
    pub status: Option<WorkStatus>,
}

/// Terms as read from the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedTerms {
    /// Where they are.
    pub address: Pubkey,
    /// What they say.
    pub terms: Terms,
    /// What an acceptance must name, so that it accepts exactly these.
    pub digest: [u8; 32],
}

impl Client {
    /// The deployment's config.
    ///
    /// # Errors
    /// [`Error::NotFound`] before it was initialised; [`Error::Transport`].
    pub async fn config(&self) -> Result<Config, Error> {
        self.typed("config", &pda::config(), &licensing::ID).await
    }

    /// A mint with the token program that owns it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no account; [`Error::Transport`].
    pub async fn currency(&self, mint: &Pubkey) -> Result<Currency, Error> {
        let account = self.account(mint).await?;
        let account = account.ok_or(Error::NotFound { kind: "mint", address: *mint })?;
        Ok(Currency { mint: *mint, token_program: account.owner })
    }

    /// How many decimals a mint's tokens have.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no mint; [`Error::Transport`].
    pub async fn decimals(&self, mint: &Pubkey) -> Result<u8, Error> {
        let missing = || Error::NotFound { kind: "mint", address: *mint };
        let account = self.account(mint).await?.ok_or_else(missing)?;
        let read = Mint::try_deserialize(&mut &account.data[..]);
        read.map(|mint| mint.decimals).map_err(|_| missing())
    }

    /// A registered work.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Transport`].
    pub async fn work(&self, address: &Pubkey) -> Result<Work, Error> {
        self.typed("work", address, &licensing::ID).await
    }

    /// All works that match, earliest registration first.
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
        let accounts = self.program_accounts(&licensing::ID, Work::DISCRIMINATOR, fields).await?;
        let read = |(address, account): (Pubkey, Account)| {
            Some((address, Work::try_deserialize(&mut &account.data[..]).ok()?))
        };
        let mut works: Vec<_> = accounts.into_iter().filter_map(read).collect();
        works.sort_by_key(|(address, work)| (work.registered_at, *address));
        Ok(works)
    }

    /// One version of a work's terms.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Transport`].
    pub async fn terms(&self, work: &Pubkey, number: u32) -> Result<PublishedTerms, Error> {
        let address = pda::terms(work, number);
        let absent = || Error::NotFound { kind: "terms", address };
        let account = self.account(&address).await?.ok_or_else(absent)?;
        let terms = Terms::try_deserialize(&mut &account.data[..]).map_err(|_| absent())?;
        Ok(PublishedTerms { address, terms, digest: terms_digest(&account.data) })
    }

    /// The terms a work can be licensed under now.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such work, or it has published none;
    /// [`Error::Transport`].
    pub async fn latest_terms(&self, work: &Pubkey) -> Result<PublishedTerms, Error> {
        let number = self.work(work).await?.latest_terms;
        self.terms(work, number).await
    }

    /// A channel with its licenses.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Transport`].
    pub async fn channel(&self, address: &Pubkey) -> Result<ChannelAccount, Error> {
        let absent = || Error::NotFound { kind: "channel", address: *address };
        let account = self.account(address).await?.ok_or_else(absent)?;
        let ours = account.owner == payments::ID;
        let channel = ChannelAccount::from_bytes(&account.data).filter(|_| ours);
        channel.ok_or_else(absent)
    }

    /// All channels of a payer, of an operator, of both, or of anybody.
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
        let accounts = self.program_accounts(&payments::ID, Channel::DISCRIMINATOR, fields).await?;
        let read = |(address, account): (Pubkey, Account)| {
            Some((address, ChannelAccount::from_bytes(&account.data)?))
        };
        Ok(accounts.into_iter().filter_map(read).collect())
    }

    /// What a work has earned in a mint; `None` before anything was collected for it.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn earnings(
        &self,
        work: &Pubkey,
        mint: &Pubkey,
    ) -> Result<Option<EarningsAccount>, Error> {
        let account = self.account(&pda::earnings(work, mint)).await?;
        let ours = account.filter(|account| account.owner == payments::ID);
        Ok(ours.and_then(|account| EarningsAccount::from_bytes(&account.data)))
    }

    /// Base units in the owner's associated token account; 0 when there is none.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn token_balance(&self, owner: &Pubkey, currency: &Currency) -> Result<u64, Error> {
        let account = self.account(&currency.tokens(owner)).await?;
        let tokens =
            account.and_then(|account| TokenAccount::try_deserialize(&mut &account.data[..]).ok());
        Ok(tokens.map_or(0, |tokens| tokens.amount))
    }

    /// The cluster's time, unix seconds.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn now(&self) -> Result<i64, Error> {
        let address = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
        let absent = || Error::Transport("the node knows no clock".into());
        let account = self.account(&address).await?.ok_or_else(absent)?;
        // The clock: slot, epoch start, epoch, next schedule epoch, then unix time; 8 bytes each.
        let time = account.data.get(32..40).and_then(|bytes| bytes.try_into().ok());
        Ok(i64::from_le_bytes(time.ok_or_else(absent)?))
    }

    /// Any account; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn account(&self, address: &Pubkey) -> Result<Option<Account>, Error> {
        let commitment = self.rpc.commitment();
        let response = self.rpc.get_account_with_commitment(address, commitment).await;
        Ok(response.map_err(|error| transport(&error))?.value)
    }

    /// The accounts at these addresses, in their order; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>, Error> {
        let commitment = self.rpc.commitment();
        let mut accounts = Vec::with_capacity(addresses.len());
        for batch in addresses.chunks(ACCOUNTS_AT_ONCE) {
            let found = self.rpc.get_multiple_accounts_with_commitment(batch, commitment).await;
            accounts.extend(found.map_err(|error| transport(&error))?.value);
        }
        Ok(accounts)
    }

    pub(super) async fn typed<T: AccountDeserialize>(
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
        T::try_deserialize(&mut &account.data[..]).map_err(|_| absent())
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
        let found = found.map_err(|error| transport(&error))?;
        let read = |(address, account): (Pubkey, UiAccount)| Some((address, account.to_account()?));
        Ok(found.into_iter().filter_map(read).collect())
    }
}
