use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, Landed, packed};
use crate::{
    Error,
    licensing::{self, Share, SplitChange},
    pda,
};

impl Client {
    /// Changes a work's split at once: proposes it, has everyone of `losers` approve it, and
    /// applies it; returns the transactions, in order.
    ///
    /// Where somebody who loses is not at hand, use [`Client::propose_split`] and let it sign
    /// [`Client::approve_split_change`] elsewhere.
    ///
    /// # Errors
    /// As [`Client::send`]. What landed before stays: the change can be finished or cancelled.
    pub async fn change_split(
        &self,
        owner: &Keypair,
        work: &Pubkey,
        split: &[Share],
        losers: &[&Keypair],
    ) -> Result<Vec<Landed>, Error> {
        let mut landed = self.propose_split(owner, work, split).await?;
        for loser in losers {
            landed.push(self.approve_split_change(loser, work, split).await?);
        }
        landed.push(self.apply_split_change(owner, work).await?);
        Ok(landed)
    }

    /// Proposes another split, in as many transactions as it needs.
    ///
    /// # Errors
    /// As [`Client::send`]. A part that is refused leaves a change that can be cancelled.
    pub async fn propose_split(
        &self,
        owner: &Keypair,
        work: &Pubkey,
        split: &[Share],
    ) -> Result<Vec<Landed>, Error> {
        let key = owner.pubkey();
        let mut landed = Vec::new();
        for packet in packed(licensing::stage_split(&key, work, split), &key) {
            landed.push(self.send(&packet, owner, &[]).await?);
        }
        Ok(landed)
    }

    /// Agrees to a proposed split, which must still be `split`.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn approve_split_change(
        &self,
        recipient: &Keypair,
        work: &Pubkey,
        split: &[Share],
    ) -> Result<Landed, Error> {
        let instruction = licensing::approve_split_change(&recipient.pubkey(), work, split);
        self.send(&[instruction], recipient, &[]).await
    }

    /// Makes the proposed split the work's; anybody may, once all who lose by it agree.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] where none is proposed.
    pub async fn apply_split_change(
        &self,
        payer: &Keypair,
        work: &Pubkey,
    ) -> Result<Landed, Error> {
        let proposer = self.split_change(work).await?.proposer;
        let instruction = licensing::apply_split_change(&payer.pubkey(), work, &proposer);
        self.send(&[instruction], payer, &[]).await
    }

    /// Takes the proposed split back.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] where none is proposed.
    pub async fn cancel_split_change(
        &self,
        owner: &Keypair,
        work: &Pubkey,
    ) -> Result<Landed, Error> {
        let proposer = self.split_change(work).await?.proposer;
        let instruction = licensing::cancel_split_change(&owner.pubkey(), work, &proposer);
        self.send(&[instruction], owner, &[]).await
    }

    /// The split proposed for a work.
    ///
    /// # Errors
    /// [`Error::NotFound`] where none is proposed; [`Error::Transport`].
    pub async fn split_change(&self, work: &Pubkey) -> Result<SplitChange, Error> {
        self.typed("split change", &pda::split_change(work), &::licensing::ID).await
    }
}
