use motif_interface::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM, acceptance::MEMO_PROGRAM};
use solana_message::VersionedMessage;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_transaction_status_client_types::UiTransactionEncoding;

use super::{Client, PublishedTerms};
use crate::{
    Error,
    acceptance::{SaleAcceptance, terms_digest},
    channel::{Currency, Use},
    licensing::WorkStatus,
    pda,
    till::{self, TillShares},
};

/// A payment to a till, and what it bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Shares of the till that was paid.
    pub shares: TillShares,
    /// Numbers of the works' terms, in the order of the shares.
    pub terms_numbers: Vec<u32>,
    /// What the payment's memo commits to.
    pub acceptance: SaleAcceptance,
    /// Signature of the payment's transaction.
    pub signature: Signature,
}

/// Facts of a sale that the chain proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedSale {
    /// Owner of the tokens; it signed the transaction.
    pub buyer: Pubkey,
    /// Base units paid to the till, at least the acceptance's amount.
    pub paid: u64,
    /// Time of the payment, unix seconds.
    pub paid_at: i64,
    /// Slot of the payment.
    pub slot: u64,
}

/// Error returned when a sale cannot be made or does not verify.
#[derive(Debug, thiserror::Error)]
pub enum SaleError {
    /// The cluster cannot be read, or an account does not exist.
    #[error(transparent)]
    Client(#[from] Error),
    /// A work's terms do not sell this use to any payer.
    #[error("{work} is not sold this way: {reason}")]
    NotSold {
        /// The work.
        work: Pubkey,
        /// What prevents it.
        reason: &'static str,
    },
    /// The price exceeds 2^64 - 1 base units.
    #[error("the price is too large")]
    PriceOverflow,
    /// The transaction failed, has no time, or cannot be read.
    #[error("the payment {signature} is not a confirmed transaction")]
    NotConfirmed {
        /// Signature of the transaction.
        signature: Signature,
    },
    /// The acceptance is for another till, cluster or operator than the sale.
    #[error("the acceptance is for another {0}")]
    OtherAcceptance(&'static str),
    /// The transaction has no memo of this acceptance, or more than one memo.
    #[error("the payment's memo does not commit to this acceptance")]
    MemoMismatch,
    /// The transaction pays the till too little.
    #[error("the till was paid {paid} base units: expected at least {expected}")]
    Unpaid {
        /// Base units that arrived.
        paid: u64,
        /// Base units of the acceptance.
        expected: u64,
    },
    /// The payment arrived after the acceptance had ended.
    #[error("the payment arrived after {0}, the acceptance's last second")]
    Late(i64),
    /// The terms differ from those that were accepted, or were outdated at the payment.
    #[error("the terms of {0} are not those of the acceptance, or were outdated")]
    TermsMismatch(Pubkey),
}

/// Payment that a transaction makes to a till.
struct Payment {
    buyer: Option<Pubkey>,
    paid: u64,
    memos: Vec<Vec<u8>>,
}

impl Client {
    /// Maximum time from the end of a version of terms to a payment for it, seconds.
    pub const SALE_SECONDS: i64 = 120;

    /// Prepares the acceptance of a sale: `units` of a use of each work of the till, by the works'
    /// latest terms, for the least amount that pays for them, within [`Client::SALE_SECONDS`].
    /// Returns it with the numbers of the terms.
    ///
    /// # Errors
    /// [`SaleError::NotSold`], [`SaleError::PriceOverflow`], [`SaleError::Client`].
    pub async fn prepare_sale(
        &self,
        shares: &TillShares,
        mint: &Pubkey,
        (licensed_use, units): (Use, u32),
        request_digest: [u8; 32],
        nonce: u64,
    ) -> Result<(SaleAcceptance, Vec<u32>), SaleError> {
        let now = self.now().await?;
        let (mut terms, mut amount) = (Vec::with_capacity(shares.works.len()), 0);
        for share in &shares.works {
            let work = self.work(&share.work).await?;
            let refuse = |reason| SaleError::NotSold { work: share.work, reason };
            if work.status != WorkStatus::Active {
                return Err(refuse("it is withdrawn or disputed"));
            }
            if work.consent.is_some_and(|consent| !consent.valid_at(now)) {
                return Err(refuse("its consent has ended"));
            }
            let published = self.latest_terms(&share.work).await?;
            let price = sold(&published, shares, mint, licensed_use, units, now);
            let price = u128::from(price.map_err(refuse)?) * u128::from(units);
            let least = (price * u128::from(shares.total_parts())).div_ceil(share.parts.into());
            let least = u64::try_from(least).map_err(|_| SaleError::PriceOverflow)?;
            amount = amount.max(least);
            terms.push((published.terms.number, published.digest));
        }
        let (terms_number, digest) = accepted_terms(&terms);
        let acceptance = SaleAcceptance {
            cluster: self.config().await?.cluster,
            till: pda::till(shares, mint),
            subject: shares.subject(),
            mint: *mint,
            terms_number,
            terms_digest: digest,
            licensed_use,
            units,
            amount,
            request_digest,
            operator: shares.operator,
            not_after: now.saturating_add(Self::SALE_SECONDS),
            nonce,
        };
        Ok((acceptance, terms.iter().map(|(number, _)| *number).collect()))
    }

    /// Verifies a sale from the chain alone: the transaction is confirmed and signed by the buyer,
    /// pays the till what the acceptance states, in time, and commits to it; and the acceptance
    /// pays each work the price of the terms that it names.
    ///
    /// # Errors
    /// [`SaleError`] of the first rule that the sale violates.
    pub async fn verify_sale(&self, sale: &Sale) -> Result<VerifiedSale, SaleError> {
        let Sale { shares, terms_numbers, acceptance, signature } = sale;
        let mint = &acceptance.mint;
        let other = |what| Err(SaleError::OtherAcceptance(what));
        if shares.check().is_err() || acceptance.till != pda::till(shares, mint) {
            return other("till");
        }
        if acceptance.subject != shares.subject() {
            return other("work");
        }
        if acceptance.operator != shares.operator {
            return other("operator");
        }
        if acceptance.cluster != self.config().await?.cluster {
            return other("cluster");
        }
        let currency = self.currency(mint).await?;
        let (payment, paid_at, slot) = self.payment(signature, shares, &currency).await?;
        let [memo] = payment.memos.as_slice() else { return Err(SaleError::MemoMismatch) };
        if *memo != acceptance.memo().into_bytes() {
            return Err(SaleError::MemoMismatch);
        }
        let (paid, expected) = (payment.paid, acceptance.amount);
        let Some(buyer) = payment.buyer.filter(|_| paid >= expected) else {
            return Err(SaleError::Unpaid { paid, expected });
        };
        if paid_at > acceptance.not_after {
            return Err(SaleError::Late(acceptance.not_after));
        }
        self.verify_terms(shares, terms_numbers, acceptance, paid_at).await?;
        Ok(VerifiedSale { buyer, paid, paid_at, slot })
    }

    /// Reads a confirmed transaction; returns its payment to the till, its time and its slot.
    async fn payment(
        &self,
        signature: &Signature,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<(Payment, i64, u64), SaleError> {
        let unconfirmed = || SaleError::NotConfirmed { signature: *signature };
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(self.rpc.commitment()),
            max_supported_transaction_version: Some(1),
        };
        // Confirmed first: a missing transaction is a transport error of the next request.
        if self.confirmed(signature).await?.is_none() {
            return Err(unconfirmed());
        }
        let found = self.rpc.get_transaction_with_config(signature, config).await;
        let found = found.map_err(Error::from)?;
        let succeeded = found.transaction.meta.is_some_and(|meta| meta.err.is_none());
        let paid_at = found.block_time.filter(|_| succeeded).ok_or_else(unconfirmed)?;
        let transaction = found.transaction.transaction.decode().ok_or_else(unconfirmed)?;
        if transaction.signatures.first() != Some(signature) {
            return Err(unconfirmed());
        }
        Ok((Payment::read(&transaction.message, shares, currency), paid_at, found.slot))
    }

    async fn verify_terms(
        &self,
        shares: &TillShares,
        terms_numbers: &[u32],
        acceptance: &SaleAcceptance,
        paid_at: i64,
    ) -> Result<(), SaleError> {
        if terms_numbers.len() != shares.works.len() {
            return Err(SaleError::OtherAcceptance("list of terms"));
        }
        let mut terms = Vec::with_capacity(terms_numbers.len());
        for (share, &number) in shares.works.iter().zip(terms_numbers) {
            let work = share.work;
            let refuse = |reason| SaleError::NotSold { work, reason };
            let published = self.terms(&work, number).await?;
            let (mint, used) = (&acceptance.mint, acceptance.licensed_use);
            let price = sold(&published, shares, mint, used, acceptance.units, paid_at);
            let price = u128::from(price.map_err(refuse)?) * u128::from(acceptance.units);
            if u128::from(shares.part_of(acceptance.amount, share.parts)) < price {
                return Err(refuse("the acceptance pays less than its price"));
            }
            match self.terms(&work, number.saturating_add(1)).await {
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
                Ok(later) => {
                    let outdated_at = later.terms.published_at.saturating_add(Self::SALE_SECONDS);
                    if paid_at > outdated_at {
                        return Err(SaleError::TermsMismatch(work));
                    }
                }
            }
            terms.push((number, published.digest));
        }
        let accepted = (acceptance.terms_number, acceptance.terms_digest);
        if accepted == accepted_terms(&terms) {
            Ok(())
        } else {
            Err(SaleError::TermsMismatch(shares.works[0].work)) // shares have a work
        }
    }
}

impl Payment {
    /// Reads the top-level transfers to the till and the memos. Accounts of lookup tables are
    /// ignored: a payment that uses them pays nothing here.
    fn read(message: &VersionedMessage, shares: &TillShares, currency: &Currency) -> Self {
        const TRANSFER_CHECKED: u8 = 12;
        let keys = message.static_account_keys();
        let tokens = till::tokens(shares, currency);
        let mut payment = Self { buyer: None, paid: 0, memos: Vec::new() };
        for instruction in message.instructions() {
            let program = keys.get(usize::from(instruction.program_id_index));
            if program == Some(&MEMO_PROGRAM) {
                payment.memos.push(instruction.data.clone());
            }
            let transfers = program == Some(&currency.token_program)
                && [TOKEN_PROGRAM, TOKEN_2022_PROGRAM].contains(&currency.token_program);
            let Some(([TRANSFER_CHECKED], rest)) = instruction.data.split_first_chunk() else {
                continue;
            };
            let account = |position: usize| {
                let index = usize::from(*instruction.accounts.get(position)?);
                keys.get(index).map(|key| (*key, index))
            };
            let to_till = account(1).is_some_and(|(key, _)| key == currency.mint)
                && account(2).is_some_and(|(key, _)| key == tokens);
            let (Some((owner, index)), Some(amount)) = (account(3), rest.first_chunk()) else {
                continue;
            };
            if transfers && to_till && message.is_signer(index) {
                payment.buyer = Some(owner);
                let amount = u64::from_le_bytes(*amount);
                payment.paid = payment.paid.saturating_add(amount);
            }
        }
        payment
    }
}

/// Returns the price of one unit if the terms sell units of a use to any payer of the till at
/// `now`, or what prevents it.
fn sold(
    published: &PublishedTerms,
    shares: &TillShares,
    mint: &Pubkey,
    licensed_use: Use,
    units: u32,
    now: i64,
) -> Result<u64, &'static str> {
    let (terms, offer) = (&published.terms, &published.terms.offer);
    let units = u64::from(units);
    let above = |cap: Option<u64>| cap.is_some_and(|cap| units > cap);
    let caps = [offer.caps.daily_units, offer.caps.licensee_units, offer.caps.total_units];
    let price = terms.price_of(licensed_use).map(|price| price.price);
    let rules = [
        (terms.currency == *mint, "its terms are in another currency"),
        (terms.valid_at(now), "its terms are not valid now"),
        (!offer.approval_required, "its terms need an approval"),
        (offer.upfront_fee == 0, "its terms have an upfront fee"),
        (offer.allows_operator(&shares.operator), "its terms name other operators"),
        (units > 0 && !caps.into_iter().any(above), "its terms cap the units"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, reason)) => Err(*reason),
        None => price.ok_or("its terms do not license this use"),
    }
}

/// Returns what an acceptance names of terms: number and digest of one, 0 and the digest of all.
fn accepted_terms(terms: &[(u32, [u8; 32])]) -> (u32, [u8; 32]) {
    match terms {
        [sole] => *sole,
        several => (0, terms_digest(several)),
    }
}
