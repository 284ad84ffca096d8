use solana_pubkey::Pubkey;

use super::{Client, ConfirmedTransaction, DynSigner, PACKET_BYTES, batch::transaction_bytes};
use crate::{
    Error,
    channel::{self, Currency},
    licensing::{self, AcceptOwnershipArgs, Offer, Registration, Right, Share, UpdateMetadataArgs},
    pda,
};

/// Registration of a work: see [`Client::register_work`].
#[must_use = "nothing is sent before `send`"]
pub struct RegisterWork<'a> {
    client: &'a Client,
    registration: Registration,
    consent: Option<&'a DynSigner>,
    rights: Vec<Option<Right>>,
    parent_owners: Vec<&'a DynSigner>,
}

/// Publication of terms: see [`Client::publish_terms`].
#[must_use = "nothing is sent before `send`"]
pub struct PublishTerms<'a> {
    client: &'a Client,
    work: Pubkey,
    currency: Pubkey,
    offer: Offer,
}

impl Client {
    /// Creates the vault of a mint; returns `None` if it exists already.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn create_vault(
        &self,
        funder: &DynSigner,
        currency: &Currency,
    ) -> Result<Option<ConfirmedTransaction>, Error> {
        let vault = self.account(&pda::vault(&currency.mint)).await?;
        if vault.is_some_and(|account| !account.data.is_empty()) {
            return Ok(None);
        }
        let instruction = channel::create_vault(&funder.pubkey(), currency);
        self.send(&[instruction], funder, &[]).await.map(Some)
    }

    /// Registers a work.
    ///
    /// Unless the registration says otherwise, it is rejected if its parents' conditions end earlier
    /// than when the client reads them.
    ///
    /// A registration larger than a packet is sent with its creator as the only recipient,
    /// followed by a change of the split. If the change fails, the work exists and its creator
    /// receives all of its earnings: retry with [`Client::change_split`].
    pub fn register_work(&self, registration: Registration) -> RegisterWork<'_> {
        RegisterWork {
            client: self,
            registration,
            consent: None,
            rights: Vec::new(),
            parent_owners: Vec::new(),
        }
    }

    /// Publishes the next version of a work's terms, with prices in the mint `currency`.
    pub fn publish_terms(
        &self,
        work: &Pubkey,
        currency: &Pubkey,
        offer: Offer,
    ) -> PublishTerms<'_> {
        PublishTerms { client: self, work: *work, currency: *currency, offer }
    }

    /// Replaces a work's title and metadata; start from [`UpdateMetadataArgs::of`] the work.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn update_metadata(
        &self,
        owner: &DynSigner,
        work: &Pubkey,
        new: UpdateMetadataArgs,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::update_metadata(&owner.pubkey(), work, new);
        self.send(&[instruction], owner, &[]).await
    }

    /// Offers a work to a new owner; `None` cancels the offer.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn offer_ownership(
        &self,
        owner: &DynSigner,
        work: &Pubkey,
        to: Option<Pubkey>,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::offer_ownership(&owner.pubkey(), work, to);
        self.send(&[instruction], owner, &[]).await
    }

    /// Accepts the ownership of a work that was offered, if it is still as `expected`: as
    /// [`AcceptOwnershipArgs::of`] the account that the new owner has read.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn accept_ownership(
        &self,
        accepter: &DynSigner,
        work: &Pubkey,
        expected: AcceptOwnershipArgs,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::accept_ownership(&accepter.pubkey(), work, expected);
        self.send(&[instruction], accepter, &[]).await
    }

    /// Withdraws a work permanently: it takes no new licenses and derivatives, and existing
    /// licenses end after their notice.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn withdraw_work(
        &self,
        owner: &DynSigner,
        work: &Pubkey,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::withdraw_work(&owner.pubkey(), work);
        self.send(&[instruction], owner, &[]).await
    }

    /// Sets the last unix second of the consent to a work; `None` removes the expiry. Licenses
    /// accepted earlier keep their end.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn set_consent_end(
        &self,
        person: &DynSigner,
        work: &Pubkey,
        expires_at: Option<i64>,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::set_consent_end(&person.pubkey(), work, expires_at);
        self.send(&[instruction], person, &[]).await
    }

    /// Issues a work's certificate to its owner; returns the certificate's mint. `name` has 1 to
    /// 32 bytes.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn issue_certificate(
        &self,
        owner: &DynSigner,
        work: &Pubkey,
        name: &str,
    ) -> Result<(Pubkey, ConfirmedTransaction), Error> {
        let instruction = licensing::issue_certificate(&owner.pubkey(), work, name);
        let confirmed = self.send(&[instruction], owner, &[]).await?;
        Ok((pda::certificate(work), confirmed))
    }
}

