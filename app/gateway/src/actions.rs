//! Unsigned transactions for Solana Actions: a wallet opens a link, shows what it would sign, and signs.

use motif_sdk::{
    Pubkey,
    channel::{
        self, AcceptTermsArgs, Acceptance, ChannelAccount, Currency, OpenChannelArgs, Quota, Use,
    },
    client::CatalogueEntry,
    earnings, pda,
    record::ChainRecord,
    terms::Amount,
};
use serde::{
    Deserialize,
    de::value::{self, StrDeserializer},
};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_message::Message;
use solana_transaction::Transaction;

use crate::{App, error::GatewayError, settlement::serialize};

/// Number of channels of one wallet that are looked for.
const MAX_SALTS: u64 = 16;
/// Number of currencies that one transaction claims; the others remain for the next one.
const MAX_CLAIMS: usize = 4;

/// License that a wallet opens a channel for.
#[derive(Clone, Copy, Debug)]
pub struct WantedLicense<'a> {
    /// The work.
    pub work: Pubkey,
    /// Use of the work.
    pub licensed_use: Use,
    /// First deposit, as a decimal in the currency of the terms or in base units with the suffix `u`.
    pub deposit: &'a str,
    /// Key that signs vouchers of a new channel.
    pub voucher_key: Option<Pubkey>,
}

/// Returns an unsigned transaction by which a wallet accepts a use of a work's latest terms. An open channel of
/// the wallet at this operator is topped up; a wallet without one opens it, for a voucher key.
///
/// # Errors
/// [`GatewayError::UnknownWork`], [`GatewayError::NoTerms`], [`GatewayError::UseNotLicensed`],
/// [`GatewayError::ApprovalRequired`], [`GatewayError::InvalidQuery`] for a deposit that is none or below the
/// operator's minimum, [`GatewayError::VoucherKeyRequired`], [`GatewayError::TooManyChannels`], [`GatewayError::ChainUnreachable`].
pub async fn license(
    app: &App,
    wallet: &Pubkey,
    wanted: WantedLicense<'_>,
) -> Result<Vec<u8>, GatewayError> {
    let WantedLicense { work, licensed_use, deposit, voucher_key } = wanted;
    let entry = app.catalogue.entry(&work).await?.ok_or(GatewayError::UnknownWork(work))?;
    let CatalogueEntry { work: account, terms: published, .. } = entry;
    let published = published.ok_or(GatewayError::NoTerms(work))?;
    let offer = &published.terms.offer;
    let priced = offer.uses.iter().find(|priced| priced.licensed_use == licensed_use);
    let not_licensed =
        || GatewayError::UseNotLicensed { work, licensed_use: licensed_use.to_string() };
    let priced = priced.ok_or_else(not_licensed)?;
    if offer.approval_required {
        return Err(GatewayError::ApprovalRequired(work));
    }
    let (currency, decimals) = currency(app, &published.terms.currency).await?;
    let deposit = base_units(deposit, decimals)?;
    let place = place(app, wallet, &currency.mint).await?;
    let least = match place {
        Place::Open(_) => 1,
        Place::Free(_) => app.config.min_deposit.max(1),
    };
    if deposit < least {
        let what = format!("`deposit` is {deposit} base units: expected at least {least}");
        return Err(GatewayError::InvalidQuery(what));
    }
    let operator = app.catalogue.operator().await?;
    let (address, funding) = match place {
        Place::Open(address) => (address, channel::top_up(wallet, &address, &currency, deposit)),
        Place::Free(salt) => {
            let voucher_key = voucher_key.ok_or(GatewayError::VoucherKeyRequired)?;
            let opening = OpenChannelArgs {
                salt,
                voucher_key,
                operator_fee_bps: operator.operator_fee_bps,
                grace_seconds: operator.min_grace_seconds,
                deposit,
                watcher: None,
            };
            let address = pda::channel(wallet, &operator.operator.0, &currency.mint, salt);
            (address, channel::open(wallet, &operator.operator.0, &currency, opening))
        }
    };
    let accepting = AcceptTermsArgs {
        licensed_use,
        max_price: priced.price,
        terms_digest: published.digest,
        quota: Quota::default(),
        min_expires_at: offer.license_end(account.consent.as_ref()),
    };
    let acceptance = Acceptance::of(&published.terms, currency.token_program);
    let instructions = [funding, channel::accept_terms(wallet, &address, &acceptance, accepting)];
    unsigned(app, wallet, &instructions).await
}

