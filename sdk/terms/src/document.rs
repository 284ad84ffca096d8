use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use motif_interface::licensing::{Caps, Derivatives, Offer, Unit, Use, UsePrice};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use solana_pubkey::Pubkey;

use super::{Amount, DocumentError, Instant, Percent, Preset, keys};
use motif_wire::{Address, Digest};
use solana_sha256_hasher::hash;

use motif_text::first_hidden;

const SECONDS_PER_DAY: u32 = 86_400;
const DEFAULT_NOTICE_DAYS: u32 = 30;
/// Maximum size of a document and of a legal text.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Terms as a TOML file. Missing fields come from its preset, then from [`Document::plain`].
///
/// [`Document::parse`] reads what [`Document::to_toml`] writes, and [`Document::from_offer`] keeps
/// all fields of an [`Offer`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Preset to start from.
    pub preset: Option<Preset>,
    /// Mint of all amounts.
    pub currency: Option<Address>,
    /// Whether commercial use is licensed.
    pub commercial: Option<bool>,
    /// Whether outputs must credit the creator.
    pub attribution: Option<bool>,
    /// Whether licensees may sublicense.
    pub sublicensing: Option<bool>,
    /// Whether each acceptance needs the owner's approval.
    pub approval_required: Option<bool>,
    /// Permission to register derivatives.
    pub derivatives: Option<Derivatives>,
    /// Minimum share in a derivative's earnings.
    pub derivative_share: Option<Percent>,
    /// Whether derivatives must allow derivatives on the same condition.
    pub share_alike: Option<bool>,
    /// Fee charged once at acceptance.
    pub upfront_fee: Option<Amount>,
    /// Free units of each license.
    pub free_units: Option<Count>,
    /// First second of acceptance.
    pub valid_from: Option<Instant>,
    /// Last second of acceptance, use and settlement.
    pub expires_at: Option<Instant>,
    /// Notice before a withdrawal ends licenses, days.
    pub notice_days: Option<u32>,
    /// Notice in seconds, if it is not a whole number of days.
    pub notice_seconds: Option<u32>,
    /// Path of the legal text, relative to the document's folder. Its SHA-256 is stored on chain.
    pub legal_text: Option<PathBuf>,
    /// SHA-256 of the legal text, in place of its path.
    pub legal_digest: Option<Digest>,
    /// URI of the legal text.
    pub legal_uri: Option<String>,
    /// Authorities of the operators that channels of licensees may have. Default: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<Address>,
    /// Caps.
    #[serde(default, skip_serializing_if = "CapsEntry::is_empty")]
    pub caps: CapsEntry,
    /// Licensed uses. If present, they replace those of the preset.
    #[serde(default, rename = "use", skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<UseEntry>,
}

/// Caps in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapsEntry {
    /// Maximum units of all licensees together.
    pub total_units: Option<Count>,
    /// Maximum units of one license on one day (UTC).
    pub daily_units: Option<Count>,
    /// Maximum units of one license.
    pub licensee_units: Option<Count>,
    /// Maximum revenue from all licensees together.
    pub revenue: Option<Amount>,
}

/// Use in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseEntry {
    /// Use.
    #[serde(rename = "use")]
    pub licensed_use: Use,
    /// Unit. Optional if the preset has this use.
    pub unit: Option<Unit>,
    /// Price of one unit. Optional if the preset has a price for this use.
    pub price: Option<Amount>,
}

/// Number of units: an integer in TOML, or digits in quotes above 2^63 - 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count(pub u64);

impl Document {
    /// Returns the defaults of all fields: commercial use, no derivatives, thirty days of notice,
    /// no limits, and no uses.
    pub fn plain() -> Self {
        Self {
            commercial: Some(true),
            attribution: Some(false),
            sublicensing: Some(false),
            approval_required: Some(false),
            derivatives: Some(Derivatives::Forbidden),
            derivative_share: Some(Percent(0)),
            share_alike: Some(false),
            upfront_fee: Some(Amount::BaseUnits(0)),
            free_units: Some(Count(0)),
            valid_from: Some(Instant(0)),
            notice_days: Some(DEFAULT_NOTICE_DAYS),
            legal_digest: Some(Digest([0; 32])),
            legal_uri: Some(String::new()),
            ..Self::default()
        }
    }

