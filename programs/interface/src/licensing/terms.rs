use solana_pubkey::Pubkey;

use super::{Consent, LicensingError};
use crate::{UnknownWord, bps::WHOLE_BPS, codec::*, require};

/// Use of a work. Stored as one byte, in this order: append only.
#[derive(
    BorshSerialize,
    BorshDeserialize,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = UnknownWord,
    parse_err_fn = UnknownWord::expected::<Use>
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Use {
    /// Generate content with the work as an input.
    Generate,
    /// Apply the work's style to other content.
    StyleTransfer,
    /// Convert speech or song to the work's voice.
    VoiceConvert,
    /// Train a model from scratch.
    Train,
    /// Fine-tune an existing model.
    FineTune,
    /// Perform or display the work.
    Play,
}

/// Unit in which a use is counted. Stored as one byte, in this order: append only.
#[derive(
    BorshSerialize,
    BorshDeserialize,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = UnknownWord,
    parse_err_fn = UnknownWord::expected::<Unit>
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Unit {
    /// One generated output.
    Generation,
    /// One second of output.
    Second,
    /// A thousand tokens of output.
    ThousandTokens,
    /// One training run.
    TrainingRun,
}

/// Price of one unit of one use.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsePrice {
    /// Licensed use.
    pub licensed_use: Use,
    /// Unit in which the use is counted.
    pub unit: Unit,
    /// Price of one unit, base units of the terms' currency; 0 for a free use.
    pub price: u64,
}

impl UsePrice {
    /// Bytes of a price in an account or an instruction.
    pub const SIZE: usize = 10;
}

/// Whether other creators may register derivatives of a work. One byte: append only.
#[derive(
    BorshSerialize,
    BorshDeserialize,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = UnknownWord,
    parse_err_fn = UnknownWord::expected::<Derivatives>
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Derivatives {
    /// Only with the signature of the work's owner.
    Forbidden,
    /// With an approval of the work's owner.
    #[strum(serialize = "approval")]
    #[cfg_attr(feature = "serde", serde(rename = "approval"))]
    WithApproval,
    /// Without approval.
    Allowed,
}

/// Limits that the payments program enforces; `None` for no limit.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Maximum units of all licensees together.
    pub total_units: Option<u64>,
    /// Maximum units of one license per UTC day.
    pub daily_units: Option<u64>,
    /// Maximum units of one license.
    pub licensee_units: Option<u64>,
    /// Maximum prices paid by all licensees together, base units of the currency.
    pub revenue: Option<u64>,
}

impl Caps {
    /// Returns whether licensees share a cap, of which each license is issued a quota.
    pub fn shared(&self) -> bool {
        self.total_units.is_some() || self.revenue.is_some()
    }
}

/// Content of a version of terms: everything except its number and date.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Commercial use is licensed.
    pub commercial: bool,
    /// Attribution is required.
    pub attribution: bool,
    /// Sublicensing is permitted.
    pub sublicensing: bool,
    /// Every acceptance needs the owner's signature or approval.
    pub approval_required: bool,
    /// Whether derivatives may be registered.
    pub derivatives: Derivatives,
    /// Terms of derivatives must allow derivatives, share-alike and without approval.
    pub share_alike: bool,
    /// Minimum share of a derivative's earnings for this work.
    pub derivative_share_bps: u16,
    /// Fee charged once at acceptance, base units.
    pub upfront_fee: u64,
    /// Units of each license that are free.
    pub free_units: u64,
    /// Limits of use.
    pub caps: Caps,
    /// First unix second in which the terms can be accepted.
    pub valid_from: i64,
    /// Last unix second in which the terms can be accepted, used or settled; `None` for no expiry.
    pub expires_at: Option<i64>,
    /// Notice before a withdrawal of the work ends a license.
    pub notice_seconds: u32,
    /// SHA-256 of the legal text.
    pub legal_digest: [u8; 32],
    /// Licensed uses with their prices, each use once.
    pub uses: Vec<UsePrice>,
    /// Authorities of the operators that channels of licensees may have, each once; empty for any.
    pub operators: Vec<Pubkey>,
    /// Location of the legal text.
    pub legal_uri: String,
}

