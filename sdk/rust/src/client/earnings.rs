use std::collections::BTreeSet;

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{Client, ConfirmedTransaction, DynSigner, packed};
use crate::{
    Error,
    channel::{self, Currency},
    earnings::{self, EarningsAccount},
    licensing::WorkStatus,
    pda,
};

/// Result of [`Client::collect`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Base units moved from the channel to earnings.
    pub amount: u64,
    /// Transactions, including those that opened earnings accounts.
    pub transactions: Vec<ConfirmedTransaction>,
}

/// Claim of one recipient's earnings: see [`Client::claim`].
#[must_use = "nothing is sent before `send`"]
pub struct Claim<'a> {
    client: &'a Client,
    work: Pubkey,
    recipient: Pubkey,
    currency: Currency,
}

/// Recipients of one claim whose transaction has room for a compute budget.
const PRICED_CLAIM_BATCH: usize = earnings::CLAIM_BATCH - 1;

impl Client {
    /// Moves all new credit of a channel's licenses into their works' earnings.
    ///
    /// Opens missing earnings accounts of the works and all their ancestors, so that their shares
    /// can be pulled. Succeeds with an amount of 0 if there is no new credit.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn collect(
        &self,
        fee_payer: &DynSigner,
        channel: &Pubkey,
    ) -> Result<Collected, Error> {
        let account = self.channel(channel).await?;
        let mint = account.channel.mint;
        let (mut pending, mut amount) = (Vec::new(), 0_u64);
        for (index, license) in (0_u16..).zip(&account.licenses) {
            // The program keeps both in order; a node may answer anything.
            let new = license.settled.saturating_sub(license.collected);
            if new > 0 {
                pending.push((index, license.work));
                amount = amount.saturating_add(new); // at most the channel's deposit
            }
        }
        let works = pending.iter().map(|(_, work)| *work).collect();
        let mut instructions = self.open_missing_earnings(fee_payer, works, &mint).await?;
        // 25 licenses, each with an account of its own, fit one packet with room to spare.
        let batches = pending.chunks(25);
        instructions.extend(batches.map(|batch| channel::collect(channel, &mint, batch)));
        let transactions = self.send_packed(instructions, fee_payer).await?;
        Ok(Collected { amount, transactions })
    }

    /// Moves the parents' shares of `child`'s earnings into the parents' earnings. While `child` is
    /// disputed, what it earns later waits for the verdict.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn pull(
        &self,
        fee_payer: &DynSigner,
        child: &Pubkey,
        mint: &Pubkey,
    ) -> Result<Vec<ConfirmedTransaction>, Error> {
        let Some(before) = self.earnings(child, mint).await? else { return Ok(Vec::new()) };
        if before.parents.is_empty() {
            return Ok(Vec::new());
        }
        let split = self.missing_split(&before, &fee_payer.pubkey(), child, mint).await?;
        let mut confirmed = self.send_packed(split, fee_payer).await?;
        let earnings = self.opened_earnings(child, mint).await?;
        let head = self.work(child).await?.head();
        let owed = earnings.parents.iter().enumerate();
        let owed = owed.filter(|(at, _)| earnings.pullable(*at, &head) > 0);
        let parents: Vec<_> = owed.map(|(_, part)| part.key).collect();
        let mut instructions = self.open_missing_earnings(fee_payer, parents.clone(), mint).await?;
        instructions.extend(parents.iter().map(|parent| earnings::pull(child, parent, mint)));
        confirmed.extend(self.send_packed(instructions, fee_payer).await?);
        Ok(confirmed)
    }

    /// Pays a recipient its share of a work's earnings, to its associated token account, which is
    /// created if it does not exist. Earnings with an earlier split are brought to the present
    /// split first.
    pub fn claim(&self, work: &Pubkey, recipient: &Pubkey, currency: &Currency) -> Claim<'_> {
        Claim { client: self, work: *work, recipient: *recipient, currency: *currency }
    }

    /// Pays all present and former recipients their shares of a work's earnings; returns the base
    /// units that each received.
    ///
    /// Batches claims into as few transactions as fit, and creates missing token accounts. A
    /// recipient that cannot be paid, or cannot sign and is not allowed by
    /// [`Client::allow_unsignable`], keeps its claim and does not block the others.
    ///
    /// # Errors
    /// As [`Client::send`] for bringing earnings to the work's present split;
    /// [`Error::NotFound`] if the work has no earnings; [`Error::Unconfirmed`] and
    /// [`Error::Transport`] at any time, with earlier transactions confirmed.
    pub async fn claim_all(
        &self,
        fee_payer: &DynSigner,
        work: &Pubkey,
        currency: &Currency,
    ) -> Result<(Vec<(Pubkey, u64)>, Vec<ConfirmedTransaction>), Error> {
        let funder = fee_payer.pubkey();
        let before = self.opened_earnings(work, &currency.mint).await?;
        let split = self.missing_split(&before, &funder, work, &currency.mint).await?;
        let mut confirmed = self.send_packed(split, fee_payer).await?;
        let before = self.opened_earnings(work, &currency.mint).await?;
        let head = self.work(work).await?.head();
        let mut owed = Vec::new();
        for (position, part) in before.recipients.iter().enumerate() {
            if before.claimable(position, &head) > 0 {
                let at = before.parents.len() + position; // below `Earnings::MAX_PARTS`
                owed.push((at as u8, part.key));
            }
        }
        let keys: Vec<_> = owed.iter().map(|(_, key)| *key).collect();
        let unsignable = self.unsignable(&keys).await?;
        owed.retain(|(_, key)| unsignable.iter().all(|(other, _)| other != key));
        let mut missing = Vec::new();
        for (_, recipient) in &owed {
            if self.account(&currency.tokens(recipient)).await?.is_none() {
                missing.push(currency.create_tokens(&funder, recipient));
            }
        }
        match self.send_packed(missing.clone(), fee_payer).await {
            Err(Error::Rejected(_)) => {
                // One account that cannot be created must not keep the others from existing.
                for one in missing {
                    match self.send(&[one], fee_payer, &[]).await {
                        Err(Error::Rejected(_)) => {}
                        created => confirmed.push(created?),
                    }
                }
            }
            created => confirmed.extend(created?),
        }
        for batch in owed.chunks(PRICED_CLAIM_BATCH) {
            match self.send(&[earnings::claim_batch(work, batch, currency)], fee_payer, &[]).await {
                Ok(all) => confirmed.push(all),
                Err(Error::Rejected(_)) => {
                    for one in batch {
                        let claim = earnings::claim_batch(work, &[*one], currency);
                        match self.send(&[claim], fee_payer, &[]).await {
                            Ok(one) => confirmed.push(one),
                            Err(Error::Rejected(_)) => {}
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let after = self.opened_earnings(work, &currency.mint).await?;
        let paid = before.recipients.iter().filter_map(|part| {
            let now = &after.recipients[after.position(&part.key)?];
            let amount = now.taken.saturating_sub(part.taken);
            (amount > 0).then_some((part.key, amount))
        });
        Ok((paid.collect(), confirmed))
    }

    /// Sends instructions one after the other, in as few transactions as fit.
    ///
    /// # Errors
    /// As [`Client::send`]; earlier transactions are confirmed.
    pub async fn send_packed(
        &self,
        instructions: Vec<Instruction>,
        fee_payer: &DynSigner,
    ) -> Result<Vec<ConfirmedTransaction>, Error> {
        let mut confirmed = Vec::new();
        for packet in packed(instructions, &fee_payer.pubkey()) {
            confirmed.push(self.send(&packet, fee_payer, &[]).await?);
        }
        Ok(confirmed)
    }

    async fn opened_earnings(
        &self,
        work: &Pubkey,
        mint: &Pubkey,
    ) -> Result<EarningsAccount, Error> {
        let address = pda::earnings(work, mint);
        let earnings = self.earnings(work, mint).await?;
        earnings.ok_or(Error::NotFound { kind: "earnings", address })
    }

    /// Returns instructions that bring earnings to their work's present split and dispute.
    async fn missing_split(
        &self,
        earnings: &EarningsAccount,
        funder: &Pubkey,
        work: &Pubkey,
        mint: &Pubkey,
    ) -> Result<Vec<Instruction>, Error> {
        let present = self.work(work).await?;
        let mut missing = Vec::new();
        let told = earnings.earnings.dispute == present.disputes;
        if earnings.earnings.split_version != present.split_version {
            missing.push(earnings::apply_split(funder, work, mint));
        }
        if present.status == WorkStatus::Disputed && !told {
            missing.push(earnings::apply_dispute(work, mint));
        }
        Ok(missing)
    }

    /// Returns instructions that open missing earnings of the works and all their ancestors.
    pub(super) async fn open_missing_earnings(
        &self,
        funder: &DynSigner,
        works: Vec<Pubkey>,
        mint: &Pubkey,
    ) -> Result<Vec<Instruction>, Error> {
        let mut missing = Vec::new();
        let mut seen = BTreeSet::new();
        let mut ahead = works;
        while let Some(address) = ahead.pop() {
            if !seen.insert(address) {
                continue;
            }
            ahead.extend(self.work(&address).await?.parents.iter().map(|parent| parent.work));
            if self.earnings(&address, mint).await?.is_none() {
                missing.push(earnings::open(&funder.pubkey(), &address, mint));
            }
        }
        Ok(missing)
    }
}

impl Claim<'_> {
    /// Pays the recipient; returns base units. Any signer may pay the fee.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if the work has no earnings; [`Error::Unsignable`]
    /// if the recipient cannot sign.
    pub async fn send(self, fee_payer: &DynSigner) -> Result<(u64, ConfirmedTransaction), Error> {
        let Self { client, work, recipient, currency } = self;
        client.check_signable(&[recipient]).await?;
        let before = client.opened_earnings(&work, &currency.mint).await?;
        let taken = |earnings: &EarningsAccount| {
            let position = earnings.position(&recipient);
            position.map_or(0, |position| earnings.recipients[position].taken)
        };
        let funder = fee_payer.pubkey();
        let mut instructions =
            client.missing_split(&before, &funder, &work, &currency.mint).await?;
        instructions.push(currency.create_tokens(&funder, &recipient));
        instructions.push(earnings::claim(&work, &recipient, &currency));
        let confirmed = client.send(&instructions, fee_payer, &[]).await?;
        let after = client.opened_earnings(&work, &currency.mint).await?;
        Ok((taken(&after).saturating_sub(taken(&before)), confirmed))
    }
}
