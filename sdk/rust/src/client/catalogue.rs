use motif_interface::AccountData;
use solana_account::Account;
use solana_pubkey::Pubkey;

use super::{Client, PublishedTerms, WorkFilter};
use crate::{
    Error, channel,
    earnings::{Earnings, EarningsAccount},
    licensing::{self, Dispute, Parent, Share, SplitChange, Terms, Use, Work, terms_digest},
    lineage::Lineage,
    pda,
    record::ChainRecord,
};

/// Conditions on a work's latest terms; all given fields must match. A work without terms matches
/// the default only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfferFilter {
    /// A licensed use.
    pub licensed_use: Option<Use>,
    /// Maximum price of one unit of `licensed_use`, or of any use if that is `None`; base units.
    pub max_price: Option<u64>,
    /// Mint of the prices.
    pub currency: Option<Pubkey>,
}

/// A work and its latest terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// Address of the work.
    pub address: Pubkey,
    /// Account of the work.
    pub work: Work,
    /// Latest terms; `None` if none were published, or none since a verdict.
    pub terms: Option<PublishedTerms>,
}

/// On-chain state of one work.
#[derive(Clone, Debug)]
pub struct WorkDetails {
    /// The work and its latest terms.
    pub entry: CatalogueEntry,
    /// Earnings, one account for each currency.
    pub earnings: Vec<EarningsAccount>,
    /// Registered parents, in the work's order.
    pub parents: Vec<(Pubkey, Work)>,
    /// Derivatives, earliest registration first.
    pub children: Vec<(Pubkey, Work)>,
    /// Pending dispute.
    pub dispute: Option<Dispute>,
    /// Proposed split that is not applied yet.
    pub split_change: Option<SplitChange>,
    /// Other registrations of the same content, earliest first.
    pub conflicts: Vec<(Pubkey, Work)>,
}

impl WorkFilter {
    /// Whether a work matches.
    pub fn matches(&self, work: &Work) -> bool {
        self.creator.is_none_or(|creator| work.creator == creator)
            && self.owner.is_none_or(|owner| work.owner == owner)
            && self.content_digest.is_none_or(|digest| work.content_digest == digest)
            && self.kind.is_none_or(|kind| work.kind == kind)
            && self.status.is_none_or(|status| work.status == status)
    }
}

impl OfferFilter {
    /// Whether a work with these latest terms matches.
    pub fn matches(&self, terms: Option<&Terms>) -> bool {
        let Some(terms) = terms else { return *self == Self::default() };
        let in_currency = self.currency.is_none_or(|currency| terms.currency == currency);
        in_currency
            && terms.offer.uses.iter().any(|priced| {
                self.licensed_use.is_none_or(|wanted| priced.licensed_use == wanted)
                    && self.max_price.is_none_or(|most| priced.price <= most)
            })
    }
}

impl WorkDetails {
    /// Assembles the details of the work at `address` from all registered works; returns `None`
    /// if it is not one of them.
    pub fn from_parts(
        address: &Pubkey,
        works: Vec<(Pubkey, Work)>,
        terms: Option<PublishedTerms>,
        earnings: Vec<EarningsAccount>,
        dispute: Option<Dispute>,
        split_change: Option<SplitChange>,
    ) -> Option<Self> {
        let (_, work) = works.iter().find(|(other, _)| other == address)?;
        let work = work.clone();
        let find = |parent: &Parent| works.iter().find(|(other, _)| *other == parent.work).cloned();
        let parents = work.parents.iter().filter_map(find).collect();
        let is_child = |other: &Work| other.parents.iter().any(|parent| parent.work == *address);
        let children = works.iter().filter(|(_, other)| is_child(other)).cloned().collect();
        let same_content = |other: &(Pubkey, Work)| {
            other.0 != *address && other.1.content_digest == work.content_digest
        };
        let conflicts = works.iter().filter(|other| same_content(other)).cloned().collect();
        let entry = CatalogueEntry { address: *address, work, terms };
        Some(Self { entry, earnings, parents, children, dispute, split_change, conflicts })
    }
}

