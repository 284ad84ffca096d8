//! Unsigned transactions for Solana Actions: a wallet opens a link, shows what it would sign, and signs.

use std::collections::BTreeSet;

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
/// Number of channels whose credit one transaction collects; the others remain for the next one.
const MAX_COLLECTED: usize = 4;

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

/// Returns an unsigned transaction by which a wallet is paid its share of what a work has earned in one currency.
/// Credit that settled and is not collected yet is collected first.
///
/// # Errors
/// [`GatewayError::UnknownWork`], [`GatewayError::NothingToClaim`], [`GatewayError::ChainUnreachable`].
pub async fn claim(app: &App, wallet: &Pubkey, work: &Pubkey) -> Result<Vec<u8>, GatewayError> {
    let record = app.record.chain().await?;
    let account = record.work(work).ok_or(GatewayError::UnknownWork(*work))?;
    let is_recipient = account.split.iter().any(|share| share.recipient == *wallet);
    let uncollected = uncollected(&record, work);
    let mint = uncollected.first().filter(|_| is_recipient).map(|(_, mint, _)| *mint);
    let mint = mint.or_else(|| claimable(&record, wallet, work));
    let mint = mint.ok_or(GatewayError::NothingToClaim)?;
    let mut instructions = missing_earnings(&record, wallet, work, &mint);
    for (channel, _, licenses) in
        uncollected.iter().filter(|(_, of, _)| *of == mint).take(MAX_COLLECTED)
    {
        instructions.push(channel::collect(channel, &mint, licenses));
    }
    let earned = record.earnings_of(work).find(|earned| earned.earnings.mint == mint);
    if earned.is_some_and(|earned| earned.earnings.split_version != account.split_version) {
        instructions.push(earnings::apply_split(wallet, work, &mint));
    }
    let (currency, _) = currency(app, &mint).await?;
    instructions.push(currency.create_tokens(wallet, wallet));
    instructions.push(earnings::claim(work, wallet, &currency));
    unsigned(app, wallet, &instructions).await
}

/// Channel, mint, and the licenses of a work that settled for more than was collected.
type Uncollected = (Pubkey, Pubkey, Vec<(u16, Pubkey)>);

/// Returns the channels with credit of a work that is not collected.
fn uncollected(record: &ChainRecord, work: &Pubkey) -> Vec<Uncollected> {
    let of_channel = |(address, account): &(Pubkey, ChannelAccount)| {
        let licenses = (0_u16..).zip(&account.licenses);
        let owing = licenses
            .filter(|(_, license)| license.work == *work && license.settled > license.collected);
        let owing: Vec<_> = owing.map(|(index, license)| (index, license.work)).collect();
        (!owing.is_empty()).then_some((*address, account.channel.mint, owing))
    };
    record.channels.iter().filter_map(of_channel).collect()
}

/// Returns instructions that open the missing earnings of a work and its ancestors.
fn missing_earnings(
    record: &ChainRecord,
    funder: &Pubkey,
    work: &Pubkey,
    mint: &Pubkey,
) -> Vec<Instruction> {
    let (mut missing, mut seen, mut ahead) = (Vec::new(), BTreeSet::new(), vec![*work]);
    while let Some(address) = ahead.pop() {
        if !seen.insert(address) {
            continue;
        }
        let parents = record.work(&address).map(|account| account.parents.as_slice());
        ahead.extend(parents.unwrap_or_default().iter().map(|parent| parent.work));
        if !record.earnings_of(&address).any(|earned| earned.earnings.mint == *mint) {
            missing.push(earnings::open(funder, &address, mint));
        }
    }
    missing
}

/// Returns a mint of which a work owes a person something.
fn claimable(record: &ChainRecord, person: &Pubkey, work: &Pubkey) -> Option<Pubkey> {
    let head = record.work(work)?.head();
    let owed = record.earnings_of(work).find(|account| {
        let mut parts = account.recipients.iter().enumerate();
        parts.any(|(at, part)| part.key == *person && account.claimable(at, &head) > 0)
    });
    owed.map(|account| account.earnings.mint)
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
