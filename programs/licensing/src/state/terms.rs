use anchor_lang::prelude::*;

use crate::{bps::WHOLE_BPS, error::LicensingError};

/// What a licensee does with a work. Stored as one byte, in this order: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum Use {
    Generate,
    StyleTransfer,
    VoiceConvert,
    Train,
    FineTune,
    Play,
}

/// How a use is counted. Stored as one byte, in this order: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum Unit {
    Generation,
    Second,
    ThousandTokens,
    TrainingRun,
}

/// What one unit of one use costs.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct UsePrice {
    pub licensed_use: Use,
    pub unit: Unit,
    /// Base units of the terms' currency for one unit; 0 makes the use free.
    pub price: u64,
}

impl UsePrice {
    /// Bytes of one entry in an account or an instruction.
    pub const SIZE: usize = 10;
}

/// Whether others may register works made from this one. One byte: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum Derivatives {
    Forbidden,
    WithApproval,
    Allowed,
}

/// Limits that `payments` executes; `None` is no limit.
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, InitSpace,
)]
pub struct Caps {
    /// Units all licensees together may use, ever.
    pub total_units: Option<u64>,
    /// Units one license may use in one day of 86,400 seconds since the epoch (UTC).
    pub daily_units: Option<u64>,
    /// Units one license may use, ever.
    pub licensee_units: Option<u64>,
    /// Prices all licensees together may pay, ever, base units of the currency.
    pub revenue: Option<u64>,
}

impl Caps {
    /// Whether licensees compete for one allowance, which acceptance then hands out.
    pub fn shared(&self) -> bool {
        self.total_units.is_some() || self.revenue.is_some()
    }
}

/// What a creator offers: everything in a version of terms but its number and date.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub commercial: bool,
    pub attribution: bool,
    pub sublicensing: bool,
    /// Every acceptance needs the owner's signature.
    pub approval_required: bool,
    pub derivatives: Derivatives,
    /// Derivatives must offer terms at least as open as these.
    pub share_alike: bool,
    /// The least part of a derivative's earnings that belongs to this work.
    pub derivative_share_bps: u16,
    /// Charged once at acceptance, base units.
    pub upfront_fee: u64,
    /// Units each license may use before it pays.
    pub free_units: u64,
    pub caps: Caps,
    /// Unix seconds from which the terms can be accepted.
    pub valid_from: i64,
    /// Unix seconds after which nothing can be accepted, used or settled; `None` for never.
    pub expires_at: Option<i64>,
    /// How long before a withdrawal takes effect licensees are told.
    pub notice_seconds: u32,
    /// SHA-256 of the legal text.
    pub legal_digest: [u8; 32],
    pub uses: Vec<UsePrice>,
    pub legal_uri: String,
}

/// One immutable, numbered version of what a work may be used for.
///
/// Seeds: `["terms", work, number as u32 little-endian]`. Numbers start at 1.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Terms {
    pub version: u8,
    pub bump: u8,
    pub work: Pubkey,
    pub number: u32,
    /// Mint in which every amount of these terms is counted.
    pub currency: Pubkey,
    /// Unix seconds on chain at publication.
    pub published_at: i64,
    pub offer: Offer,
}

impl Offer {
    pub const MAX_USES: usize = 8;
    pub const MAX_URI_BYTES: usize = 200;
    pub const MAX_NOTICE_SECONDS: u32 = 366 * 86_400;

    /// These uses at these prices, commercially too, and nothing else said: no limits, no fee,
    /// no notice, no derivatives.
    pub fn new(uses: Vec<UsePrice>) -> Self {
        Self {
            commercial: true,
            attribution: false,
            sublicensing: false,
            approval_required: false,
            derivatives: Derivatives::Forbidden,
            share_alike: false,
            derivative_share_bps: 0,
            upfront_fee: 0,
            free_units: 0,
            caps: Caps::default(),
            valid_from: 0,
            expires_at: None,
            notice_seconds: 0,
            legal_digest: [0; 32],
            uses,
            legal_uri: String::new(),
        }
    }

    const FIXED_SPACE: usize = 4 + 1 + 1 + 2 + 8 + 8 + 4 * 9 + 8 + 9 + 4 + 32;

