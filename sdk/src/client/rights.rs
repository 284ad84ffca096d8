use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, Landed};
use crate::{
    Error,
    licensing::{self, Approval, ParentShare, Purpose, Right, Terms, WorkStatus},
    pda,
};

impl Client {
    /// Lets `grantee` do one thing under a work's latest terms until it is revoked; returns the
    /// number of those terms.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn approve(
        &self,
        owner: &Keypair,
        work: &Pubkey,
        grantee: &Pubkey,
        purpose: Purpose,
    ) -> Result<(u32, Landed), Error> {
        let number = self.work(work).await?.latest_terms;
        let instruction = licensing::approve(&owner.pubkey(), work, number, grantee, purpose);
        Ok((number, self.send(&[instruction], owner, &[]).await?))
    }

    /// Takes an approval under terms of this number back.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] where there is no such approval.
    pub async fn revoke_approval(
        &self,
        owner: &Keypair,
        work: &Pubkey,
        terms_number: u32,
        grantee: &Pubkey,
        purpose: Purpose,
    ) -> Result<Landed, Error> {
        let terms = pda::terms(work, terms_number);
        let address = pda::approval(&terms, grantee, purpose);
        let approval = self.approval(&terms, grantee, purpose).await?;
        let granted_by = approval.ok_or(Error::NotFound { kind: "approval", address })?.granted_by;
        let key = owner.pubkey();
        let instruction =
            licensing::revoke_approval(&key, work, terms_number, grantee, purpose, &granted_by);
        self.send(&[instruction], owner, &[]).await
    }

    /// The yes of an owner, past or present, to what `grantee` wants to do under terms. Worth
    /// something only while who granted it owns the work.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn approval(
        &self,
        terms: &Pubkey,
        grantee: &Pubkey,
        purpose: Purpose,
    ) -> Result<Option<Approval>, Error> {
        let address = pda::approval(terms, grantee, purpose);
        match self.typed("approval", &address, &::licensing::ID).await {
            Ok(approval) => Ok(Some(approval)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// By what right `creator` can make a derivative of a parent: its owner's signature, where
    /// the owner is among `signers`; else its latest terms, alone or with an approval; else a
    /// license that the creator has used on a channel of its own. Where there is none, the
    /// answer is the latest terms, and registering will say what they lack.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a parent that is not registered; [`Error::Transport`].
    pub async fn right_to(
        &self,
        creator: &Pubkey,
        parent: &ParentShare,
        signers: &[Pubkey],
    ) -> Result<Right, Error> {
        let work = self.work(&parent.work).await?;
        if signers.contains(&work.owner) {
            return Ok(Right::OwnerSigns(work.owner));
        }
        let now = self.now().await?;
        let number = work.latest_terms;
        let latest = match self.terms(&parent.work, number).await {
            Ok(published) => Some(published),
            Err(Error::NotFound { .. }) => None, // none yet, or none since a verdict
            Err(error) => return Err(error),
        };
        if let Some(latest) = latest.filter(|_| work.status == WorkStatus::Active) {
            let allows = |approved| allows(&latest.terms, parent, approved, now);
            if allows(false) {
                return Ok(Right::Terms(number));
            }
            if allows(true) {
                let purpose = Purpose::Derivative;
                let approval = self.approval(&latest.address, creator, purpose).await?;
                if approval.is_some_and(|approval| approval.granted_by == work.owner) {
                    return Ok(Right::Approval(number));
                }
            }
        }
        let license = self.license_to_derive(creator, parent, now).await?;
        Ok(license.unwrap_or(Right::Terms(number)))
    }

    /// A used license of the parent on one of the creator's channels, whose terms allow it.
    async fn license_to_derive(
        &self,
        creator: &Pubkey,
        parent: &ParentShare,
        now: i64,
    ) -> Result<Option<Right>, Error> {
        for (channel, account) in self.channels(Some(creator), None).await? {
            for (index, license) in (0..).zip(&account.licenses) {
                let usable = license.units > 0 && now <= license.expires_at;
                if license.work != parent.work || !usable {
                    continue;
                }
                let terms_number = license.terms_number;
                let published = self.terms(&parent.work, terms_number).await?;
                if allows(&published.terms, parent, false, now) {
                    return Ok(Some(Right::License { terms_number, channel, index }));
                }
            }
        }
        Ok(None)
    }
}

fn allows(terms: &Terms, parent: &ParentShare, approved: bool, now: i64) -> bool {
    terms.check_derivative(parent.share_bps, approved, now).is_ok()
}
