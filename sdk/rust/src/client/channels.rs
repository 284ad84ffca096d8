use solana_pubkey::Pubkey;

use super::{
    Client, ComputeBudget, ConfirmedTransaction, DynSigner, PACKET_BYTES, PublishedTerms,
    batch::transaction_bytes,
};
use crate::{
    Error, Refusal,
    channel::{
        self, AcceptTermsArgs, Acceptance, Cosigners, Currency, License, OpenChannelArgs, Quota,
        ReceiptsCommitment, StatementBuffer,
    },
    licensing::{Purpose, Use},
    pda,
    voucher::{SignedVoucher, Voucher},
};

/// Opening of a channel: see [`Client::open_channel`].
#[must_use = "nothing is sent before `send`"]
pub struct OpenChannel<'a> {
    client: &'a Client,
    operator: Pubkey,
    currency: Currency,
    args: OpenChannelArgs,
}

/// Acceptance of a work's latest terms: see [`Client::accept_terms`].
#[must_use = "nothing is sent before `send`"]
pub struct AcceptTerms<'a> {
    client: &'a Client,
    channel: Pubkey,
    work: Pubkey,
    licensed_use: Use,
    max_price: u64,
    max_upfront_fee: u64,
    quota: Quota,
    min_expires_at: Option<i64>,
    approver: Option<&'a DynSigner>,
}

/// Settlement of a statement: see [`Client::settle`].
#[must_use = "nothing is sent before `send`"]
pub struct Settle<'a> {
    client: &'a Client,
    voucher: SignedVoucher,
    statement: Vec<u8>,
    receipts: Option<ReceiptsCommitment>,
}

/// Settlement cosigned by the voucher key: see [`Client::settle_cosigned`].
#[must_use = "nothing is sent before `send`"]
pub struct SettleCosigned<'a> {
    client: &'a Client,
    voucher_key: &'a DynSigner,
    voucher: Voucher,
    statement: Vec<u8>,
    receipts: Option<ReceiptsCommitment>,
}

/// Rotation of a channel's voucher key: see [`Client::rotate_voucher_key`].
#[must_use = "nothing is sent before `send`"]
pub struct RotateVoucherKey<'a> {
    client: &'a Client,
    channel: Pubkey,
    new_key: Pubkey,
    operator: Option<&'a DynSigner>,
    watcher: Option<&'a DynSigner>,
}

/// Request to close a channel: see [`Client::request_close`].
#[must_use = "nothing is sent before `send`"]
pub struct RequestClose<'a> {
    client: &'a Client,
    channel: Pubkey,
    cosigner: Option<&'a DynSigner>,
    watcher: Option<&'a DynSigner>,
}

