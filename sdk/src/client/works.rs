use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, Landed, PACKET_BYTES, packing::transaction_bytes};
use crate::{
    Error,
    channel::{self, Currency},
    licensing::{self, Offer, Registration, Right, Share},
    pda,
};

impl Client {
    /// Admits a mint; `None` when it was admitted already.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn create_vault(
        &self,
        funder: &Keypair,
        currency: &Currency,
    ) -> Result<Option<Landed>, Error> {
        let vault = self.account(&pda::vault(&currency.mint)).await?;
        if vault.is_some_and(|account| !account.data.is_empty()) {
            return Ok(None);
        }
        let instruction = channel::create_vault(&funder.pubkey(), currency);
        self.send(&[instruction], funder, &[]).await.map(Some)
    }

    /// Registers a work; returns its address and its registration. `parent_owners` sign for
    /// parents of theirs; by what right it is made from the others is looked up, as
    /// [`Client::right_to`] does.
    ///
    /// A work too wide for one packet is registered with its creator as the only recipient, who
    /// then changes the split. When that fails in between, the work exists and earns for its
    /// creator: go on with [`Client::change_split`].
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] for a parent that is not registered.
    pub async fn register_work(
        &self,
        creator: &Keypair,
        consent: Option<&Keypair>,
        registration: Registration,
        parent_owners: &[&Keypair],
    ) -> Result<(Pubkey, Landed), Error> {
        let rights = vec![None; registration.parents.len()];
        self.register_work_by(creator, consent, registration, &rights, parent_owners).await
    }

    /// As [`Client::register_work`], by the rights given: one for each parent, in the same order,
    /// `None` for one that is to be looked up.
    ///
    /// # Errors
    /// As [`Client::register_work`].
    pub async fn register_work_by(
        &self,
        creator: &Keypair,
        consent: Option<&Keypair>,
        registration: Registration,
        given: &[Option<Right>],
        parent_owners: &[&Keypair],
    ) -> Result<(Pubkey, Landed), Error> {
        let key = creator.pubkey();
        let mut signers = vec![creator];
        signers.extend_from_slice(parent_owners);
        let owners: Vec<_> = signers.iter().map(|signer| signer.pubkey()).collect();
        let mut rights = Vec::with_capacity(registration.parents.len());
        let given = given.iter().copied().chain(std::iter::repeat(None));
        for (parent, given) in registration.parents.iter().zip(given) {
            rights.push(match given {
                Some(right) => right,
                None => self.right_to(&key, parent, &owners).await?,
            });
        }
        signers.extend(consent);
        let person = consent.map(|keypair| keypair.pubkey());
        let whole = licensing::register_work(&key, person, &registration, &rights);
        let wide = transaction_bytes(std::slice::from_ref(&whole), &key) > PACKET_BYTES;
        let instruction = if wide {
            let own = vec![Share { recipient: key, share_bps: 10_000 }];
            let alone = Registration { split: own, ..registration.clone() };
            licensing::register_work(&key, person, &alone, &rights)
        } else {
            whole
        };
        let named = instruction.accounts.iter().filter(|meta| meta.is_signer);
        let named: Vec<_> = named.map(|meta| meta.pubkey).collect();
        signers.retain(|signer| named.contains(&signer.pubkey()));
        let landed = self.send(&[instruction], creator, &signers).await?;
        let address = pda::work(&key, &registration.content_digest);
        if wide {
            self.change_split(creator, &address, &registration.split, &[]).await?;
        }
        Ok((address, landed))
    }

    /// Publishes the next version of a work's terms; returns its number.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] for a work that is not registered.
    pub async fn publish_terms(
        &self,
        owner: &Keypair,
        work: &Pubkey,
        currency: &Pubkey,
        offer: Offer,
    ) -> Result<(u32, Landed), Error> {
        let latest = self.work(work).await?.latest_terms;
        let instruction = licensing::publish_terms(&owner.pubkey(), work, latest, currency, offer);
        let landed = self.send(&[instruction], owner, &[]).await?;
        Ok((latest + 1, landed))
    }

    /// Offers a work to somebody, or to nobody any more.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn offer_ownership(
        &self,
        owner: &Keypair,
        work: &Pubkey,
        to: Option<Pubkey>,
    ) -> Result<Landed, Error> {
        let instruction = licensing::offer_ownership(&owner.pubkey(), work, to);
        self.send(&[instruction], owner, &[]).await
    }

    /// Takes a work that was offered.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn accept_ownership(
        &self,
        accepter: &Keypair,
        work: &Pubkey,
    ) -> Result<Landed, Error> {
        let instruction = licensing::accept_ownership(&accepter.pubkey(), work);
        self.send(&[instruction], accepter, &[]).await
    }

    /// Withdraws a work for good: it takes no new licenses and derivatives, and those it has
    /// end after their notice.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn withdraw_work(&self, owner: &Keypair, work: &Pubkey) -> Result<Landed, Error> {
        let instruction = licensing::withdraw_work(&owner.pubkey(), work);
        self.send(&[instruction], owner, &[]).await
    }

    /// Ends the consent to a work at this unix second, or never. Licenses that were accepted
    /// earlier keep the end they have.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn set_consent_end(
        &self,
        person: &Keypair,
        work: &Pubkey,
        expires_at: Option<i64>,
    ) -> Result<Landed, Error> {
        let instruction = licensing::set_consent_end(&person.pubkey(), work, expires_at);
        self.send(&[instruction], person, &[]).await
    }

    /// Issues a work's one certificate to its owner; returns its mint. `name` has 1 to 32 bytes.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn issue_certificate(
        &self,
        owner: &Keypair,
        work: &Pubkey,
        name: &str,
    ) -> Result<(Pubkey, Landed), Error> {
        let instruction = licensing::issue_certificate(&owner.pubkey(), work, name);
        let landed = self.send(&[instruction], owner, &[]).await?;
        Ok((pda::certificate(work), landed))
    }
}
