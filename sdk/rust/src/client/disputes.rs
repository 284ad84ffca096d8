use solana_pubkey::Pubkey;

use super::{Client, ConfirmedTransaction, DynSigner};
use crate::{
    Error, earnings,
    licensing::{self, Dispute, OpenDisputeArgs, Verdict},
    pda,
};

impl Client {
    /// Disputes the ownership of a work. The claimant deposits the config's bond, which the owner
    /// receives if the claim is rejected or not decided in time.
    ///
    /// The same transaction marks the work's earnings in every currency: the verdict is about
    /// what they earn from then on.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn open_dispute(
        &self,
        claimant: &DynSigner,
        work: &Pubkey,
        args: OpenDisputeArgs,
    ) -> Result<ConfirmedTransaction, Error> {
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

    /// Decides a dispute: up to and including its deadline, and if the claim is upheld no earlier
    /// than [`Dispute::HEARING_SECONDS`] after its opening.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if the work is not disputed.
    pub async fn decide_dispute(
        &self,
        arbiter: &DynSigner,
        work: &Pubkey,
        verdict: Verdict,
    ) -> Result<ConfirmedTransaction, Error> {
        let (owner, claimant) = self.parties(work).await?;
        let key = arbiter.pubkey();
        let instruction = licensing::decide_dispute(&key, work, &owner, &claimant, verdict);
        self.send(&[instruction], arbiter, &[]).await
    }

    /// Ends a dispute whose deadline has passed. Any signer may.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if the work is not disputed.
    pub async fn expire_dispute(
        &self,
        payer: &DynSigner,
        work: &Pubkey,
    ) -> Result<ConfirmedTransaction, Error> {
        let (owner, claimant) = self.parties(work).await?;
        let instruction = licensing::expire_dispute(work, &owner, &claimant);
        self.send(&[instruction], payer, &[]).await
    }

    /// Returns the dispute about a work.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the work is not disputed; [`Error::Transport`].
    pub async fn dispute(&self, work: &Pubkey) -> Result<Dispute, Error> {
        self.typed("dispute", &pda::dispute(work), &licensing::PROGRAM_ID).await
    }

    async fn parties(&self, work: &Pubkey) -> Result<(Pubkey, Pubkey), Error> {
        let claimant = self.dispute(work).await?.claimant;
        Ok((self.work(work).await?.owner, claimant))
    }
}
