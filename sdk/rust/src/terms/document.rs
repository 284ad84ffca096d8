use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::licensing::{Caps, Derivatives, Offer, Unit, Use, UsePrice};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use solana_pubkey::Pubkey;

use super::{Amount, DocumentError, Instant, Percent, Preset, keys};
use motif_wire::{Address, Digest};
use solana_sha256_hasher::hash;

use crate::text::first_hidden;

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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn refusal(text: &str) -> String {
        let read = Document::parse(text).and_then(|document| document.offer(Some(6)));
        read.and_then(|offer| check(&offer, NOW)).unwrap_err().to_string()
    }

    #[test]
    fn uri_with_hidden_character_is_rejected() {
        let uses = "[[use]]\nuse = \"generate\"\nunit = \"generation\"\nprice = 1";
        for hidden in ["\\u001b", "\\u202e", "\\n", "\\u200b", "\\ufeff"] {
            let refused = refusal(&format!("legal_uri = \"https://e.com/{hidden}\"\n{uses}"));
            assert!(refused.starts_with("`legal_uri` has the hidden character"), "{refused}");
        }
    }

    #[test]
    fn endless_file_is_not_read() {
        let opened = Document::open(Path::new("/dev/zero")).unwrap_err();
        assert!(matches!(opened, DocumentError::Unreadable { .. }), "{opened}");
    }

    #[test]
    fn document_maps_to_every_offer_field() {
        let text = r#"
            currency = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"
            commercial = false
            attribution = true
            sublicensing = true
            approval_required = true
            derivatives = "approval"
            derivative_share = "12.5%"
            share_alike = true
            upfront_fee = "2.5"
            free_units = 10
            valid_from = 2027-02-01T00:00:00+01:00
            expires_at = "2028-01-01T00:00:00Z"
            notice_days = 60
            legal_uri = "https://example.com/license"

            [caps]
            total_units = 1000
            daily_units = 10
            licensee_units = 100
            revenue = 5000000

            [[use]]
            use = "generate"
            unit = "generation"
            price = "0.001"

            [[use]]
            use = "train"
            unit = "training-run"
            price = 7
        "#;
        let offer = Document::parse(text).unwrap().offer(Some(6)).unwrap();
        let uses = [(Use::Generate, Unit::Generation, 1_000), (Use::Train, Unit::TrainingRun, 7)];
        let expected = Offer {
            commercial: false,
            attribution: true,
            sublicensing: true,
            approval_required: true,
            derivatives: Derivatives::WithApproval,
            share_alike: true,
            derivative_share_bps: 1_250,
            upfront_fee: 2_500_000,
            free_units: 10,
            caps: Caps {
                total_units: Some(1_000),
                daily_units: Some(10),
                licensee_units: Some(100),
                revenue: Some(5_000_000),
            },
            valid_from: 1_801_436_400,
            expires_at: Some(1_830_297_600),
            notice_seconds: 60 * SECONDS_PER_DAY,
            legal_digest: [0; 32],
            uses: uses
                .map(|(licensed_use, unit, price)| UsePrice { licensed_use, unit, price })
                .to_vec(),
            operators: Vec::new(),
            legal_uri: "https://example.com/license".to_owned(),
        };
        assert_eq!(offer, expected);
    }

    #[test]
    fn document_overrides_preset_fields() {
        let preset = "preset = \"commercial-remix-share-alike\"\n";
        let priced = "[[use]]\nuse = \"generate\"\nprice = 5\n";
        let offer = |between: &str| {
            let text = format!("{preset}{between}{priced}");
            Document::parse(&text).unwrap().offer(None).unwrap()
        };
        let as_preset = offer("");
        assert!(as_preset.share_alike && as_preset.attribution);
        let changed = offer("attribution = false\nderivative_share = \"7%\"\n");
        let expected = Offer { attribution: false, derivative_share_bps: 700, ..as_preset };
        assert_eq!(changed, expected);
        assert_eq!(changed.uses.len(), 1, "a document's uses are all there are");
    }

    #[test]
    fn unknown_key_error_suggests_nearest() {
        let line = |text| refusal(text);
        assert_eq!(line("prest = 1"), "line 1: unknown key `prest`; did you mean `preset`?");
        assert_eq!(
            line("\n[caps]\ndaily_unit = 1"),
            "line 3: unknown key `daily_unit` in [caps]; did you mean `daily_units`?"
        );
        assert_eq!(
            line("[[use]]\nuse = \"play\"\nprise = 1"),
            "line 3: unknown key `prise` in [[use]]; did you mean `price`?"
        );
    }

    #[test]
    fn errors_state_what_was_expected() {
        let says = |text: &str, expected: &str| {
            let said = refusal(text);
            assert!(said.contains(expected), "{text}\nsays: {said}");
        };
        let priced = |price: &str| format!("[[use]]\nuse = \"play\"\nunit = \"second\"\n{price}");
        says("commercial = ", "line 1 is not TOML");
        says("commercial = \"yes\"", "line 1, `commercial = \"yes\"`: invalid type");
        says("derivatives = \"yes\"", "forbidden");
        says("preset = \"non-comercial-remix\"", "did you mean `non-commercial-remix`?");
        says("derivative_share = 20", "\"20%\"");
        says("derivative_share = \"120%\"", "expected for example 50%");
        says("currency = \"dollars\"", "base58 public key");
        says("expires_at = 2027-01-01", "2027-01-01T00:00:00Z");
        says("free_units = -1", "a number of units such as 1000");
        says("[[use]]\nuse = \"fly\"", "style-transfer");
        says("[[use]]\nuse = \"train\"\nunit = \"mile\"\nprice = 1", "training-run");
        says(&priced("price = 0.001"), "a decimal in quotes such as \"0.001\"");
        says(&priced("price = -1"), "not negative");
        says(&priced("price = \"0.0000001\""), "more decimals than the currency, which has 6");
        says(&priced(""), "`play` has no price; add");
        says("[[use]]\nuse = \"voice-convert\"\nprice = 1", "unit = \"second\"");
        says("", "terms need a use");
        says("preset = \"voice-50-50\"", "preset `voice-50-50` sets none");
        says("notice_days = 30\nnotice_seconds = 5", "keep one of them");
        says("notice_days = 4000000000", "at most 366");
        says("legal_text = \"a\"\nlegal_digest = \"00\"", "64 hexadecimal digits");
        says(&format!("notice_days = 367\n{}", priced("price = 1")), "(NoticeTooLong)");
        says(
            &format!("expires_at = 2020-01-01T00:00:00Z\n{}", priced("price = 1")),
            "(InvalidTermsPeriod)",
        );
        says(&format!("legal_text = \"x.md\"\n{}", priced("price = 1")), "was not read");
    }

    #[test]
    fn decimal_price_needs_currency_decimals() {
        let entry = |price: &str| format!("[[use]]\nuse=\"play\"\nunit=\"second\"\nprice={price}");
        let document = Document::parse(&entry("\"0.5\"")).unwrap();
        assert!(document.needs_decimals());
        let refused = document.offer(None).unwrap_err().to_string();
        assert!(refused.starts_with("`price of play`: \"0.5\" needs the currency's decimals"));
        let base_units = Document::parse(&entry("500000")).unwrap();
        assert!(!base_units.needs_decimals());
        assert_eq!(base_units.offer(None), document.offer(Some(6)));
    }

    #[test]
    fn legal_text_is_read_and_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terms.toml");
        let text = "legal_text = \"license.md\"\n[[use]]\nuse=\"play\"\nunit=\"second\"\nprice=1";
        std::fs::write(&path, text).unwrap();
        let missing = Document::open(&path).unwrap_err().to_string();
        assert!(missing.contains("license.md"), "{missing}");
        std::fs::write(folder.path().join("license.md"), "be kind").unwrap();
        let offer = Document::open(&path).unwrap().offer(None).unwrap();
        assert_eq!(offer.legal_digest, hash(b"be kind").to_bytes());
    }

    #[test]
    fn key_lists_are_complete() {
        let offer = Offer {
            expires_at: Some(2),
            valid_from: 1,
            legal_digest: [1; 32],
            legal_uri: "u".to_owned(),
            operators: vec![Pubkey::default()],
            caps: Caps {
                total_units: Some(1),
                daily_units: Some(1),
                licensee_units: Some(1),
                revenue: Some(1),
            },
            ..Document::parse("[[use]]\nuse=\"play\"\nunit=\"second\"\nprice=1")
                .unwrap()
                .offer(None)
                .unwrap()
        };
        let full = Document {
            preset: Some(Preset::Voice5050),
            notice_seconds: Some(1),
            legal_text: Some("x".into()),
            ..Document::from_offer(Pubkey::default(), &offer)
        };
        let table: toml::Table = full.to_toml().parse().unwrap();
        let sorted = |keys: &mut Vec<&str>| keys.sort_unstable();
        let (mut written, mut known): (Vec<_>, Vec<_>) =
            (table.keys().map(String::as_str).collect(), keys::TOP.to_vec());
        sorted(&mut written);
        sorted(&mut known);
        assert_eq!(written, known);
        let caps: Vec<_> = table["caps"].as_table().unwrap().keys().cloned().collect();
        assert_eq!(caps.len(), keys::CAPS.len());
        let entry = table["use"].as_array().unwrap()[0].as_table().unwrap();
        assert_eq!(entry.len(), keys::USE.len());
    }

    fn any_offer() -> impl Strategy<Value = Offer> {
        let cap = || proptest::option::of(1..=u64::MAX);
        let price = (0..6_usize, 0..4_usize, any::<u64>());
        let flags = any::<[bool; 5]>();
        let scalars = (any::<u64>(), any::<u64>(), any::<i64>(), any::<u32>(), 0..=10_000_u16);
        let rest = (
            proptest::option::of(any::<i64>()),
            any::<[u8; 32]>(),
            "[ -~\n\u{e9}]{0,40}",
            0..3_usize,
            proptest::collection::vec(any::<[u8; 32]>(), 0..=4),
        );
        let caps = (cap(), cap(), cap(), cap());
        (flags, scalars, rest, caps, proptest::collection::vec(price, 1..=8)).prop_map(
            |(flags, scalars, rest, caps, prices)| {
                let uses = prices.into_iter().map(|(licensed_use, unit, price)| UsePrice {
                    licensed_use: Use::ALL[licensed_use],
                    unit: Unit::ALL[unit],
                    price,
                });
                Offer {
                    commercial: flags[0],
                    attribution: flags[1],
                    sublicensing: flags[2],
                    approval_required: flags[3],
                    derivatives: Derivatives::ALL[rest.3],
                    share_alike: flags[4],
                    derivative_share_bps: scalars.4,
                    upfront_fee: scalars.0,
                    free_units: scalars.1,
                    caps: Caps {
                        total_units: caps.0,
                        daily_units: caps.1,
                        licensee_units: caps.2,
                        revenue: caps.3,
                    },
                    valid_from: scalars.2,
                    expires_at: rest.0,
                    notice_seconds: scalars.3,
                    legal_digest: rest.1,
                    uses: uses.collect(),
                    operators: rest.4.into_iter().map(Pubkey::new_from_array).collect(),
                    legal_uri: rest.2,
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn offer_round_trips_through_document(offer in any_offer()) {
            let document = Document::from_offer(Pubkey::new_from_array([9; 32]), &offer);
            let read = Document::parse(&document.to_toml()).unwrap();
            prop_assert_eq!(&read, &document);
            prop_assert_eq!(read.offer(None).unwrap(), offer);
        }

        #[test]
        fn parser_does_not_panic(text in "[a-z_\\[\\]=\"0-9.\n ]{0,200}") {
            let _ = Document::parse(&text).and_then(|document| document.offer(Some(6)));
        }
    }
}
