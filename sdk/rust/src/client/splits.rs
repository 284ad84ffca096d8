use solana_pubkey::Pubkey;

use super::{Client, ConfirmedTransaction, DynSigner, packed};
use crate::{
    Error,
    licensing::{self, Share, SplitChange},
    pda,
};

/// Change of a work's split: see [`Client::change_split`].
#[must_use = "nothing is sent before `send`"]
pub struct ChangeSplit<'a> {
    client: &'a Client,
    work: Pubkey,
    split: Vec<Share>,
    approvers: Vec<&'a DynSigner>,
}

impl Client {
    /// Changes a work's split: proposes it, approves it with all `approvers`, and applies it.
    ///
    /// If a recipient whose share falls signs elsewhere, use [`Client::propose_split`] and
    /// [`Client::approve_split_change`] instead.
    pub fn change_split(&self, work: &Pubkey, split: &[Share]) -> ChangeSplit<'_> {
        ChangeSplit { client: self, work: *work, split: split.to_vec(), approvers: Vec::new() }
    }

    /// Proposes a split, in as many transactions as it needs. `expires_at` is the last unix second
    /// in which it can be approved or applied.
    ///
    /// # Errors
    /// As [`Client::send`]. A failure leaves a proposal that can be cancelled.
    /// [`Error::Unsignable`] for a recipient that cannot sign; then nothing was sent.
    pub async fn propose_split(
        &self,
        owner: &DynSigner,
        work: &Pubkey,
        split: &[Share],
        expires_at: Option<i64>,
    ) -> Result<Vec<ConfirmedTransaction>, Error> {
        let key = owner.pubkey();
        self.check_recipients(split, &key).await?;
        let parts = licensing::propose_split_in_parts(&key, work, split, expires_at);
        let mut confirmed = Vec::new();
        for packet in packed(parts, &key) {
            confirmed.push(self.send(&packet, owner, &[]).await?);
        }
        Ok(confirmed)
    }

    /// Checks that all recipients but `signer`, which signs now, can sign or are allowed.
    pub(super) async fn check_recipients(
        &self,
        split: &[Share],
        signer: &Pubkey,
    ) -> Result<(), Error> {
        let others = split.iter().map(|share| share.recipient);
        let others: Vec<_> = others.filter(|recipient| recipient != signer).collect();
        self.check_signable(&others).await
    }

    /// Approves the proposed split if it is `split`.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn approve_split_change(
        &self,
        recipient: &DynSigner,
        work: &Pubkey,
        split: &[Share],
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::approve_split_change(&recipient.pubkey(), work, split);
        self.send(&[instruction], recipient, &[]).await
    }

    /// Removes a recipient's approval of the proposed split.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn revoke_split_approval(
        &self,
        recipient: &DynSigner,
        work: &Pubkey,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::revoke_split_approval(&recipient.pubkey(), work);
        self.send(&[instruction], recipient, &[]).await
    }

    /// Applies the proposed split. Any signer may, once all recipients whose share falls have
    /// approved it.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if no split is proposed.
    pub async fn apply_split_change(
        &self,
        payer: &DynSigner,
        work: &Pubkey,
    ) -> Result<ConfirmedTransaction, Error> {
        let proposer = self.split_change(work).await?.proposer;
        let instruction = licensing::apply_split_change(&payer.pubkey(), work, &proposer);
        self.send(&[instruction], payer, &[]).await
    }

    /// Cancels the proposed split.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if no split is proposed.
    pub async fn cancel_split_change(
        &self,
        owner: &DynSigner,
        work: &Pubkey,
    ) -> Result<ConfirmedTransaction, Error> {
        let proposer = self.split_change(work).await?.proposer;
        let instruction = licensing::cancel_split_change(&owner.pubkey(), work, &proposer);
        self.send(&[instruction], owner, &[]).await
    }

    /// Returns the split proposed for a work.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no split is proposed; [`Error::Transport`].
    pub async fn split_change(&self, work: &Pubkey) -> Result<SplitChange, Error> {
        self.typed("split change", &pda::split_change(work), &licensing::PROGRAM_ID).await
    }
}

impl<'a> ChangeSplit<'a> {
    /// Recipients whose share falls, to approve the change. Default: none.
    pub fn approvers(self, approvers: impl IntoIterator<Item = &'a DynSigner>) -> Self {
        Self { approvers: approvers.into_iter().collect(), ..self }
    }

    /// Changes the split; returns the transactions, in order.
    ///
    /// # Errors
    /// As [`Client::send`]; earlier transactions are confirmed, and the change can be finished or
    /// cancelled.
    pub async fn send(self, owner: &DynSigner) -> Result<Vec<ConfirmedTransaction>, Error> {
        let Self { client, work, split, approvers } = self;
        let mut confirmed = client.propose_split(owner, &work, &split, None).await?;
        for approver in approvers {
            confirmed.push(client.approve_split_change(approver, &work, &split).await?);
        }
        confirmed.push(client.apply_split_change(owner, &work).await?);
        Ok(confirmed)
    }
}