    /// Whether everybody may make derivatives, on the same condition.
    pub fn shares_alike(&self) -> bool {
        let open = self.derivatives == Derivatives::Allowed && !self.approval_required;
        open && self.share_alike
    }

    /// Accepts an offer that can be understood and can be kept; `now` is unix seconds.
    pub fn check(&self, now: i64) -> Result<()> {
        let uses = &self.uses;
        require!((1..=Self::MAX_USES).contains(&uses.len()), LicensingError::InvalidUseCount);
        for (position, price) in uses.iter().enumerate() {
            let seen_before =
                uses[..position].iter().any(|other| other.licensed_use == price.licensed_use);
            require!(!seen_before, LicensingError::DuplicateUse);
        }
        let Caps { total_units, daily_units, licensee_units, revenue } = self.caps;
        for cap in [total_units, daily_units, licensee_units, revenue] {
            require!(cap != Some(0), LicensingError::EmptyCap);
        }
        require!(self.derivative_share_bps <= WHOLE_BPS, LicensingError::InvalidDerivativeShare);
        require!(self.notice_seconds <= Self::MAX_NOTICE_SECONDS, LicensingError::NoticeTooLong);
        require!(self.legal_uri.len() <= Self::MAX_URI_BYTES, LicensingError::UriTooLong);
        if let Some(expires_at) = self.expires_at {
            let lasts = expires_at > self.valid_from && expires_at > now;
            require!(lasts, LicensingError::InvalidTermsPeriod);
        }
        Ok(())
    }
}

impl Terms {
    pub const SEED: &'static [u8] = b"terms";
    pub const VERSION: u8 = 1;
    /// Where `work` stands in the account, for filters.
    pub const WORK_OFFSET: usize = 10;

    const FIXED_SPACE: usize = 8 + 2 + 32 + 4 + 32 + 8;

    /// Bytes of an account for terms with so many uses and so long a URI.
    pub const fn space(uses: usize, uri_bytes: usize) -> usize {
        let lists = (4 + uses * UsePrice::SIZE) + (4 + uri_bytes);
        Self::FIXED_SPACE + Offer::FIXED_SPACE + lists
    }

    /// True from `valid_from` up to and including `expires_at`.
    pub fn valid_at(&self, now: i64) -> bool {
        now >= self.offer.valid_from && self.offer.expires_at.is_none_or(|end| now <= end)
    }

    /// The price of a use, if these terms license it.
    pub fn price_of(&self, licensed_use: Use) -> Option<&UsePrice> {
        self.offer.uses.iter().find(|price| price.licensed_use == licensed_use)
    }

    /// Whether these terms, without the owner's signature, let somebody register a derivative
    /// that gives this work `share_bps` of its earnings; `approved` says whether the owner has
    /// approved it in advance.
    pub fn check_derivative(&self, share_bps: u16, approved: bool, now: i64) -> Result<()> {
        require!(self.valid_at(now), LicensingError::TermsNotValidNow);
        match self.offer.derivatives {
            Derivatives::Forbidden => return err!(LicensingError::DerivativesForbidden),
            Derivatives::WithApproval => require!(approved, LicensingError::MissingApproval),
            Derivatives::Allowed => {}
        }
        let enough = share_bps >= self.offer.derivative_share_bps;
        require!(enough, LicensingError::ParentShareTooSmall);
        Ok(())
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Terms::space(1, 0) == 217);
const _: () = assert!(Terms::space(Offer::MAX_USES, Offer::MAX_URI_BYTES) == 487);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000;

    fn offer() -> Offer {
        Offer {
            commercial: true,
            attribution: true,
            sublicensing: false,
            approval_required: false,
            derivatives: Derivatives::Allowed,
            share_alike: false,
            derivative_share_bps: 2_000,
            upfront_fee: 0,
            free_units: 0,
            caps: Caps::default(),
            valid_from: 0,
            expires_at: Some(NOW + 1),
            notice_seconds: 0,
            legal_digest: [0; 32],
            uses: vec![UsePrice {
                licensed_use: Use::Generate,
                unit: Unit::Generation,
                price: 1_000,
            }],
            legal_uri: String::new(),
        }
    }

