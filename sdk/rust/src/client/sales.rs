use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_transaction_status_client_types::{
    UiTransactionEncoding, option_serializer::OptionSerializer,
};

use super::{
    Client, SaleError,
    sale_rules::{sale_amount, sale_obstacle, sale_price},
    till_payment::TillPayment,
};
use crate::{
    Error,
    acceptance::{SaleAcceptance, terms_digest},
    channel::{Currency, Use},
    licensing::{Work, WorkStatus},
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSale {
    /// Account that transferred the tokens: their owner or its delegate. It signed.
    pub buyer: Pubkey,
    /// Base units paid to the till, at least the acceptance's amount.
    pub paid: u64,
    /// Time of the payment, unix seconds.
    pub paid_at: i64,
    /// Slot of the payment.
    pub slot: u64,
    /// Present titles of the works, as their owners state them, in the order of the shares.
    pub titles: Vec<String>,
}

impl Client {
    /// Maximum time from the end of a version of terms to a payment for it, seconds.
    pub const SALE_SECONDS: i64 = 120;

    /// Prepares the acceptance of a sale: `units` of a use of each work of the till, by the works'
    /// latest terms, for the least amount that pays for them, within [`Client::SALE_SECONDS`].
    /// Returns it with the numbers of the terms.
    ///
    /// # Errors
    /// [`SaleError::NotSold`], [`SaleError::PriceOverflow`], [`SaleError::UnregisteredOperator`],
    /// [`SaleError::Client`].
    pub async fn prepare_sale(
        &self,
        shares: &TillShares,
        mint: &Pubkey,
        (licensed_use, units): (Use, u32),
        request_digest: [u8; 32],
        nonce: u64,
    ) -> Result<(SaleAcceptance, Vec<u32>), SaleError> {
        self.check_operator(shares).await?;
        let now = self.now().await?;
        let (mut terms, mut amount) = (Vec::with_capacity(shares.works.len()), 0);
        for share in &shares.works {
            let refuse = |reason| SaleError::NotSold { work: share.work, reason };
            let latest = self.work_sold_at(&share.work, now).await?.latest_terms;
            let published = self.terms(&share.work, latest).await?;
            let price = sale_price(&published, shares, mint, licensed_use, units, now);
            let price = price.map_err(refuse)?;
            let least = sale_amount(shares, share.parts, price, units);
            amount = amount.max(least.ok_or(SaleError::PriceOverflow)?);
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
    /// pays the till what the acceptance states, in time, and commits to it; the acceptance pays
    /// each work the price of the terms that it names; and at the payment these were the latest,
    /// or replaced within [`Client::SALE_SECONDS`], and the work was offered.
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
        self.check_operator(shares).await?;
        let currency = self.currency(mint).await?;
        let (payment, paid_at, slot) = self.payment(signature, shares, &currency).await?;
        let (buyer, paid) = payment.check(acceptance)?;
        if paid_at > acceptance.not_after {
            return Err(SaleError::Late(acceptance.not_after));
        }
        let titles = self.verify_terms(shares, terms_numbers, acceptance, paid_at).await?;
        Ok(VerifiedSale { buyer, paid, paid_at, slot, titles })
    }

    /// Reads a confirmed transaction; returns its payment to the till, its time and its slot.
    async fn payment(
        &self,
        signature: &Signature,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<(TillPayment, i64, u64), SaleError> {
        let unconfirmed = || SaleError::NotConfirmed { signature: *signature };
        let commitment = self.rpc.commitment();
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(commitment),
            max_supported_transaction_version: Some(1),
        };
        // Status first: a missing transaction is a transport error of the next request.
        let statuses = self.rpc.get_signature_statuses_with_history(&[*signature]).await;
        let statuses = statuses.map_err(Error::from)?.value;
        let status = statuses.into_iter().next().flatten().ok_or_else(unconfirmed)?;
        if status.err.is_some() || !status.satisfies_commitment(commitment) {
            return Err(unconfirmed());
        }
        let found = self.rpc.get_transaction_with_config(signature, config).await;
        let found = found.map_err(Error::from)?;
        let meta = found.transaction.meta.filter(|meta| meta.err.is_none());
        let meta = meta.ok_or_else(unconfirmed)?;
        let paid_at = found.block_time.ok_or_else(unconfirmed)?;
        let transaction = found.transaction.transaction.decode().ok_or_else(unconfirmed)?;
        if transaction.signatures.first() != Some(signature) {
            return Err(unconfirmed());
        }
        let mut loaded = Vec::new();
        if let OptionSerializer::Some(addresses) = meta.loaded_addresses {
            for address in addresses.writable.iter().chain(&addresses.readonly) {
                loaded.push(address.parse().map_err(|_| unconfirmed())?);
            }
        }
        let tokens = till::tokens(shares, currency);
        let payment = TillPayment::read(&transaction.message, &loaded, &tokens, currency);
        Ok((payment, paid_at, found.slot))
    }

    /// Checks the terms of every work at the payment; returns the works' titles.
    async fn verify_terms(
        &self,
        shares: &TillShares,
        terms_numbers: &[u32],
        acceptance: &SaleAcceptance,
        paid_at: i64,
    ) -> Result<Vec<String>, SaleError> {
        if terms_numbers.len() != shares.works.len() {
            return Err(SaleError::OtherAcceptance("list of terms"));
        }
        let (mut terms, mut titles) = (Vec::new(), Vec::new());
        for (share, &number) in shares.works.iter().zip(terms_numbers) {
            let work = share.work;
            let refuse = |reason| SaleError::NotSold { work, reason };
            let published = self.terms(&work, number).await?;
            let (mint, used) = (&acceptance.mint, acceptance.licensed_use);
            let price = sale_price(&published, shares, mint, used, acceptance.units, paid_at);
            let price = u128::from(price.map_err(refuse)?) * u128::from(acceptance.units);
            if u128::from(shares.part_of(acceptance.amount, share.parts)) < price {
                return Err(refuse("the acceptance pays less than its price"));
            }
            // Read after the version, so its latest terms are at least that.
            let account = self.work_sold_at(&work, paid_at).await?;
            if number < account.latest_terms {
                self.verify_replaced(&work, number, paid_at).await?;
            }
            terms.push((number, published.digest));
            titles.push(account.title);
        }
        let accepted = (acceptance.terms_number, acceptance.terms_digest);
        if accepted == accepted_terms(&terms) {
            Ok(titles)
        } else {
            Err(SaleError::TermsMismatch(shares.works[0].work)) // shares have a work
        }
    }

    /// Checks that a payment came within [`Client::SALE_SECONDS`] after the next version of the
    /// terms. Only an upheld dispute leaves a number without an account: the arbiter then voided
    /// the version before it, at a time that no account keeps.
    async fn verify_replaced(
        &self,
        work: &Pubkey,
        number: u32,
        paid_at: i64,
    ) -> Result<(), SaleError> {
        let later = match self.terms(work, number.saturating_add(1)).await {
            Err(Error::NotFound { .. }) => return Err(SaleError::VoidedTerms(*work)),
            later => later?.terms,
        };
        if paid_at > later.published_at.saturating_add(Self::SALE_SECONDS) {
            return Err(SaleError::TermsMismatch(*work));
        }
        Ok(())
    }

    /// Returns a work that was neither withdrawn nor disputed at `time`, and had its consent, as
    /// far as accounts state it.
    async fn work_sold_at(&self, address: &Pubkey, time: i64) -> Result<Work, SaleError> {
        let work = self.work(address).await?;
        let mut dispute = None;
        if work.status == WorkStatus::Disputed {
            dispute = match self.dispute(address).await {
                Err(Error::NotFound { .. }) => None, // it has just ended
                found => Some(found?),
            };
        }
        match sale_obstacle(&work, dispute.as_ref(), time) {
            Some(reason) => Err(SaleError::NotSold { work: *address, reason }),
            None => Ok(work),
        }
    }

    /// Checks that the till's operator, if it has one, is registered: otherwise the till cannot be
    /// opened.
    async fn check_operator(&self, shares: &TillShares) -> Result<(), SaleError> {
        if shares.operator_parts == 0 {
            return Ok(());
        }
        match self.operator(&shares.operator).await {
            Err(Error::NotFound { .. }) => Err(SaleError::UnregisteredOperator(shares.operator)),
            found => Ok(found.map(|_| ())?),
        }
    }
}

/// Returns what an acceptance names of terms: number and digest of one, 0 and the digest of all.
fn accepted_terms(terms: &[(u32, [u8; 32])]) -> (u32, [u8; 32]) {
    match terms {
        [sole] => *sole,
        several => (0, terms_digest(several)),
    }
}