impl Client {
    /// Opens a channel with a registered operator, named by its authority, and deposits into it.
    pub fn open_channel(
        &self,
        operator: &Pubkey,
        currency: &Currency,
        args: OpenChannelArgs,
    ) -> OpenChannel<'_> {
        OpenChannel { client: self, operator: *operator, currency: *currency, args }
    }

    /// Deposits another `amount` base units into a channel.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn top_up(
        &self,
        payer: &DynSigner,
        channel: &Pubkey,
        amount: u64,
    ) -> Result<ConfirmedTransaction, Error> {
        let currency = self.channel_currency(channel).await?;
        let instruction = channel::top_up(&payer.pubkey(), channel, &currency, amount);
        self.send(&[instruction], payer, &[]).await
    }

    /// Accepts a use of a work's latest terms, which adds a license to a channel.
    ///
    /// ```no_run
    /// # use motif_sdk::{Pubkey, client::{Client, DynSigner}, channel::Use};
    /// # async fn example(
    /// #     client: &Client, payer: &DynSigner, channel: Pubkey, work: Pubkey,
    /// # ) -> Result<(), motif_sdk::Error> {
    /// let (license, _) = client
    ///     .accept_terms(&channel, &work, Use::Generate)
    ///     .max_price(1_000) // base units a generation
    ///     .send(payer)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn accept_terms(
        &self,
        channel: &Pubkey,
        work: &Pubkey,
        licensed_use: Use,
    ) -> AcceptTerms<'_> {
        AcceptTerms {
            client: self,
            channel: *channel,
            work: *work,
            licensed_use,
            max_price: 0,
            max_upfront_fee: u64::MAX,
            quota: Quota::default(),
            min_expires_at: None,
            approver: None,
        }
    }

    /// Settles a statement with the newest voucher for it.
    ///
    /// A statement that does not fit a packet with its compute budget is written to a statement
    /// buffer first, in several transactions. Repeating a failed call is safe: a statement settles once.
    pub fn settle(&self, voucher: &SignedVoucher, statement: Vec<u8>) -> Settle<'_> {
        Settle { client: self, voucher: *voucher, statement, receipts: None }
    }

    /// Settles a statement in one transaction that the voucher key co-signs.
    ///
    /// Without a signed voucher in it, a packet has room for 140 licenses instead of 100. The
    /// cluster rejects a larger statement. Repeating a failed call is safe: a statement settles
    /// once.
    pub fn settle_cosigned<'a>(
        &'a self,
        voucher_key: &'a DynSigner,
        voucher: &Voucher,
        statement: Vec<u8>,
    ) -> SettleCosigned<'a> {
        SettleCosigned { client: self, voucher_key, voucher: *voucher, statement, receipts: None }
    }

    /// Replaces a channel's voucher key.
    pub fn rotate_voucher_key(&self, channel: &Pubkey, new_key: Pubkey) -> RotateVoucherKey<'_> {
        RotateVoucherKey { client: self, channel: *channel, new_key, operator: None, watcher: None }
    }

    /// Ends the channel's licenses of withdrawn works whose notice is over.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn apply_withdrawals(
        &self,
        fee_payer: &DynSigner,
        channel: &Pubkey,
    ) -> Result<Vec<ConfirmedTransaction>, Error> {
        let account = self.channel(channel).await?;
        let now = self.now().await?;
        let mut ending = Vec::new();
        for (index, license) in (0_u16..).zip(&account.licenses) {
            let work = self.work(&license.work).await?.head();
            let License { expires_at, terms_number, notice_seconds, .. } = *license;
            let notice_end = work.license_end(expires_at, terms_number, notice_seconds);
            let ends_at = account.channel.withdrawal_end(license.expires_at, notice_end, now);
            if ends_at != license.expires_at {
                ending.push((index, license.work));
            }
        }
        let batches = ending.chunks(25).map(|batch| channel::apply_withdrawal(channel, batch));
        self.send_packed(batches.collect(), fee_payer).await
    }

    /// Releases the unused quota of a license of the channel. The caller is any key once the license
    /// has expired or the channel has closed; before that payer or operator, with the other one as
    /// `cosigner`.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn release_quota(
        &self,
        caller: &DynSigner,
        cosigner: Option<&DynSigner>,
        channel: &Pubkey,
        index: u16,
    ) -> Result<ConfirmedTransaction, Error> {
        let account = self.channel(channel).await?;
        let license = account.licenses.get(usize::from(index));
        let license = license.ok_or(Error::NotFound { kind: "license", address: *channel })?;
        let (work, number) = (&license.work, license.terms_number);
        let party = cosigner.map(|cosigner| cosigner.pubkey());
        let release = channel::release_quota(&caller.pubkey(), party, channel, index, work, number);
        let signers: Vec<_> = cosigner.into_iter().collect();
        self.send(&[release], caller, &signers).await
    }

    /// Removes a channel whose balance is claimed and withdrawn; its rent goes to the payer.
    /// Receipts can no longer be proved against it.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn close_channel(
        &self,
        payer: &DynSigner,
        channel: &Pubkey,
    ) -> Result<ConfirmedTransaction, Error> {
        let close = channel::close(&payer.pubkey(), channel);
        self.send(&[close], payer, &[]).await
    }

    /// Starts a channel's grace period. The channel closes at once if the operator's authority signs
    /// and the payer signs too or has started the grace period before, with the watcher if there is
    /// one.
    pub fn request_close(&self, channel: &Pubkey) -> RequestClose<'_> {
        RequestClose { client: self, channel: *channel, cosigner: None, watcher: None }
    }

    /// Withdraws the rest of a closed channel's deposit to the payer's associated token account,
    /// after it has released the quotas of all licenses; returns base units.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn withdraw(
        &self,
        payer: &DynSigner,
        channel: &Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), Error> {
        let account = self.channel(channel).await?;
        let currency = self.currency(&account.channel.mint).await?;
        let owner = payer.pubkey();
        let held = (0_u16..).zip(&account.licenses).filter(|(_, license)| license.holds_quota == 1);
        let releases = held.map(|(index, license)| {
            let (work, number) = (&license.work, license.terms_number);
            channel::release_quota(&owner, None, channel, index, work, number)
        });
        self.send_packed(releases.collect(), payer).await?;
        let instructions =
            [currency.create_tokens(&owner, &owner), channel::withdraw(&owner, channel, &currency)];
        let confirmed = self.send(&instructions, payer, &[]).await?;
        Ok((self.channel(channel).await?.channel.refunded, confirmed))
    }

    /// Pays the fees settled so far to the associated token account of the operator's fee owner,
    /// which is created if it does not exist; returns base units. Any signer may pay for it.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn claim_fees(
        &self,
        fee_payer: &DynSigner,
        channel: &Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), Error> {
        let currency = self.channel_currency(channel).await?;
        let account = self.channel(channel).await?.channel;
        let (before, operator) = (account.fees_claimed, account.operator);
        let owner = self.operator(&operator).await?.fee_owner;
        let instructions = [
            currency.create_tokens(&fee_payer.pubkey(), &owner),
            channel::claim_fees(channel, &operator, &owner, &currency),
        ];
        let confirmed = self.send(&instructions, fee_payer, &[]).await?;
        let after = self.channel(channel).await?.channel.fees_claimed;
        Ok((after.saturating_sub(before), confirmed))
    }

    /// Whether the owner of the terms' work has granted `payer` an approval that is still valid.
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
}