    fn terms(offer: Offer) -> Terms {
        Terms {
            version: Terms::VERSION,
            bump: 255,
            work: Pubkey::new_from_array([7; 32]),
            number: 1,
            currency: Pubkey::default(),
            published_at: NOW,
            offer,
        }
    }

    fn refusal(change: impl FnOnce(&mut Offer)) -> Option<Error> {
        let mut offer = offer();
        change(&mut offer);
        offer.check(NOW).err()
    }

    #[test]
    fn an_offer_that_says_too_little_or_contradicts_itself_is_refused() {
        assert_eq!(offer().check(NOW), Ok(()));
        let none = refusal(|offer| offer.uses.clear());
        assert_eq!(none, Some(LicensingError::InvalidUseCount.into()));
        let twice = refusal(|offer| offer.uses.push(offer.uses[0]));
        assert_eq!(twice, Some(LicensingError::DuplicateUse.into()));
        let empty = refusal(|offer| offer.caps.daily_units = Some(0));
        assert_eq!(empty, Some(LicensingError::EmptyCap.into()));
        let share = refusal(|offer| offer.derivative_share_bps = 10_001);
        assert_eq!(share, Some(LicensingError::InvalidDerivativeShare.into()));
        let expired = refusal(|offer| offer.expires_at = Some(NOW));
        assert_eq!(expired, Some(LicensingError::InvalidTermsPeriod.into()));
        let backwards = refusal(|offer| offer.valid_from = NOW + 1);
        assert_eq!(backwards, Some(LicensingError::InvalidTermsPeriod.into()));
        let uri = refusal(|offer| offer.legal_uri = "u".repeat(201));
        assert_eq!(uri, Some(LicensingError::UriTooLong.into()));
        let notice = refusal(|offer| offer.notice_seconds = Offer::MAX_NOTICE_SECONDS + 1);
        assert_eq!(notice, Some(LicensingError::NoticeTooLong.into()));
    }

    #[test]
    fn terms_hold_from_their_first_to_their_last_second() {
        let mut terms = terms(offer());
        terms.offer.valid_from = 10;
        terms.offer.expires_at = Some(20);
        let valid: Vec<_> = [9, 10, 20, 21].map(|now| terms.valid_at(now)).to_vec();
        assert_eq!(valid, [false, true, true, false]);
    }

    #[test]
    fn a_derivative_is_allowed_only_as_the_terms_say() {
        let allowed = terms(offer());
        assert_eq!(allowed.check_derivative(2_000, false, NOW), Ok(()));
        let too_small = LicensingError::ParentShareTooSmall.into();
        assert_eq!(allowed.check_derivative(1_999, true, NOW), Err(too_small));
        let forbidden = terms(Offer { derivatives: Derivatives::Forbidden, ..offer() });
        let refused = LicensingError::DerivativesForbidden.into();
        assert_eq!(forbidden.check_derivative(10_000, true, NOW), Err(refused));
        let approval = terms(Offer { derivatives: Derivatives::WithApproval, ..offer() });
        let missing = LicensingError::MissingApproval.into();
        assert_eq!(approval.check_derivative(10_000, false, NOW), Err(missing));
        assert_eq!(approval.check_derivative(2_000, true, NOW), Ok(()));
    }

    #[test]
    fn terms_share_alike_only_when_they_are_open_to_everybody() {
        let alike = Offer { share_alike: true, ..offer() };
        assert!(alike.shares_alike());
        assert!(!offer().shares_alike());
        assert!(!Offer { approval_required: true, ..alike.clone() }.shares_alike());
        for derivatives in [Derivatives::Forbidden, Derivatives::WithApproval] {
            assert!(!Offer { derivatives, ..alike.clone() }.shares_alike());
        }
    }

    #[test]
    fn the_largest_terms_fill_exactly_the_space_they_ask_for() {
        let cap = Some(1);
        let largest = terms(Offer {
            caps: Caps { total_units: cap, daily_units: cap, licensee_units: cap, revenue: cap },
            uses: vec![offer().uses[0]; 8],
            legal_uri: "u".repeat(200),
            ..offer()
        });
        let mut bytes = Vec::new();
        largest.try_serialize(&mut bytes).unwrap();
        assert_eq!(bytes.len(), Terms::space(8, 200));
        assert_eq!(bytes[Terms::WORK_OFFSET..][..32], [7; 32]);
    }
}