    /// Parses a document. The legal text is not read: see [`Document::open`].
    ///
    /// # Errors
    /// [`DocumentError`], with the line and what was expected.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        keys::check(text)?;
        let document: Self = toml::from_str(text).map_err(|error| {
            let line = keys::line_of(text, error.span().map_or(0, |span| span.start));
            let said = text.lines().nth(line - 1).unwrap_or_default().trim().to_owned();
            DocumentError::Value { line, text: said, reason: error.message().to_owned() }
        })?;
        document.check_exclusive_keys()?;
        Ok(document)
    }

    /// Reads a document and its legal text from files.
    ///
    /// # Errors
    /// As [`Document::parse`]; [`DocumentError::Unreadable`].
    pub fn open(path: &Path) -> Result<Self, DocumentError> {
        let bytes = read(path)?;
        let text = String::from_utf8(bytes).map_err(|error| DocumentError::Unreadable {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text)?.with_legal_text(folder)
    }

    /// Replaces the path of the legal text by its digest, read from `folder`.
    ///
    /// # Errors
    /// [`DocumentError::Unreadable`].
    pub fn with_legal_text(mut self, folder: &Path) -> Result<Self, DocumentError> {
        if let Some(path) = self.legal_text.take() {
            self.legal_digest = Some(Digest(hash(&read(&folder.join(path))?).to_bytes()));
        }
        Ok(self)
    }

    /// Returns this document with missing fields from `base`.
    pub fn over(self, base: &Self) -> Self {
        let noticed = self.notice_days.is_some() || self.notice_seconds.is_some();
        let legal = self.legal_text.is_some() || self.legal_digest.is_some();
        Self {
            preset: self.preset.or(base.preset),
            currency: self.currency.or(base.currency),
            commercial: self.commercial.or(base.commercial),
            attribution: self.attribution.or(base.attribution),
            sublicensing: self.sublicensing.or(base.sublicensing),
            approval_required: self.approval_required.or(base.approval_required),
            derivatives: self.derivatives.or(base.derivatives),
            derivative_share: self.derivative_share.or(base.derivative_share),
            share_alike: self.share_alike.or(base.share_alike),
            upfront_fee: self.upfront_fee.or_else(|| base.upfront_fee.clone()),
            free_units: self.free_units.or(base.free_units),
            valid_from: self.valid_from.or(base.valid_from),
            expires_at: self.expires_at.or(base.expires_at),
            notice_days: if noticed { self.notice_days } else { base.notice_days },
            notice_seconds: if noticed { self.notice_seconds } else { base.notice_seconds },
            legal_text: if legal { self.legal_text } else { base.legal_text.clone() },
            legal_digest: if legal { self.legal_digest } else { base.legal_digest },
            legal_uri: self.legal_uri.or_else(|| base.legal_uri.clone()),
            operators: if self.operators.is_empty() {
                base.operators.clone()
            } else {
                self.operators
            },
            caps: self.caps.over(&base.caps),
            uses: if self.uses.is_empty() { base.uses.clone() } else { self.uses },
        }
    }

    /// Converts the document to an offer. Without the currency's `decimals`, all amounts must be
    /// base units.
    ///
    /// # Errors
    /// [`DocumentError`]; the program's own checks are in [`check`].
    pub fn offer(&self, decimals: Option<u8>) -> Result<Offer, DocumentError> {
        let preset = self.preset.map_or_else(Self::default, Preset::document);
        let base = preset.over(&Self::plain());
        let said = self.clone().over(&base);
        if let Some(path) = said.legal_text {
            return Err(DocumentError::LegalTextUnread(path.display().to_string()));
        }
        let amount = |key: &str, amount: Option<Amount>| {
            let read = amount.map(|amount| amount.base_units(decimals)).transpose();
            read.map_err(|reason| DocumentError::amount(key, reason))
        };
        Ok(Offer {
            commercial: said.commercial.unwrap_or_default(),
            attribution: said.attribution.unwrap_or_default(),
            sublicensing: said.sublicensing.unwrap_or_default(),
            approval_required: said.approval_required.unwrap_or_default(),
            derivatives: said.derivatives.unwrap_or(Derivatives::Forbidden),
            share_alike: said.share_alike.unwrap_or_default(),
            derivative_share_bps: said.derivative_share.unwrap_or_default().0,
            upfront_fee: amount("upfront_fee", said.upfront_fee)?.unwrap_or_default(),
            free_units: said.free_units.unwrap_or_default().0,
            caps: Caps {
                total_units: said.caps.total_units.map(|units| units.0),
                daily_units: said.caps.daily_units.map(|units| units.0),
                licensee_units: said.caps.licensee_units.map(|units| units.0),
                revenue: amount("caps.revenue", said.caps.revenue)?,
            },
            valid_from: said.valid_from.map_or(0, |instant| instant.0),
            expires_at: said.expires_at.map(|instant| instant.0),
            notice_seconds: notice_seconds(said.notice_days, said.notice_seconds)?,
            legal_digest: said.legal_digest.map_or([0; 32], |digest| digest.0),
            uses: self.uses(&base, &said.uses, decimals)?,
            operators: said.operators.iter().map(|operator| operator.0).collect(),
            legal_uri: said.legal_uri.unwrap_or_default(),
        })
    }

    /// Creates the document of an offer, without a preset and with amounts in base units.
    pub fn from_offer(currency: Pubkey, offer: &Offer) -> Self {
        let (days, rest) =
            (offer.notice_seconds / SECONDS_PER_DAY, offer.notice_seconds % SECONDS_PER_DAY);
        let units = |cap: Option<u64>| cap.map(Count);
        let entry = |price: &UsePrice| UseEntry {
            licensed_use: price.licensed_use,
            unit: Some(price.unit),
            price: Some(Amount::BaseUnits(price.price)),
        };
        Self {
            preset: None,
            currency: Some(Address(currency)),
            commercial: Some(offer.commercial),
            attribution: Some(offer.attribution),
            sublicensing: Some(offer.sublicensing),
            approval_required: Some(offer.approval_required),
            derivatives: Some(offer.derivatives),
            derivative_share: Some(Percent(offer.derivative_share_bps)),
            share_alike: Some(offer.share_alike),
            upfront_fee: Some(Amount::BaseUnits(offer.upfront_fee)),
            free_units: Some(Count(offer.free_units)),
            valid_from: (offer.valid_from != 0).then_some(Instant(offer.valid_from)),
            expires_at: offer.expires_at.map(Instant),
            notice_days: (rest == 0).then_some(days),
            notice_seconds: (rest != 0).then_some(offer.notice_seconds),
            legal_text: None,
            legal_digest: (offer.legal_digest != [0; 32]).then_some(Digest(offer.legal_digest)),
            legal_uri: (!offer.legal_uri.is_empty()).then(|| offer.legal_uri.clone()),
            operators: offer.operators.iter().copied().map(Address).collect(),
            caps: CapsEntry {
                total_units: units(offer.caps.total_units),
                daily_units: units(offer.caps.daily_units),
                licensee_units: units(offer.caps.licensee_units),
                revenue: offer.caps.revenue.map(Amount::BaseUnits),
            },
            uses: offer.uses.iter().map(entry).collect(),
        }
    }

    /// Formats the document as TOML.
    pub fn to_toml(&self) -> String {
        // Every field can be serialized as TOML.
        toml::to_string(self).unwrap_or_else(|error| format!("# cannot be written: {error}\n"))
    }

    /// Whether an amount is a decimal, which needs the currency's decimals.
    pub fn needs_decimals(&self) -> bool {
        let prices = self.uses.iter().filter_map(|entry| entry.price.as_ref());
        let amounts = prices.chain(&self.upfront_fee).chain(&self.caps.revenue);
        amounts.into_iter().any(Amount::needs_decimals)
    }

    fn uses(
        &self,
        base: &Self,
        said: &[UseEntry],
        decimals: Option<u8>,
    ) -> Result<Vec<UsePrice>, DocumentError> {
        if said.is_empty() {
            return Err(DocumentError::NoUses);
        }
        let complete = |entry: &UseEntry| {
            let licensed_use = entry.licensed_use;
            let preset = base.uses.iter().find(|other| other.licensed_use == licensed_use);
            let unit = entry.unit.or(preset.and_then(|preset| preset.unit));
            let usual = usual_unit(licensed_use);
            let unit = unit.ok_or(DocumentError::NoUnit { licensed_use, usual })?;
            let price = entry.price.as_ref().or(preset.and_then(|preset| preset.price.as_ref()));
            let price = price.ok_or_else(|| DocumentError::unpriced(licensed_use, self.preset))?;
            let price = price.base_units(decimals);
            let key = || format!("price of {licensed_use}");
            let price = price.map_err(|reason| DocumentError::amount(key(), reason))?;
            Ok(UsePrice { licensed_use, unit, price })
        };
        said.iter().map(complete).collect()
    }

    fn check_exclusive_keys(&self) -> Result<(), DocumentError> {
        if self.notice_days.is_some() && self.notice_seconds.is_some() {
            let (one, other) = ("notice_days", "notice_seconds");
            return Err(DocumentError::Both { one, other });
        }
        if self.legal_text.is_some() && self.legal_digest.is_some() {
            let (one, other) = ("legal_text", "legal_digest");
            return Err(DocumentError::Both { one, other });
        }
        Ok(())
    }
}

