use solana_pubkey::Pubkey;

use super::{Client, ConfirmedTransaction, DynSigner};
use crate::{
    Error,
    licensing::{self, Approval, Inherited, ParentShare, Purpose, Right, Terms, WorkStatus},
    pda,
};

/// Grant of an approval: see [`Client::approve`].
#[must_use = "nothing is sent before `send`"]
pub struct Approve<'a> {
    client: &'a Client,
    work: Pubkey,
    grantee: Pubkey,
    purpose: Purpose,
}

/// Revocation of an approval: see [`Client::revoke_approval`].
#[must_use = "nothing is sent before `send`"]
pub struct RevokeApproval<'a> {
    client: &'a Client,
    work: Pubkey,
    grantee: Pubkey,
    purpose: Purpose,
    terms_number: Option<u32>,
}

impl Client {
    /// Approves that `grantee` licenses a work, or derives from it, under its latest terms.
    pub fn approve(&self, work: &Pubkey, grantee: &Pubkey, purpose: Purpose) -> Approve<'_> {
        Approve { client: self, work: *work, grantee: *grantee, purpose }
    }

    /// Revokes an approval.
    pub fn revoke_approval(
        &self,
        work: &Pubkey,
        grantee: &Pubkey,
        purpose: Purpose,
    ) -> RevokeApproval<'_> {
        RevokeApproval { client: self, work: *work, grantee: *grantee, purpose, terms_number: None }
    }

    /// Returns the approval granted to `grantee` under terms. It is valid only while its granter
    /// owns the work.
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
        match self.typed("approval", &address, &licensing::PROGRAM_ID).await {
            Ok(approval) => Ok(Some(approval)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the right by which `creator` can register a derivative of a parent.
    ///
    /// In this order: the owner's signature, if the owner is one of `signers`; the latest terms,
    /// alone or with an approval; a license that the creator has used on one of its channels.
    /// Otherwise returns the latest terms, and the registration fails with the reason.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the parent is not registered; [`Error::Transport`].
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

    /// Returns the expiry that a derivative inherits by these rights, one for each parent, unix
    /// seconds; `None` for no limit.
    ///
    /// # Errors
    /// [`Error::NotFound`] if a parent does not exist; [`Error::Transport`].
    pub async fn inherited_end(
        &self,
        parents: &[ParentShare],
        rights: &[Right],
    ) -> Result<Option<i64>, Error> {
        let mut inherited = Inherited::default();
        for (parent, right) in parents.iter().zip(rights) {
            let work = self.work(&parent.work).await?;
            inherited.end_by(work.consent.and_then(|consent| consent.expires_at));
            let number = match *right {
                Right::OwnerSigns(_) => {
                    inherited.pass_on(&work.inherited);
                    continue;
                }
                Right::Terms(number) | Right::Approval(number) => number,
                Right::License { terms_number, .. } => terms_number,
            };
            match self.terms(&parent.work, number).await {
                Ok(published) => inherited.add(&published.terms.offer),
                Err(Error::NotFound { .. }) => {} // the program rejects the right
                Err(error) => return Err(error),
            }
        }
        Ok(inherited.expires_at)
    }

    /// Returns a used license of the parent whose terms allow the derivative.
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

impl Approve<'_> {
    /// Grants the approval; returns the number of the terms.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`].
    pub async fn send(self, owner: &DynSigner) -> Result<(u32, ConfirmedTransaction), Error> {
        let Self { client, work, grantee, purpose } = self;
        let number = client.work(&work).await?.latest_terms;
        let instruction =
            licensing::grant_approval(&owner.pubkey(), &work, number, &grantee, purpose);
        Ok((number, client.send(&[instruction], owner, &[]).await?))
    }
}

impl RevokeApproval<'_> {
    /// Number of the terms that the approval was granted under. Default: the latest terms.
    pub fn terms_number(self, number: u32) -> Self {
        Self { terms_number: Some(number), ..self }
    }

    /// Revokes the approval.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if the approval does not exist.
    pub async fn send(self, owner: &DynSigner) -> Result<ConfirmedTransaction, Error> {
        let Self { client, work, grantee, purpose, terms_number } = self;
        let number = match terms_number {
            Some(number) => number,
            None => client.work(&work).await?.latest_terms,
        };
        let terms = pda::terms(&work, number);
        let address = pda::approval(&terms, &grantee, purpose);
        let approval = client.approval(&terms, &grantee, purpose).await?;
        let granted_by = approval.ok_or(Error::NotFound { kind: "approval", address })?.granted_by;
        let key = owner.pubkey();
        let instruction =
            licensing::revoke_approval(&key, &work, number, &grantee, purpose, &granted_by);
        client.send(&[instruction], owner, &[]).await
    }
}

fn allows(terms: &Terms, parent: &ParentShare, approved: bool, now: i64) -> bool {
    terms.check_derivative(parent.share_bps, approved, now).is_ok()
}