impl<'a> RegisterWork<'a> {
    /// Person whose voice or likeness the work uses, to sign its consent. Default: none.
    pub fn consent(self, person: impl Into<Option<&'a DynSigner>>) -> Self {
        Self { consent: person.into(), ..self }
    }

    /// Owners of parents, to sign for their works. Default: none.
    pub fn parent_owners(self, owners: impl IntoIterator<Item = &'a DynSigner>) -> Self {
        Self { parent_owners: owners.into_iter().collect(), ..self }
    }

    /// Rights to derive from the parents, in their order. Default, also for `None` and for missing
    /// entries: [`Client::right_to`].
    pub fn rights(self, rights: impl IntoIterator<Item = Option<Right>>) -> Self {
        Self { rights: rights.into_iter().collect(), ..self }
    }

    /// Registers the work; returns its address.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if a parent is not registered;
    /// [`Error::Unsignable`] for a recipient that cannot sign.
    pub async fn send(self, creator: &DynSigner) -> Result<(Pubkey, ConfirmedTransaction), Error> {
        let Self { client, mut registration, consent, rights: given, parent_owners } = self;
        let key = creator.pubkey();
        client.check_recipients(&registration.split, &key).await?;
        let mut signers = vec![creator];
        signers.extend(parent_owners);
        let owners: Vec<_> = signers.iter().map(|signer| signer.pubkey()).collect();
        let mut rights = Vec::with_capacity(registration.parents.len());
        let given = given.into_iter().chain(std::iter::repeat(None));
        for (parent, given) in registration.parents.iter().zip(given) {
            rights.push(match given {
                Some(right) => right,
                None => client.right_to(&key, parent, &owners).await?,
            });
        }
        if registration.min_expires_at.is_none() && !registration.parents.is_empty() {
            let end = client.inherited_end(&registration.parents, &rights).await?;
            registration.min_expires_at = Some(end.unwrap_or(i64::MAX));
        }
        signers.extend(consent);
        let person = consent.map(|signer| signer.pubkey());
        let whole = licensing::register_work(&key, person, &registration, &rights);
        let is_wide = transaction_bytes(std::slice::from_ref(&whole), &key) > PACKET_BYTES;
        let instruction = if is_wide {
            let split = vec![Share { recipient: key, share_bps: 10_000 }];
            let narrow = Registration { split, ..registration.clone() };
            licensing::register_work(&key, person, &narrow, &rights)
        } else {
            whole
        };
        let required = instruction.accounts.iter().filter(|meta| meta.is_signer);
        let required: Vec<_> = required.map(|meta| meta.pubkey).collect();
        signers.retain(|signer| required.contains(&signer.pubkey()));
        let confirmed = client.send(&[instruction], creator, &signers).await?;
        let address = pda::work(&key, &registration.content_digest);
        if is_wide {
            client.change_split(&address, &registration.split).send(creator).await?;
        }
        Ok((address, confirmed))
    }
}

impl PublishTerms<'_> {
    /// Publishes the terms; returns their number.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if the work is not registered.
    pub async fn send(self, owner: &DynSigner) -> Result<(u32, ConfirmedTransaction), Error> {
        let Self { client, work, currency, offer } = self;
        let latest = client.work(&work).await?.latest_terms;
        let instruction =
            licensing::publish_terms(&owner.pubkey(), &work, latest, &currency, offer);
        let confirmed = client.send(&[instruction], owner, &[]).await?;
        Ok((latest + 1, confirmed))
    }
}