impl OpenChannel<'_> {
    /// Opens the channel; returns its address.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send(self, payer: &DynSigner) -> Result<(Pubkey, ConfirmedTransaction), Error> {
        let Self { client, operator, currency, args } = self;
        let address = pda::channel(&payer.pubkey(), &operator, &currency.mint, args.salt);
        let instruction = channel::open(&payer.pubkey(), &operator, &currency, args);
        let confirmed = client.send(&[instruction], payer, &[]).await?;
        Ok((address, confirmed))
    }
}

impl<'a> AcceptTerms<'a> {
    /// Maximum price of one unit, base units. Default: 0, which accepts free uses only.
    pub fn max_price(self, max_price: u64) -> Self {
        Self { max_price, ..self }
    }

    /// Maximum upfront fee, base units. Default: no maximum.
    pub fn max_upfront_fee(self, max_upfront_fee: u64) -> Self {
        Self { max_upfront_fee, ..self }
    }

    /// Units and revenue to reserve of caps that licensees share. Default: none, which the program
    /// rejects if the terms have such caps.
    pub fn quota(self, quota: Quota) -> Self {
        Self { quota, ..self }
    }

    /// Earliest expiry of the license to accept, unix seconds. Default: the expiry that terms and
    /// consent give it when the client reads them.
    pub fn min_expires_at(self, min_expires_at: i64) -> Self {
        Self { min_expires_at: Some(min_expires_at), ..self }
    }

    /// Owner of the work, to sign the acceptance if the terms require approval. Default: an
    /// approval that the owner granted earlier is looked up.
    pub fn approver(self, approver: &'a DynSigner) -> Self {
        Self { approver: Some(approver), ..self }
    }

    /// Accepts the terms; returns the license's index on the channel. An upfront fee and the price
    /// of a quota are deposited from the payer's associated token account.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn send(self, payer: &DynSigner) -> Result<(u16, ConfirmedTransaction), Error> {
        let Self { client, channel, work, licensed_use, max_price, quota, .. } = self;
        let approver = self.approver;
        let published = client.latest_terms(&work).await?;
        let upfront_fee = published.terms.offer.upfront_fee;
        if upfront_fee > self.max_upfront_fee {
            let expected = self.max_upfront_fee;
            let what = format!("the upfront fee is {upfront_fee}: expected at most {expected}");
            return Err(Error::Rejected(Box::new(Refusal::local(what))));
        }
        let token_program = client.currency(&published.terms.currency).await?.token_program;
        let acceptance = Acceptance {
            approver: approver.map(|signer| signer.pubkey()),
            approval: client.is_approved(&published, &payer.pubkey()).await?,
            ..Acceptance::of(&published.terms, token_program)
        };
        let min_expires_at = match self.min_expires_at {
            Some(end) => end,
            None => {
                let consent = client.work(&work).await?.consent;
                published.terms.offer.license_end(consent.as_ref())
            }
        };
        let terms_digest = published.digest;
        let args = AcceptTermsArgs { licensed_use, max_price, terms_digest, quota, min_expires_at };
        let instruction = channel::accept_terms(&payer.pubkey(), &channel, &acceptance, args);
        let signers: Vec<_> = approver.into_iter().collect();
        let confirmed = client.send(&[instruction], payer, &signers).await?;
        let licenses = client.channel(&channel).await?.licenses.len();
        let index = u16::try_from(licenses.saturating_sub(1));
        let index = index.map_err(|_| Error::NotFound { kind: "license", address: channel })?;
        Ok((index, confirmed))
    }
}