/// Immutable, numbered version of a work's terms.
///
/// Seeds: `["terms", work, number as u32 little-endian]`. Numbers start at 1.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Licensed work.
    pub work: Pubkey,
    /// Number of the version, from 1.
    pub number: u32,
    /// Mint of all amounts in these terms.
    pub currency: Pubkey,
    /// On-chain time of publication, unix seconds.
    pub published_at: i64,
    /// Content.
    pub offer: Offer,
}

impl Offer {
    /// Maximum number of uses.
    pub const MAX_USES: usize = 8;
    /// Maximum number of named operators.
    pub const MAX_OPERATORS: usize = 4;
    /// Maximum length of `legal_uri`.
    pub const MAX_URI_BYTES: usize = 200;
    /// Maximum of `notice_seconds`.
    pub const MAX_NOTICE_SECONDS: u32 = 366 * 86_400;

    /// Creates an offer of commercial uses without limits, upfront fee, notice or derivatives.
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
            operators: Vec::new(),
            legal_uri: String::new(),
        }
    }

    /// Returns whether the terms can be accepted on channels of the operator `authority`.
    pub fn allows_operator(&self, authority: &Pubkey) -> bool {
        self.operators.is_empty() || self.operators.contains(authority)
    }

    const FIXED_SPACE: usize = 4 + 1 + 1 + 2 + 8 + 8 + 4 * 9 + 8 + 9 + 4 + 32;

    /// Returns whether an acceptance deposits tokens: the upfront fee, or the price of a quota.
    pub fn needs_deposit(&self) -> bool {
        self.upfront_fee > 0 || self.caps.shared()
    }

    /// Returns the amount that acceptances earmark for each unit of a quota, base units: the highest
    /// price of all uses, and at least 1.
    pub fn quota_price(&self) -> u64 {
        self.uses.iter().map(|price| price.price).fold(1, u64::max)
    }

    /// Returns whether derivatives are allowed, share-alike and without approval.
    pub fn shares_alike(&self) -> bool {
        let open = self.derivatives == Derivatives::Allowed && !self.approval_required;
        open && self.share_alike
    }

    /// Returns the last unix second of a license under this offer of a work with this consent;
    /// `i64::MAX` for no expiry.
    pub fn license_end(&self, consent: Option<&Consent>) -> i64 {
        let consent_end = consent.and_then(|consent| consent.expires_at);
        [self.expires_at, consent_end].into_iter().flatten().min().unwrap_or(i64::MAX)
    }

    /// Checks every limit of an offer that is published at `now`, unix seconds.
    ///
    /// # Errors
    /// The [`LicensingError`] of the first rule that the offer violates.
    pub fn check(&self, now: i64) -> Result<(), LicensingError> {
        let uses = &self.uses;
        require!((1..=Self::MAX_USES).contains(&uses.len()), LicensingError::InvalidUseCount);
        for (position, price) in uses.iter().enumerate() {
            let seen_before =
                uses[..position].iter().any(|other| other.licensed_use == price.licensed_use);
            require!(!seen_before, LicensingError::DuplicateUse);
        }
        let operators = &self.operators;
        require!(operators.len() <= Self::MAX_OPERATORS, LicensingError::InvalidOperators);
        for (position, operator) in operators.iter().enumerate() {
            let seen_before = operators[..position].contains(operator);
            require!(!seen_before, LicensingError::InvalidOperators);
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
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"terms";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Offset of `work` in the account, for RPC filters.
    pub const WORK_OFFSET: usize = 10;

    const FIXED_SPACE: usize = 8 + 2 + 32 + 4 + 32 + 8;

    /// Returns the bytes of an account for terms with `uses` prices, that name `operators`, with a
    /// URI of `uri_bytes`.
    pub const fn space(uses: usize, operators: usize, uri_bytes: usize) -> usize {
        let lists = (4 + uses * UsePrice::SIZE) + (4 + operators * 32) + (4 + uri_bytes);
        Self::FIXED_SPACE + Offer::FIXED_SPACE + lists
    }

    /// Returns whether the terms are valid at `now`: from `valid_from` through `expires_at`.
    pub fn valid_at(&self, now: i64) -> bool {
        now >= self.offer.valid_from && self.offer.expires_at.is_none_or(|end| now <= end)
    }

    /// Returns the price of a use, or `None` if the terms do not license it.
    pub fn price_of(&self, licensed_use: Use) -> Option<&UsePrice> {
        self.offer.uses.iter().find(|price| price.licensed_use == licensed_use)
    }

    /// Checks that the terms allow a derivative which gives this work `share_bps` of its earnings.
    /// `approved` states whether the owner has approved it.
    ///
    /// # Errors
    /// [`LicensingError::TermsNotValidNow`], [`LicensingError::DerivativesForbidden`],
    /// [`LicensingError::MissingApproval`], [`LicensingError::ParentShareTooSmall`].
    pub fn check_derivative(
        &self,
        share_bps: u16,
        approved: bool,
        now: i64,
    ) -> Result<(), LicensingError> {
        require!(self.valid_at(now), LicensingError::TermsNotValidNow);
        match self.offer.derivatives {
            Derivatives::Forbidden => return Err(LicensingError::DerivativesForbidden),
            Derivatives::WithApproval => require!(approved, LicensingError::MissingApproval),
            Derivatives::Allowed => {}
        }
        let enough = share_bps >= self.offer.derivative_share_bps;
        require!(enough, LicensingError::ParentShareTooSmall);
        Ok(())
    }
}

// The layout of existing accounts never changes.
const _: () = assert!(Terms::space(1, 0, 0) == 221);
const _: () =
    assert!(Terms::space(Offer::MAX_USES, Offer::MAX_OPERATORS, Offer::MAX_URI_BYTES) == 619);

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
            operators: Vec::new(),
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

    fn refusal(change: impl FnOnce(&mut Offer)) -> Option<LicensingError> {
        let mut offer = offer();
        change(&mut offer);
        offer.check(NOW).err()
    }

    #[test]
    fn invalid_offer_is_rejected() {
        assert_eq!(offer().check(NOW), Ok(()));
        let none = refusal(|offer| offer.uses.clear());
        assert_eq!(none, Some(LicensingError::InvalidUseCount));
        let twice = refusal(|offer| offer.uses.push(offer.uses[0]));
        assert_eq!(twice, Some(LicensingError::DuplicateUse));
        let empty = refusal(|offer| offer.caps.daily_units = Some(0));
        assert_eq!(empty, Some(LicensingError::EmptyCap));
        let share = refusal(|offer| offer.derivative_share_bps = 10_001);
        assert_eq!(share, Some(LicensingError::InvalidDerivativeShare));
        let expired = refusal(|offer| offer.expires_at = Some(NOW));
        assert_eq!(expired, Some(LicensingError::InvalidTermsPeriod));
        let backwards = refusal(|offer| offer.valid_from = NOW + 1);
        assert_eq!(backwards, Some(LicensingError::InvalidTermsPeriod));
        let uri = refusal(|offer| offer.legal_uri = "u".repeat(201));
        assert_eq!(uri, Some(LicensingError::UriTooLong));
        let operators = Some(LicensingError::InvalidOperators);
        let key = |number| Pubkey::new_from_array([number; 32]);
        assert_eq!(refusal(|offer| offer.operators = vec![key(1); 2]), operators);
        assert_eq!(refusal(|offer| offer.operators = (0..5).map(key).collect()), operators);
        assert_eq!(refusal(|offer| offer.operators = (0..4).map(key).collect()), None);
        let notice = refusal(|offer| offer.notice_seconds = Offer::MAX_NOTICE_SECONDS + 1);
        assert_eq!(notice, Some(LicensingError::NoticeTooLong));
    }

    #[test]
    fn named_operators_exclude_others() {
        let named = Pubkey::new_from_array([1; 32]);
        assert!(offer().allows_operator(&named));
        let offer = Offer { operators: vec![named], ..offer() };
        assert!(offer.allows_operator(&named) && !offer.allows_operator(&Pubkey::default()));
    }

    #[test]
    fn terms_are_valid_within_their_period() {
        let mut terms = terms(offer());
        terms.offer.valid_from = 10;
        terms.offer.expires_at = Some(20);
        let valid: Vec<_> = [9, 10, 20, 21].map(|now| terms.valid_at(now)).to_vec();
        assert_eq!(valid, [false, true, true, false]);
    }

    #[test]
    fn license_ends_with_terms_or_consent() {
        let consent = |expires_at| Consent { person: Pubkey::default(), expires_at };
        let ends = |terms_end, consent| {
            Offer { expires_at: terms_end, ..offer() }.license_end(Option::as_ref(&consent))
        };
        assert_eq!(ends(None, None), i64::MAX);
        assert_eq!(ends(None, Some(consent(None))), i64::MAX);
        assert_eq!(ends(Some(5), Some(consent(None))), 5);
        assert_eq!(ends(None, Some(consent(Some(4)))), 4);
        assert_eq!(ends(Some(5), Some(consent(Some(6)))), 5);
    }

    #[test]
    fn derivative_needs_permission_of_terms() {
        let allowed = terms(offer());
        assert_eq!(allowed.check_derivative(2_000, false, NOW), Ok(()));
        let too_small = LicensingError::ParentShareTooSmall;
        assert_eq!(allowed.check_derivative(1_999, true, NOW), Err(too_small));
        let forbidden = terms(Offer { derivatives: Derivatives::Forbidden, ..offer() });
        let refused = LicensingError::DerivativesForbidden;
        assert_eq!(forbidden.check_derivative(10_000, true, NOW), Err(refused));
        let approval = terms(Offer { derivatives: Derivatives::WithApproval, ..offer() });
        let missing = LicensingError::MissingApproval;
        assert_eq!(approval.check_derivative(10_000, false, NOW), Err(missing));
        assert_eq!(approval.check_derivative(2_000, true, NOW), Ok(()));
    }

    #[test]
    fn quota_unit_counts_at_highest_price() {
        let price = |price| UsePrice { price, ..offer().uses[0] };
        let priced = |uses| Offer { uses, ..offer() }.quota_price();
        assert_eq!(priced(vec![price(0)]), 1);
        assert_eq!(priced(vec![price(0), price(70), price(7)]), 70);
    }

    #[test]
    fn share_alike_terms_are_open() {
        let alike = Offer { share_alike: true, ..offer() };
        assert!(alike.shares_alike());
        assert!(!offer().shares_alike());
        assert!(!Offer { approval_required: true, ..alike.clone() }.shares_alike());
        for derivatives in [Derivatives::Forbidden, Derivatives::WithApproval] {
            assert!(!Offer { derivatives, ..alike.clone() }.shares_alike());
        }
    }

    #[test]
    fn largest_terms_fill_their_space() {
        let cap = Some(1);
        let largest = terms(Offer {
            caps: Caps { total_units: cap, daily_units: cap, licensee_units: cap, revenue: cap },
            uses: vec![offer().uses[0]; 8],
            operators: vec![Pubkey::default(); 4],
            legal_uri: "u".repeat(200),
            ..offer()
        });
        let bytes = borsh::to_vec(&largest).unwrap();
        assert_eq!(8 + bytes.len(), Terms::space(8, 4, 200));
        assert_eq!(bytes[Terms::WORK_OFFSET - 8..][..32], [7; 32]);
    }
}
