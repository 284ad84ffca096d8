use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, Landed};
use crate::{
    Error,
    channel::{self, Currency},
    licensing::{self, InitializeArgs, Offer, ParentConsent, RegisterWorkArgs},
    pda,
};

impl Client {
    /// Creates the deployment's config; `None` when there is one already.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn initialize(
        &self,
        authority: &Keypair,
        args: InitializeArgs,
    ) -> Result<Option<Landed>, Error> {
        if self.account(&pda::config()).await?.is_some_and(|account| !account.data.is_empty()) {
            return Ok(None);
        }
        let instruction = licensing::initialize(&authority.pubkey(), args);
        self.send(&[instruction], authority, &[]).await.map(Some)
    }

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

    /// Registers a work; returns its address. By what right it is made from each parent is
    /// looked up: the owner's signature, where it is among `parent_owners` or is the creator's
    /// own, else the parent's latest terms.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] for a parent that is not registered.
    pub async fn register_work(
        &self,
        creator: &Keypair,
        consent: Option<&Keypair>,
        args: RegisterWorkArgs,
        parent_owners: &[&Keypair],
    ) -> Result<(Pubkey, Landed), Error> {
        let mut signers = vec![creator];
        signers.extend_from_slice(parent_owners);
        let mut consents = Vec::with_capacity(args.parents.len());
        for parent in &args.parents {
            let work = self.work(&parent.work).await?;
            let owner_signs = signers.iter().any(|signer| signer.pubkey() == work.owner);
            consents.push(if owner_signs {
                ParentConsent::OwnerSigns(work.owner)
            } else {
                ParentConsent::Terms(work.latest_terms)
            });
        }
        signers.extend(consent);
        let address = pda::work(&creator.pubkey(), &args.content_digest);
        let person = consent.map(|keypair| keypair.pubkey());
        let instruction = licensing::register_work(&creator.pubkey(), person, args, &consents);
        let named = instruction.accounts.iter().filter(|meta| meta.is_signer);
        let named: Vec<_> = named.map(|meta| meta.pubkey).collect();
        signers.retain(|signer| named.contains(&signer.pubkey()));
        let landed = self.send(&[instruction], creator, &signers).await?;
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
}