impl Client {
    /// Downloads all works that match, with their latest terms, earliest registration first.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn catalogue(
        &self,
        works: &WorkFilter,
        offers: &OfferFilter,
    ) -> Result<Vec<CatalogueEntry>, Error> {
        let works = self.works(works).await?;
        let addresses: Vec<_> =
            works.iter().map(|(address, work)| pda::terms(address, work.latest_terms)).collect();
        let accounts = self.accounts(&addresses).await?;
        let entries = works.into_iter().zip(addresses).zip(accounts).map(
            |(((address, work), terms_address), account)| {
                let terms = account.and_then(|account| published(terms_address, &account));
                CatalogueEntry { address, work, terms }
            },
        );
        let offered = |entry: &CatalogueEntry| {
            offers.matches(entry.terms.as_ref().map(|published| &published.terms))
        };
        Ok(entries.filter(offered).collect())
    }

    /// Downloads every registered work to assemble the details of one.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the work does not exist; [`Error::Transport`].
    pub async fn work_details(&self, address: &Pubkey) -> Result<WorkDetails, Error> {
        let absent = || Error::NotFound { kind: "work", address: *address };
        let everything = WorkFilter::default();
        let (works, earnings) =
            tokio::try_join!(self.works(&everything), self.earnings_of(address))?;
        let work = works.iter().find(|(other, _)| other == address).ok_or_else(absent)?;
        let terms_address = pda::terms(address, work.1.latest_terms);
        let beside = [terms_address, pda::dispute(address), pda::split_change(address)];
        let mut beside = self.accounts(&beside).await?.into_iter().flatten();
        let (mut terms, mut dispute, mut split_change) = (None, None, None);
        for account in beside.by_ref() {
            terms = terms.or_else(|| published(terms_address, &account));
            dispute = dispute.or_else(|| read(&account));
            split_change = split_change.or_else(|| read(&account));
        }
        let details =
            WorkDetails::from_parts(address, works, terms, earnings, dispute, split_change);
        details.ok_or_else(absent)
    }

    /// Downloads every registered work to find one work's ancestors and descendants.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the work does not exist; [`Error::Transport`].
    pub async fn lineage(&self, address: &Pubkey) -> Result<Lineage, Error> {
        let works = self.works(&WorkFilter::default()).await?;
        let absent = || Error::NotFound { kind: "work", address: *address };
        Lineage::from_works(address, &works).ok_or_else(absent)
    }

    /// Downloads all works, channels and earnings.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn record(&self) -> Result<ChainRecord, Error> {
        let everything = WorkFilter::default();
        let (works, channels, earnings, split_changes, disputes) = tokio::try_join!(
            self.works(&everything),
            self.channels(None, None),
            self.earnings_with(Vec::new()),
            self.all_of_licensing::<SplitChange>(),
            self.all_of_licensing::<Dispute>(),
        )?;
        Ok(ChainRecord { works, channels, earnings, split_changes, disputes })
    }

    async fn all_of_licensing<T: AccountData>(&self) -> Result<Vec<T>, Error> {
        let accounts =
            self.program_accounts(&licensing::PROGRAM_ID, T::DISCRIMINATOR, Vec::new()).await?;
        Ok(accounts.iter().filter_map(|(_, account)| read(account)).collect())
    }

    /// Returns a work's earnings in every currency, ordered by mint.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn earnings_of(&self, work: &Pubkey) -> Result<Vec<EarningsAccount>, Error> {
        let of_work = (Earnings::WORK_OFFSET, work.to_bytes().to_vec());
        let mut earnings = self.earnings_with(vec![of_work]).await?;
        earnings.sort_by_key(|account| account.earnings.mint);
        Ok(earnings)
    }

    /// Returns the earnings whose accounts have these bytes at these offsets.
    async fn earnings_with(
        &self,
        fields: Vec<(usize, Vec<u8>)>,
    ) -> Result<Vec<EarningsAccount>, Error> {
        let discriminator = Earnings::DISCRIMINATOR;
        let accounts = self.program_accounts(&channel::PROGRAM_ID, discriminator, fields).await?;
        let read = |(_, account): (Pubkey, Account)| EarningsAccount::from_bytes(&account.data);
        Ok(accounts.into_iter().filter_map(read).collect())
    }
}

/// Returns the recipients whose share falls and who have not approved the change.
///
/// Returns none if the work's split or owner has changed since: such a change can only be
/// cancelled.
pub fn awaited(change: &SplitChange, work: &Work) -> Vec<Pubkey> {
    if change.split_version != work.split_version || change.proposer != work.owner {
        return Vec::new();
    }
    let loses = |before: &Share| {
        let after = change.split.iter().find(|share| share.recipient == before.recipient);
        after.map_or(0, |share| share.share_bps) < before.share_bps
    };
    let awaited = work.split.iter().enumerate().filter(|(position, before)| {
        let approved = change.approvals & (1 << position) != 0; // at most 32 recipients
        !approved && before.recipient != change.proposer && loses(before)
    });
    awaited.map(|(_, share)| share.recipient).collect()
}

/// Returns the terms in an account of the licensing program.
pub(super) fn published(address: Pubkey, account: &Account) -> Option<PublishedTerms> {
    let terms = read(account)?;
    Some(PublishedTerms { address, terms, digest: terms_digest(&account.data) })
}

/// Deserializes an account of the licensing program.
pub(super) fn read<T: AccountData>(account: &Account) -> Option<T> {
    let ours = account.owner == licensing::ID;
    ours.then(|| T::from_account_data(&account.data).ok()).flatten()
}
