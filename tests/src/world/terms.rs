use motif_sdk::{
    channel::{Currency, Licensee},
    licensing::{Derivatives, Offer, Unit, Use, UsePrice, Work, publish_terms, terms_digest},
    pda,
};
use solana_pubkey::Pubkey;

use super::{Call, Outcome, Person, RegisteredWork, World};

/// Terms on chain, as a licensee read them.
#[derive(Clone, Debug)]
pub struct PublishedTerms {
    /// Whose terms.
    pub work: Pubkey,
    /// Which version.
    pub number: u32,
    /// Their account.
    pub address: Pubkey,
    /// SHA-256 of their account's data.
    pub digest: [u8; 32],
    /// Price of the first use.
    pub price: u64,
    /// The first use.
    pub licensed_use: Use,
    /// Whether each licensee gets something once.
    pub per_licensee: bool,
    /// Whether licensees compete for a cap.
    pub shared_caps: bool,
    /// Base units at acceptance.
    pub upfront_fee: u64,
    /// Amount earmarked for each unit of a quota, base units.
    pub quota_price: u64,
    /// Currency of the upfront fee or the quota, if there is one.
    pub deposit_currency: Option<Currency>,
}

/// Terms about to be published: by default generations at 10 base units, and no caps.
pub struct TermsBuilder<'w> {
    world: &'w mut World,
    work: Pubkey,
    owner: Person,
    currency: Currency,
    offer: Offer,
}

impl<'w> TermsBuilder<'w> {
    pub(super) fn new(world: &'w mut World, work: &RegisteredWork) -> Self {
        let price = UsePrice { licensed_use: Use::Generate, unit: Unit::Generation, price: 10 };
        Self {
            work: work.address,
            owner: work.creator.clone(),
            currency: world.currency,
            offer: Offer {
                attribution: true,
                derivatives: Derivatives::Allowed,
                legal_digest: [0x1E; 32],
                ..Offer::new(vec![price])
            },
            world,
        }
    }

    /// Base units for one unit of the first use.
    pub fn price(mut self, price: u64) -> Self {
        self.offer.uses[0].price = price;
        self
    }

    /// In another currency.
    pub fn currency(mut self, currency: &Currency) -> Self {
        self.currency = *currency;
        self
    }

    /// Published by another signer.
    pub fn by(mut self, person: &Person) -> Self {
        self.owner = person.clone();
        self
    }

    /// With anything else changed.
    pub fn with(mut self, change: impl FnOnce(&mut Offer)) -> Self {
        change(&mut self.offer);
        self
    }

    /// The call that publishes them.
    pub fn call(&self) -> Call {
        let (owner, mint) = (self.owner.key(), self.currency.mint);
        let latest = self.latest();
        let publish = publish_terms(&owner, &self.work, latest, &mint, self.offer.clone());
        Call::new([publish], &[&self.owner])
    }

    fn latest(&self) -> u32 {
        let data = self.world.account(&self.work).data;
        let work: Work =
            anchor_lang::AccountDeserialize::try_deserialize(&mut &data[..]).expect("a work");
        work.latest_terms
    }

    /// Sends it; a test says what should become of it.
    #[track_caller]
    pub fn attempt(self) -> Outcome {
        let call = self.call();
        self.world.send(call)
    }

    /// Publishes them.
    #[track_caller]
    pub fn publish(self) -> PublishedTerms {
        let number = self.latest() + 1;
        let call = self.call();
        self.world.send(call).assert_ok();
        let address = pda::terms(&self.work, number);
        PublishedTerms {
            work: self.work,
            number,
            address,
            digest: terms_digest(&self.world.account(&address).data),
            price: self.offer.uses[0].price,
            licensed_use: self.offer.uses[0].licensed_use,
            per_licensee: Licensee::needed_by(&self.offer),
            shared_caps: self.offer.caps.shared(),
            upfront_fee: self.offer.upfront_fee,
            quota_price: self.offer.quota_price(),
            deposit_currency: self.offer.needs_deposit().then_some(self.currency),
        }
    }
}
