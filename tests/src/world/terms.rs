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
    /// Work.
    pub work: Pubkey,
    /// Number of the version.
    pub number: u32,
    /// Address of the account.
    pub address: Pubkey,
    /// SHA-256 of the account's data.
    pub digest: [u8; 32],
    /// Price of the first use.
    pub price: u64,
    /// First use.
    pub licensed_use: Use,
    /// Whether the terms have benefits per licensee.
    pub per_licensee: bool,
    /// Whether licensees share a cap.
    pub shared_caps: bool,
    /// Upfront fee, base units.
    pub upfront_fee: u64,
    /// Amount earmarked for each unit of a quota, base units.
    pub quota_price: u64,
    /// Currency of the upfront fee or the quota's price, if any.
    pub deposit_currency: Option<Currency>,
}

/// Builder of terms. Default: generations at 10 base units, without caps.
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

    /// Sets the price of the first use, base units per unit.
    pub fn price(mut self, price: u64) -> Self {
        self.offer.uses[0].price = price;
        self
    }

    /// Sets the currency.
    pub fn currency(mut self, currency: &Currency) -> Self {
        self.currency = *currency;
        self
    }

    /// Sets the publisher.
    pub fn by(mut self, person: &Person) -> Self {
        self.owner = person.clone();
        self
    }

    /// Changes the offer.
    pub fn with(mut self, change: impl FnOnce(&mut Offer)) -> Self {
        change(&mut self.offer);
        self
    }

    /// Returns the call.
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

    /// Sends the call and returns its outcome.
    #[track_caller]
    pub fn attempt(self) -> Outcome {
        let call = self.call();
        self.world.send(call)
    }

    /// Publishes the terms.
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
