use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, Landed};
use crate::{
    Error, earnings,
    licensing::{self, Dispute, OpenDisputeArgs, Verdict},
    pda,
};

impl Client {
    /// Claims somebody else's work, with the config's bond, which a claim that is rejected or
    /// left undecided loses to the owner.
    ///
    /// In the same transaction the work's earnings are told, in every currency: what they earn
    /// from here on is what the verdict is about.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn open_dispute(
        &self,
        claimant: &Keypair,
        work: &Pubkey,
        args: OpenDisputeArgs,
    ) -> Result<Landed, Error> {
        let mut instructions = vec![licensing::open_dispute(&claimant.pubkey(), work, args)];
        let split_version = self.work(work).await?.split_version;
        for account in self.earnings_of(work).await? {
            let mint = account.earnings.mint;
            if account.earnings.split_version != split_version {
                instructions.push(earnings::apply_split(&claimant.pubkey(), work, &mint));
            }
            instructions.push(earnings::apply_dispute(work, &mint));
        }
        self.send(&instructions, claimant, &[]).await
    }

    /// Ends a dispute by the arbiter's verdict.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] where nothing is disputed.
    pub async fn decide_dispute(
        &self,
        arbiter: &Keypair,
        work: &Pubkey,
        verdict: Verdict,
    ) -> Result<Landed, Error> {
        let (owner, claimant) = self.parties(work).await?;
        let key = arbiter.pubkey();
        let instruction = licensing::decide_dispute(&key, work, &owner, &claimant, verdict);
        self.send(&[instruction], arbiter, &[]).await
    }

    /// Ends a dispute that nobody decided in time; anybody may.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] where nothing is disputed.
    pub async fn expire_dispute(&self, payer: &Keypair, work: &Pubkey) -> Result<Landed, Error> {
        let (owner, claimant) = self.parties(work).await?;
        let instruction = licensing::expire_dispute(work, &owner, &claimant);
        self.send(&[instruction], payer, &[]).await
    }

    /// The claim on a work.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nothing is disputed; [`Error::Transport`].
    pub async fn dispute(&self, work: &Pubkey) -> Result<Dispute, Error> {
        self.typed("dispute", &pda::dispute(work), &::licensing::ID).await
    }

    async fn parties(&self, work: &Pubkey) -> Result<(Pubkey, Pubkey), Error> {
        let claimant = self.dispute(work).await?.claimant;
        Ok((self.work(work).await?.owner, claimant))
    }
}
