use std::collections::BTreeSet;

use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent as create_tokens;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, Landed, packed};
use crate::{
    Error,
    channel::{self, AcceptArgs, Acceptance, Currency, OpenChannelArgs, Quota},
    earnings,
    licensing::Use,
    pda,
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
    /// returns the licence's index on the channel. `quota` counts where the terms have caps
    /// that licensees share. `approver` is the work's owner, where the terms ask for it.
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
            work: *work,
            terms_number: published.terms.number,
            approver: approver.map(|keypair| keypair.pubkey()),
            shared_caps: published.terms.offer.caps.shared(),
        };
        let args = AcceptArgs { licensed_use, max_price, terms_digest: published.digest, quota };
        let instruction = channel::accept(&payer.pubkey(), channel, &acceptance, args);
        let signers: Vec<_> = approver.into_iter().collect();
        let landed = self.send(&[instruction], payer, &signers).await?;
        let licences = self.channel(channel).await?.licences.len();
        let index = u16::try_from(licences.saturating_sub(1));
        let index = index.map_err(|_| Error::NotFound { kind: "licence", address: *channel })?;
        Ok((index, landed))
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

    /// Moves all new credit of a channel's licences into their works' earnings. Opens the
    /// earnings accounts that are missing, those of all ancestors too, so that their shares
    /// can be pulled. Moves nothing, and succeeds, when there is nothing new.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn collect(&self, fee_payer: &Keypair, channel: &Pubkey) -> Result<Collected, Error> {
        let account = self.channel(channel).await?;
        let mint = account.channel.mint;
        let (mut pending, mut amount) = (Vec::new(), 0_u64);
        for (index, licence) in (0_u16..).zip(&account.licences) {
            let new = licence.settled - licence.collected; // the program keeps it so
            if new > 0 {
                pending.push((index, licence.work));
                amount += new; // at most the channel's deposit
            }
        }
        let works = pending.iter().map(|(_, work)| *work).collect();
        let mut instructions = self.open_missing_earnings(fee_payer, works, &mint).await?;
        // 25 licences, each with an account of its own, fit one packet with room to spare.
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
        let owed = earnings.parents.iter().filter(|part| {
            licensing::bps::floor_share(earnings.earned, part.share_bps) > part.taken
        });
        let parents: Vec<_> = owed.map(|part| part.work).collect();
        let mut instructions = self.open_missing_earnings(fee_payer, parents.clone(), mint).await?;
        instructions.extend(parents.iter().map(|parent| earnings::pull(child, parent, mint)));
        self.send_packed(instructions, fee_payer).await
    }

    /// Pays a recipient all it is owed of a work's earnings, to its associated token account,
    /// which is created if it is missing; returns base units. Anyone may pay the fee.
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
        let taken = || async {
            let earnings = self.earnings(work, &currency.mint).await?;
            let address = pda::earnings(work, &currency.mint);
            let earnings = earnings.ok_or(Error::NotFound { kind: "earnings", address })?;
            let mut parts = earnings.recipients.iter();
            let part = parts.find(|part| part.recipient == *recipient);
            Ok::<_, Error>(part.map_or(0, |part| part.taken))
        };
        let before = taken().await?;
        let funder = fee_payer.pubkey();
        let instructions = [
            create_tokens(&funder, recipient, &currency.mint, &currency.token_program),
            earnings::claim(work, recipient, currency),
        ];
        let landed = self.send(&instructions, fee_payer, &[]).await?;
        Ok((taken().await? - before, landed))
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