impl Settle<'_> {
    /// Commitment to the statement's receipts, which only the operator's settle key can make. Default: none.
    pub fn receipts(self, receipts: impl Into<Option<ReceiptsCommitment>>) -> Self {
        Self { receipts: receipts.into(), ..self }
    }

    /// Settles the statement; returns the transactions, in order.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`]; earlier transactions are confirmed.
    pub async fn send(self, settler: &DynSigner) -> Result<Vec<ConfirmedTransaction>, Error> {
        let Self { client, voucher, statement, receipts } = self;
        let (owner, channel) = (settler.pubkey(), voucher.voucher.channel);
        let operator = client.channel(&channel).await?.channel.operator;
        let direct = channel::settle(&owner, &operator, &voucher, statement.clone(), receipts);
        if transaction_bytes(&direct, &owner) + ComputeBudget::BYTES <= PACKET_BYTES {
            return Ok(vec![client.send(&direct, settler, &[]).await?]);
        }
        let mut parts = channel::buffer_statement(&owner, &channel, &statement);
        let present = client.account(&pda::statement_buffer(&channel, &owner)).await?;
        if let Some(present) = present.filter(|account| account.owner == channel::PROGRAM_ID) {
            parts.remove(0); // the buffer exists and is overwritten
            if present.data.len() > StatementBuffer::space(statement.len()) {
                let close = channel::close_statement_buffer(&owner, &channel);
                client.send(&[close], settler, &[]).await?;
                parts = channel::buffer_statement(&owner, &channel, &statement);
            }
        }
        let mut confirmed = client.send_packed(parts, settler).await?;
        let settle = channel::settle_buffered(&owner, &operator, &voucher, receipts);
        confirmed.push(client.send(&settle, settler, &[]).await?);
        Ok(confirmed)
    }
}

impl SettleCosigned<'_> {
    /// Commitment to the statement's receipts, which only the operator's settle key can make. Default: none.
    pub fn receipts(self, receipts: impl Into<Option<ReceiptsCommitment>>) -> Self {
        Self { receipts: receipts.into(), ..self }
    }

    /// Settles the statement.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn send(self, settler: &DynSigner) -> Result<ConfirmedTransaction, Error> {
        let Self { client, voucher_key, voucher, statement, receipts } = self;
        let (owner, key) = (settler.pubkey(), voucher_key.pubkey());
        let operator = client.channel(&voucher.channel).await?.channel.operator;
        let settle =
            channel::settle_cosigned(&owner, &operator, &key, &voucher, statement, receipts);
        client.send(&[settle], settler, &[voucher_key]).await
    }
}

impl<'a> RotateVoucherKey<'a> {
    /// Authority of the channel's operator, to sign for a rotation that takes effect at once. Default: the
    /// rotation takes effect after the grace period.
    pub fn operator(self, operator: impl Into<Option<&'a DynSigner>>) -> Self {
        Self { operator: operator.into(), ..self }
    }

    /// Watcher of the channel, which a rotation at once needs too if there is one. Default: none.
    pub fn watcher(self, watcher: impl Into<Option<&'a DynSigner>>) -> Self {
        Self { watcher: watcher.into(), ..self }
    }

    /// Rotates the key.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send(self, payer: &DynSigner) -> Result<ConfirmedTransaction, Error> {
        let Self { client, channel, new_key, operator, watcher } = self;
        let agreed = cosigners(operator, watcher);
        let rotate = channel::rotate_voucher_key(&payer.pubkey(), &agreed, &channel, new_key);
        let signers: Vec<_> = operator.into_iter().chain(watcher).collect();
        client.send(&[rotate], payer, &signers).await
    }
}

impl<'a> RequestClose<'a> {
    /// The other one of payer and operator, to sign for closing at once. Default: none.
    pub fn cosigner(self, cosigner: impl Into<Option<&'a DynSigner>>) -> Self {
        Self { cosigner: cosigner.into(), ..self }
    }

    /// Watcher of the channel, which closing at once needs too if there is one. Default: none.
    pub fn watcher(self, watcher: impl Into<Option<&'a DynSigner>>) -> Self {
        Self { watcher: watcher.into(), ..self }
    }

    /// Requests the close. The caller is the payer or the operator.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send(self, caller: &DynSigner) -> Result<ConfirmedTransaction, Error> {
        let Self { client, channel, cosigner, watcher } = self;
        let agreed = cosigners(cosigner, watcher);
        let request = channel::request_close(&caller.pubkey(), &agreed, &channel);
        let signers: Vec<_> = cosigner.into_iter().chain(watcher).collect();
        client.send(&[request], caller, &signers).await
    }
}

fn cosigners(party: Option<&DynSigner>, watcher: Option<&DynSigner>) -> Cosigners {
    Cosigners {
        party: party.map(|signer| signer.pubkey()),
        watcher: watcher.map(|signer| signer.pubkey()),
    }
}
