use std::collections::BTreeSet;

use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent as create_tokens;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, Landed, PACKET_BYTES, PublishedTerms, packed, packing::transaction_bytes};
use crate::{
    Error,
    channel::{
        self, AcceptTermsArgs, Acceptance, Currency, OpenChannelArgs, Quota, ReceiptsCommitment,
        StatementBuffer,
    },
    earnings::{self, EarningsAccount},
    licensing::{Purpose, Use, WorkStatus},
    pda,
    voucher::{SignedVoucher, Voucher},
};

/// What was moved from a channel into earnings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Base units.
    pub amount: u64,
    /// The transactions it took, those that opened earnings accounts included.
    pub landed: Vec<Landed>,
}

impl Client {
    /// Opens a channel, deposits, and returns its address.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn open_channel(
        &self,
        payer: &Keypair,
        operator: &Pubkey,
        currency: &Currency,
        args: OpenChannelArgs,
    ) -> Result<(Pubkey, Landed), Error> {
        let address = pda::channel(&payer.pubkey(), operator, &currency.mint, args.salt);
        let instruction = channel::open(&payer.pubkey(), operator, currency, args);
        let landed = self.send(&[instruction], payer, &[]).await?;
        Ok((address, landed))
    }

    /// Adds `amount` base units to a channel's deposit.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn top_up(
        &self,
        payer: &Keypair,
        channel: &Pubkey,
        amount: u64,
    ) -> Result<Landed, Error> {
        let currency = self.channel_currency(channel).await?;
        let instruction = channel::top_up(&payer.pubkey(), channel, &currency, amount);
        self.send(&[instruction], payer, &[]).await
    }

    /// Accepts a use of a work's latest terms at no more than `max_price` base units a unit;
    /// returns the license's index on the channel. `quota` counts where the terms have caps
    /// that licensees share. `approver` is the work's owner, where the terms ask for it; what it
    /// granted before is found without it.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    #[expect(clippy::too_many_arguments, reason = "each is one decision of the payer's")]
    pub async fn accept(
        &self,
        payer: &Keypair,
        channel: &Pubkey,
        work: &Pubkey,
        licensed_use: Use,
        max_price: u64,
        quota: Quota,
        approver: Option<&Keypair>,
    ) -> Result<(u16, Landed), Error> {
        let published = self.latest_terms(work).await?;
        let acceptance = Acceptance {
            approver: approver.map(|keypair| keypair.pubkey()),
            approval: self.is_approved(&published, &payer.pubkey()).await?,
            ..Acceptance::of(&published.terms)
        };
        let args =
            AcceptTermsArgs { licensed_use, max_price, terms_digest: published.digest, quota };
        let instruction = channel::accept(&payer.pubkey(), channel, &acceptance, args);
        let signers: Vec<_> = approver.into_iter().collect();
        let landed = self.send(&[instruction], payer, &signers).await?;
        let licenses = self.channel(channel).await?.licenses.len();
        let index = u16::try_from(licenses.saturating_sub(1));
        let index = index.map_err(|_| Error::NotFound { kind: "license", address: *channel })?;
        Ok((index, landed))
    }

    /// Settles a voucher and its statement, through a statement_buffer account where the statement is
    /// larger than a packet.
    ///
    /// # Errors
    /// As [`Client::send`]; transactions before the one that failed have landed. Repeating the
    /// call is safe: a statement settles once, and its parts are written over.
    pub async fn settle(
        &self,
        settler: &Keypair,
        voucher: &SignedVoucher,
        statement: Vec<u8>,
        receipts: Option<ReceiptsCommitment>,
    ) -> Result<Vec<Landed>, Error> {
        let (owner, channel) = (settler.pubkey(), voucher.voucher.channel);
        let direct = channel::settle(&owner, voucher, statement.clone(), receipts);
        if transaction_bytes(&direct, &owner) <= PACKET_BYTES {
            return Ok(vec![self.send(&direct, settler, &[]).await?]);
        }
        let mut parts = channel::stage(&owner, &channel, &statement);
        let present = self.account(&pda::statement_buffer(&channel, &owner)).await?;
        if let Some(present) = present.filter(|account| account.owner == payments::ID) {
            parts.remove(0); // it exists: what it holds is written over
            if present.data.len() > StatementBuffer::space(statement.len()) {
                let close_statement_buffer = channel::close_statement_buffer(&owner, &channel);
                self.send(&[close_statement_buffer], settler, &[]).await?;
                parts = channel::stage(&owner, &channel, &statement);
            }
        }
        let mut landed = self.send_packed(parts, settler).await?;
        let settle = channel::settle_buffered(&owner, voucher, receipts);
        landed.push(self.send(&settle, settler, &[]).await?);
        Ok(landed)
    }

    /// Settles what `voucher` says, with the voucher key's signature of the transaction in place
    /// of its own. Without a proof in it, a packet has room for 140 licenses instead of 100; a
    /// statement that is still too large is refused by the cluster.
    ///
    /// # Errors
    /// As [`Client::send`]. Repeating the call is safe: a statement settles once.
    pub async fn settle_cosigned(
        &self,
        settler: &Keypair,
        voucher_key: &Keypair,
        voucher: &Voucher,
        statement: Vec<u8>,
        receipts: Option<ReceiptsCommitment>,
    ) -> Result<Landed, Error> {
        let (owner, key) = (settler.pubkey(), voucher_key.pubkey());
        let settle = channel::settle_cosigned(&owner, &key, voucher, statement, receipts);
        self.send(&[settle], settler, &[voucher_key]).await
    }

    /// Puts another voucher key in place: after the grace period, or at once where the operator
    /// signs too.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn rotate_voucher_key(
        &self,
        payer: &Keypair,
        operator: Option<&Keypair>,
        channel: &Pubkey,
        new_key: Pubkey,
    ) -> Result<Landed, Error> {
        let agreed = operator.map(|operator| operator.pubkey());
        let rotate = channel::rotate_voucher_key(&payer.pubkey(), agreed, channel, new_key);
        let signers: Vec<_> = operator.into_iter().collect();
        self.send(&[rotate], payer, &signers).await
    }

    /// Ends the channel's licenses of withdrawn works when their notice is over.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn apply_withdrawals(
        &self,
        fee_payer: &Keypair,
        channel: &Pubkey,
    ) -> Result<Vec<Landed>, Error> {
        let account = self.channel(channel).await?;
        let mut ending = Vec::new();
        for (index, license) in (0_u16..).zip(&account.licenses) {
            let work = self.work(&license.work).await?.head();
            let ends_at = work.license_end(license.expires_at, license.notice_seconds);
            if ends_at != license.expires_at {
                ending.push((index, license.work));
            }
        }
        let batches = ending.chunks(25).map(|batch| channel::apply_withdrawal(channel, batch));
        self.send_packed(batches.collect(), fee_payer).await
    }

    /// Gives back what a license of the channel has left of shared caps.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn release_quota(
        &self,
        caller: &Keypair,
        channel: &Pubkey,
        index: u16,
    ) -> Result<Landed, Error> {
        let account = self.channel(channel).await?;
        let license = account.licenses.get(usize::from(index));
        let license = license.ok_or(Error::NotFound { kind: "license", address: *channel })?;
        let (work, number) = (&license.work, license.terms_number);
        let close = channel::release_quota(&caller.pubkey(), channel, index, work, number);
        self.send(&[close], caller, &[]).await
    }

    /// Removes a channel from which nobody can take anything any more; its rent goes to the
    /// payer. Receipts are no longer proved by it.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn close_channel(&self, payer: &Keypair, channel: &Pubkey) -> Result<Landed, Error> {
        let close = channel::close(&payer.pubkey(), channel);
        self.send(&[close], payer, &[]).await
    }

    /// Starts a channel's grace period (the payer), or closes it at once (the operator).
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn start_closing(&self, caller: &Keypair, channel: &Pubkey) -> Result<Landed, Error> {
        let instruction = channel::start_closing(&caller.pubkey(), channel);
        self.send(&[instruction], caller, &[]).await
    }

    /// Takes back what a closed channel never charged, to the payer's associated token
    /// account; returns base units.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn withdraw(
        &self,
        payer: &Keypair,
        channel: &Pubkey,
    ) -> Result<(u64, Landed), Error> {
        let currency = self.channel_currency(channel).await?;
        let owner = payer.pubkey();
        let instructions = [
            create_tokens(&owner, &owner, &currency.mint, &currency.token_program),
            channel::withdraw(&owner, channel, &currency),
        ];
        let landed = self.send(&instructions, payer, &[]).await?;
        Ok((self.channel(channel).await?.channel.refunded, landed))
    }

    /// Moves all new credit of a channel's licenses into their works' earnings. Opens the
    /// earnings accounts that are missing, those of all ancestors too, so that their shares
    /// can be pulled. Moves nothing, and succeeds, when there is nothing new.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn collect(&self, fee_payer: &Keypair, channel: &Pubkey) -> Result<Collected, Error> {
        let account = self.channel(channel).await?;
        let mint = account.channel.mint;
        let (mut pending, mut amount) = (Vec::new(), 0_u64);
        for (index, license) in (0_u16..).zip(&account.licenses) {
            let new = license.settled - license.collected; // the program keeps it so
            if new > 0 {
                pending.push((index, license.work));
                amount += new; // at most the channel's deposit
            }
        }
        let works = pending.iter().map(|(_, work)| *work).collect();
        let mut instructions = self.open_missing_earnings(fee_payer, works, &mint).await?;
        // 25 licenses, each with an account of its own, fit one packet with room to spare.
        let batches = pending.chunks(25);
        instructions.extend(batches.map(|batch| channel::collect(channel, &mint, batch)));
        let landed = self.send_packed(instructions, fee_payer).await?;
        Ok(Collected { amount, landed })
    }

    /// Moves every parent's share of what `child` has earned into the parents' earnings.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn pull(
        &self,
        fee_payer: &Keypair,
        child: &Pubkey,
        mint: &Pubkey,
    ) -> Result<Vec<Landed>, Error> {
        let Some(earnings) = self.earnings(child, mint).await? else { return Ok(Vec::new()) };
        let owed = earnings.parents.iter().enumerate();
        let owed = owed.filter(|(at, part)| earnings.parent_entitled(*at) > part.taken);
        let parents: Vec<_> = owed.map(|(_, part)| part.key).collect();
        let mut instructions = self.open_missing_earnings(fee_payer, parents.clone(), mint).await?;
        instructions.extend(parents.iter().map(|parent| earnings::pull(child, parent, mint)));
        self.send_packed(instructions, fee_payer).await
    }

    /// Pays a recipient all it is owed of a work's earnings, to its associated token account,
    /// which is created if it is missing; returns base units. Anyone may pay the fee. Earnings
    /// whose work has another split by now are brought to it first.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] where the work has no earnings.
    pub async fn claim(
        &self,
        fee_payer: &Keypair,
        work: &Pubkey,
        recipient: &Pubkey,
        currency: &Currency,
    ) -> Result<(u64, Landed), Error> {
        let before = self.opened_earnings(work, &currency.mint).await?;
        let taken = |earnings: &EarningsAccount| {
            let position = earnings.position(recipient);
            position.map_or(0, |position| earnings.recipients[position].taken)
        };
        let funder = fee_payer.pubkey();
        let mut instructions = self.missing_split(&before, &funder, work, currency).await?;
        instructions.push(create_tokens(
            &funder,
            recipient,
            &currency.mint,
            &currency.token_program,
        ));
        instructions.push(earnings::claim(work, recipient, currency));
        let landed = self.send(&instructions, fee_payer, &[]).await?;
        let after = self.opened_earnings(work, &currency.mint).await?;
        Ok((taken(&after).saturating_sub(taken(&before)), landed))
    }

    /// Pays everybody who is owed anything of a work's earnings, former recipients too, in as
    /// few transactions as packets allow; returns who got how many base units. Token accounts
    /// that are missing are created. Whoever cannot be paid now keeps what it is owed, and
    /// stops nobody else.
    ///
    /// # Errors
    /// As [`Client::send`] for bringing earnings to the work's present split;
    /// [`Error::NotFound`] where the work has no earnings; [`Error::Unconfirmed`] and
    /// [`Error::Transport`] at any time, with transactions before that one landed.
    pub async fn claim_all(
        &self,
        fee_payer: &Keypair,
        work: &Pubkey,
        currency: &Currency,
    ) -> Result<(Vec<(Pubkey, u64)>, Vec<Landed>), Error> {
        let funder = fee_payer.pubkey();
        let before = self.opened_earnings(work, &currency.mint).await?;
        let split = self.missing_split(&before, &funder, work, currency).await?;
        let mut landed = self.send_packed(split, fee_payer).await?;
        let before = self.opened_earnings(work, &currency.mint).await?;
        let head = self.work(work).await?.head();
        let mut owed = Vec::new();
        for (position, part) in before.recipients.iter().enumerate() {
            if before.claimable(position, &head) > 0 {
                let at = before.parents.len() + position; // below `Earnings::MAX_PARTS`
                owed.push((at as u8, part.key));
            }
        }
        let mut missing = Vec::new();
        for (_, recipient) in &owed {
            if self.account(&currency.tokens(recipient)).await?.is_none() {
                let (mint, program) = (&currency.mint, &currency.token_program);
                missing.push(create_tokens(&funder, recipient, mint, program));
            }
        }
        landed.extend(self.send_packed(missing, fee_payer).await?);
        for batch in owed.chunks(earnings::CLAIM_BATCH) {
            match self.send(&[earnings::claim_batch(work, batch, currency)], fee_payer, &[]).await {
                Ok(all) => landed.push(all),
                Err(Error::Rejected(_)) => {
                    for one in batch {
                        let claim = earnings::claim_batch(work, &[*one], currency);
                        match self.send(&[claim], fee_payer, &[]).await {
                            Ok(one) => landed.push(one),
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
        Ok((paid.collect(), landed))
    }

    /// Opens the account that takes plain transfers for a work; `None` when there is one
    /// already.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn open_till(
        &self,
        funder: &Keypair,
        work: &Pubkey,
        currency: &Currency,
    ) -> Result<Option<Landed>, Error> {
        let till = self.account(&pda::till(work, &currency.mint)).await?;
        if till.is_some_and(|account| !account.data.is_empty()) {
            return Ok(None);
        }
        let open = earnings::open_till(&funder.pubkey(), work, currency);
        self.send(&[open], funder, &[]).await.map(Some)
    }

    /// Pays base units into a work's till, from the payer's associated token account.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] where the mint is none, or the till is not open.
    pub async fn pay_till(
        &self,
        payer: &Keypair,
        work: &Pubkey,
        currency: &Currency,
        amount: u64,
    ) -> Result<Landed, Error> {
        self.till(work, &currency.mint).await?;
        let decimals = self.decimals(&currency.mint).await?;
        let pay = earnings::pay_till(&payer.pubkey(), work, currency, decimals, amount);
        self.send(&[pay], payer, &[]).await
    }

    /// Moves what a work's till holds into its earnings, which are opened if they are missing.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn sweep_till(
        &self,
        fee_payer: &Keypair,
        work: &Pubkey,
        currency: &Currency,
    ) -> Result<Vec<Landed>, Error> {
        let mint = &currency.mint;
        let mut instructions = self.open_missing_earnings(fee_payer, vec![*work], mint).await?;
        instructions.push(earnings::sweep_till(work, currency));
        self.send_packed(instructions, fee_payer).await
    }

    /// Pays the operator the fees settled so far; returns base units.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn claim_fees(
        &self,
        operator: &Keypair,
        channel: &Pubkey,
    ) -> Result<(u64, Landed), Error> {
        let currency = self.channel_currency(channel).await?;
        let before = self.channel(channel).await?.channel.fees_claimed;
        let owner = operator.pubkey();
        let instructions = [
            create_tokens(&owner, &owner, &currency.mint, &currency.token_program),
            channel::claim_fees(&owner, channel, &currency),
        ];
        let landed = self.send(&instructions, operator, &[]).await?;
        Ok((self.channel(channel).await?.channel.fees_claimed - before, landed))
    }

    /// Sends instructions in as few transactions as packets allow, one after the other.
    ///
    /// # Errors
    /// As [`Client::send`]; transactions before the one that failed have landed.
    pub async fn send_packed(
        &self,
        instructions: Vec<Instruction>,
        fee_payer: &Keypair,
    ) -> Result<Vec<Landed>, Error> {
        let mut landed = Vec::new();
        for packet in packed(instructions, &fee_payer.pubkey()) {
            landed.push(self.send(&packet, fee_payer, &[]).await?);
        }
        Ok(landed)
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

    /// What brings earnings to their work's present split, and tells them of its dispute, where
    /// they are behind.
    async fn missing_split(
        &self,
        earnings: &EarningsAccount,
        funder: &Pubkey,
        work: &Pubkey,
        currency: &Currency,
    ) -> Result<Vec<Instruction>, Error> {
        let present = self.work(work).await?;
        let mut missing = Vec::new();
        let told = earnings.earnings.dispute == present.disputes;
        if earnings.earnings.split_version != present.split_version {
            missing.push(earnings::apply_split(funder, work, &currency.mint));
        }
        if present.status == WorkStatus::Disputed && !told {
            missing.push(earnings::apply_dispute(work, &currency.mint));
        }
        Ok(missing)
    }

    /// Whether the owner of the terms' work has granted `payer` an approval that still holds.
    async fn is_approved(&self, terms: &PublishedTerms, payer: &Pubkey) -> Result<bool, Error> {
        if !terms.terms.offer.approval_required {
            return Ok(false);
        }
        let purpose = Purpose::License;
        let approval = self.approval(&terms.address, payer, purpose).await?;
        let Some(approval) = approval else { return Ok(false) };
        let owner = self.work(&terms.terms.work).await?.owner;
        Ok(approval.holds(&terms.address, payer, purpose, &owner))
    }

    async fn channel_currency(&self, channel: &Pubkey) -> Result<Currency, Error> {
        let mint = self.channel(channel).await?.channel.mint;
        self.currency(&mint).await
    }

    /// Instructions that open the earnings of these works and all their ancestors, where
    /// there are none.
    async fn open_missing_earnings(
        &self,
        funder: &Keypair,
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