/// Returns an unsigned transaction by which a wallet collects its share of what a work has earned.
///
/// # Errors
/// [`GatewayError::UnknownWork`], [`GatewayError::NothingToClaim`], [`GatewayError::ChainUnreachable`].
pub async fn claim(app: &App, wallet: &Pubkey, work: &Pubkey) -> Result<Vec<u8>, GatewayError> {
    let record = app.record.chain().await?;
    let mut instructions = Vec::new();
    for mint in claimable(&record, wallet, work)?.into_iter().take(MAX_CLAIMS) {
        let (currency, _) = currency(app, &mint).await?;
        let version = record.work(work).map(|account| account.split_version);
        let account = record.earnings_of(work).find(|account| account.earnings.mint == mint);
        if account.map(|account| account.earnings.split_version) != version {
            instructions.push(earnings::apply_split(wallet, work, &mint));
        }
        instructions.push(currency.create_tokens(wallet, wallet));
        instructions.push(earnings::claim(work, wallet, &currency));
    }
    unsigned(app, wallet, &instructions).await
}

/// Returns the mints of which a work owes a person something.
fn claimable(
    record: &ChainRecord,
    person: &Pubkey,
    work: &Pubkey,
) -> Result<Vec<Pubkey>, GatewayError> {
    let head = record.work(work).ok_or(GatewayError::UnknownWork(*work))?.head();
    let owed = record.earnings_of(work).filter(|account| {
        let mut parts = account.recipients.iter().enumerate();
        parts.any(|(at, part)| part.key == *person && account.claimable(at, &head) > 0)
    });
    let owed: Vec<_> = owed.map(|account| account.earnings.mint).collect();
    if owed.is_empty() { Err(GatewayError::NothingToClaim) } else { Ok(owed) }
}

async fn currency(app: &App, mint: &Pubkey) -> Result<(Currency, u8), GatewayError> {
    let found = app.cluster.chain().currency(mint).await?;
    found.ok_or_else(|| GatewayError::InvalidQuery(format!("no mint is at {mint}")))
}

/// Reads an amount of a currency.
fn base_units(text: &str, decimals: u8) -> Result<u64, GatewayError> {
    let amount = Amount::deserialize(StrDeserializer::<value::Error>::new(text));
    let amount = amount.map_err(|error| error.to_string());
    let amount = amount
        .and_then(|amount| amount.base_units(Some(decimals)).map_err(|error| error.to_string()));
    amount.map_err(|what| GatewayError::InvalidQuery(format!("`deposit`: {what}")))
}

/// Where a wallet's license goes.
enum Place {
    /// Open channel.
    Open(Pubkey),
    /// Number of a channel to open.
    Free(u64),
}

/// Returns the first open channel of a wallet at this operator, or the first number without a channel.
async fn place(app: &App, wallet: &Pubkey, mint: &Pubkey) -> Result<Place, GatewayError> {
    let operator = app.config.operator;
    let addresses: Vec<_> =
        (0..MAX_SALTS).map(|salt| pda::channel(wallet, &operator, mint, salt)).collect();
    let (found, _) = app.cluster.chain().accounts(&addresses).await?;
    let is_open = |account: &Account| {
        let account = ChannelAccount::from_bytes(&account.data);
        account.is_some_and(|account| account.channel.closes_at == i64::MAX)
    };
    let mut all = addresses.iter().zip(&found);
    let open = all.find(|(_, account)| account.as_ref().is_some_and(is_open));
    if let Some((address, _)) = open {
        return Ok(Place::Open(*address));
    }
    let free = (0..).zip(&found).find(|(_, account)| account.is_none());
    free.map(|(salt, _)| Place::Free(salt)).ok_or(GatewayError::TooManyChannels(MAX_SALTS))
}

/// Returns the wire format of a transaction that `wallet` pays for, without its signature.
async fn unsigned(
    app: &App,
    wallet: &Pubkey,
    instructions: &[Instruction],
) -> Result<Vec<u8>, GatewayError> {
    let mut message = Message::new(instructions, Some(wallet));
    (message.recent_blockhash, _) = app.cluster.blockhash().await?;
    Ok(serialize(&Transaction::new_unsigned(message)))
}