/// Checks an offer as the licensing program does at `now`, unix seconds, and that its URI has no
/// hidden characters.
///
/// # Errors
/// [`DocumentError::Refused`]; [`DocumentError::HiddenCharacter`].
pub fn check(offer: &Offer, now: i64) -> Result<(), DocumentError> {
    if let Some(hidden) = first_hidden(&offer.legal_uri) {
        return Err(DocumentError::HiddenCharacter { key: "legal_uri", hidden });
    }
    offer
        .check(now)
        .map_err(|error| DocumentError::Refused { name: error.name(), message: error.to_string() })
}

impl CapsEntry {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn over(self, base: &Self) -> Self {
        Self {
            total_units: self.total_units.or(base.total_units),
            daily_units: self.daily_units.or(base.daily_units),
            licensee_units: self.licensee_units.or(base.licensee_units),
            revenue: self.revenue.or_else(|| base.revenue.clone()),
        }
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(units) => serializer.serialize_i64(units),
            Err(_) => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl de::Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number of units such as 1000")
    }

    fn visit_i64<E: de::Error>(self, units: i64) -> Result<Count, E> {
        let negative = || E::invalid_value(de::Unexpected::Signed(units), &self);
        u64::try_from(units).map(Count).map_err(|_| negative())
    }

    fn visit_u64<E: de::Error>(self, units: u64) -> Result<Count, E> {
        Ok(Count(units))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Count, E> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let units = text.parse().ok().filter(|_| digits);
        units.map(Count).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

fn notice_seconds(days: Option<u32>, seconds: Option<u32>) -> Result<u32, DocumentError> {
    let Some(days) = days else { return Ok(seconds.unwrap_or_default()) };
    days.checked_mul(SECONDS_PER_DAY).ok_or(DocumentError::NoticeTooLong(days))
}

fn usual_unit(licensed_use: Use) -> Unit {
    match licensed_use {
        Use::Generate | Use::StyleTransfer => Unit::Generation,
        Use::VoiceConvert | Use::Play => Unit::Second,
        Use::Train | Use::FineTune => Unit::TrainingRun,
    }
}

/// Reads a file of at most [`MAX_FILE_BYTES`]; it may be a pipe.
fn read(path: &Path) -> Result<Vec<u8>, DocumentError> {
    let unreadable =
        |reason: String| DocumentError::Unreadable { path: path.display().to_string(), reason };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(unreadable(format!("more than {MAX_FILE_BYTES} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
