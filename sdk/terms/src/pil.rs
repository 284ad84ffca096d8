//! Import of Story's Programmable IP License (PIL), version 1.4, from its JSON.
//!
//! Reads the fields of `PILTerms` (`IPILicenseTemplate.sol`) and of the off-chain terms at `uri`,
//! in one object or under `terms`. Each field becomes a field of the document or a [`Warning`];
//! none is dropped silently.
//!
//! PIL sells a license once (`defaultMintingFee`) and has no price per use. The uses of a
//! commercial license are therefore imported without prices, which must be added before the
//! document is a valid offer.

use serde_json::{Map, Value};

use motif_interface::licensing::{Derivatives, Unit, Use};

use super::{Amount, CapsEntry, Document, Instant, Percent, UseEntry};

/// Decimals of Story's payment tokens (WIP, IP).
pub const USUAL_DECIMALS: u8 = 18;

/// On chain, `commercialRevShare` is in millionths of a percent.
const MILLIONTHS: u128 = 1_000_000;
const MILLIONTHS_A_BASIS_POINT: u128 = 10_000;

/// Imported terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Document with all fields that could be mapped.
    pub document: Document,
    /// Fields that could not be mapped exactly.
    pub warnings: Vec<Warning>,
}

/// PIL field that was not mapped exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Name of the field in PIL.
    pub field: String,
    /// Explanation, and what to do.
    pub message: String,
}

/// Errors of importing a PIL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PilError {
    /// Error returned when the text is not JSON.
    #[error("invalid JSON: {0}")]
    NotJson(String),
    /// Error returned when the JSON has no PIL fields.
    #[error("not a PIL: expected an object with fields such as `commercialUse`")]
    NotTerms,
    /// Error returned when a field has an invalid value.
    #[error("`{field}` is {found}; expected {expected}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// Value as written.
        found: String,
        /// Expected value.
        expected: &'static str,
    },
}

/// Imports a PIL at `now`, unix seconds. `decimals` are those of its currency.
///
/// # Errors
/// [`PilError`].
pub fn import(json: &str, decimals: u8, now: i64) -> Result<Imported, PilError> {
    let value = serde_json::from_str(json).map_err(|error| PilError::NotJson(error.to_string()))?;
    let Value::Object(mut fields) = value else { return Err(PilError::NotTerms) };
    if let Some(Value::Object(terms)) = fields.remove("terms") {
        fields.extend(terms);
    }
    if !fields.contains_key("commercialUse") {
        return Err(PilError::NotTerms);
    }
    let mut import = Import { fields, decimals, now, warnings: Vec::new() };
    let document = import.document()?;
    import.warn_of_strangers();
    Ok(Imported { document, warnings: import.warnings })
}

struct Import {
    /// Fields that are not mapped yet.
    fields: Map<String, Value>,
    decimals: u8,
    now: i64,
    warnings: Vec<Warning>,
}

impl Import {
    fn document(&mut self) -> Result<Document, PilError> {
        if self.flag("transferable")? {
            self.warn("transferable", "a license stays with the channel that accepted it");
        }
        if self.address("royaltyPolicy")?.is_some() {
            let message = "each parent pulls its share of a derivative's earnings, at any depth";
            self.warn("royaltyPolicy", message);
        }
        let upfront_fee = self.minting_fee()?;
        let expires_at = self.expiration()?;
        let commercial = self.flag("commercialUse")?;
        let commercial_attribution = self.flag("commercialAttribution")?;
        let approval_required = self.commercializer()?;
        let share = self.revenue_share()?;
        let revenue = self.ceiling()?;
        let derivatives = self.derivatives()?;
        let attribution = self.attribution(commercial_attribution)?;
        let share_alike = self.flag("derivativesReciprocal")?;
        if share_alike && derivatives == Derivatives::Forbidden {
            self.warn(
                "derivativesReciprocal",
                "derivatives are forbidden, so none can share alike",
            );
        }
        if self.number("derivativeRevCeiling")? > 0 {
            let message =
                "terms cannot cap a derivative's revenue; caps.revenue limits this work's own";
            self.warn("derivativeRevCeiling", message);
        }
        if let Some(currency) = self.address("currency")? {
            let message =
                format!("{currency} is not a Solana mint; set `currency`, and check every amount");
            self.warn("currency", message);
        }
        let share = self.share_of_derivatives(share, derivatives);
        let legal_uri = self.uri()?;
        let sublicensing = self.flag("sublicensable")?;
        let uses = self.uses(commercial)?;
        self.warn_of_words();
        Ok(Document {
            commercial: Some(commercial),
            attribution: Some(attribution),
            sublicensing: Some(sublicensing),
            approval_required: Some(approval_required),
            derivatives: Some(derivatives),
            derivative_share: Some(Percent(share)),
            share_alike: Some(share_alike),
            upfront_fee,
            expires_at,
            legal_uri,
            caps: CapsEntry { revenue, ..CapsEntry::default() },
            uses,
            ..Document::default()
        })
    }

    fn minting_fee(&mut self) -> Result<Option<Amount>, PilError> {
        // Name in early versions of PIL.
        let early = self.number("mintingFee")?;
        let fee = self.number("defaultMintingFee")?.max(early);
        if fee == 0 {
            return Ok(None);
        }
        let amount = Amount::decimal(fee, self.decimals);
        if let Amount::Decimal(text) = &amount {
            let message = format!(
                "becomes upfront_fee = \"{text}\": {fee} base units with {} decimals; it is charged once \
                 at acceptance, in your currency",
                self.decimals
            );
            self.warn("defaultMintingFee", message);
        }
        Ok(Some(amount))
    }

    fn expiration(&mut self) -> Result<Option<Instant>, PilError> {
        let seconds = self.number("expiration")?;
        if seconds == 0 {
            return Ok(None);
        }
        let end = i64::try_from(seconds).ok().and_then(|seconds| self.now.checked_add(seconds));
        let Some(end) = end else {
            self.warn("expiration", "exceeds the range of times; imported as never");
            return Ok(None);
        };
        let message = format!(
            "a PIL license lasts {seconds} seconds from its minting, these terms end for all licensees at \
             once; expires_at counts from today"
        );
        self.warn("expiration", message);
        Ok(Some(Instant(end)))
    }

    /// Maps a checking contract to the owner's approval.
    fn commercializer(&mut self) -> Result<bool, PilError> {
        let checker = self.address("commercializerChecker")?;
        if let Some(checker) = &checker {
            let message = format!(
                "contract {checker} selects licensees; approval_required lets you approve them instead"
            );
            self.warn("commercializerChecker", message);
        }
        if self.address("commercializerCheckerData")?.is_some() {
            let message = "no contract is called, so its data has no effect";
            self.warn("commercializerCheckerData", message);
        }
        Ok(checker.is_some())
    }

    /// Parses a share; returns basis points.
    fn revenue_share(&mut self) -> Result<u16, PilError> {
        const FIELD: &str = "commercialRevShare";
        let share = self.number(FIELD)?;
        // Clients write percent. On-chain values are finer, so realistic ones exceed one hundred.
        let millionths = if share <= 100 { share * MILLIONTHS } else { share };
        if millionths > 100 * MILLIONTHS {
            let expected = "0 to 100 percent, or up to 100000000 in the chain's unit";
            return Err(PilError::Field { field: FIELD, found: share.to_string(), expected });
        }
        if millionths % MILLIONTHS_A_BASIS_POINT != 0 {
            self.warn(FIELD, "is finer than 0.01 percent; rounded up");
        }
        // At most 10,000, as checked above.
        Ok(millionths.div_ceil(MILLIONTHS_A_BASIS_POINT) as u16)
    }

    fn share_of_derivatives(&mut self, share_bps: u16, derivatives: Derivatives) -> u16 {
        if share_bps > 0 && derivatives == Derivatives::Forbidden {
            let message = "programs do not see a licensee's earnings, and only derivatives owe a share; set prices";
            self.warn("commercialRevShare", message);
            return 0;
        }
        if share_bps > 0 {
            let message = "becomes derivative_share, a share of derivatives' earnings through Motif; \
                           programs do not see other earnings";
            self.warn("commercialRevShare", message);
        }
        share_bps
    }

    fn ceiling(&mut self) -> Result<Option<Amount>, PilError> {
        let ceiling = self.number("commercialRevCeiling")?;
        if ceiling == 0 {
            return Ok(None);
        }
        let message = "becomes caps.revenue: PIL limits the earnings of licensees, the cap limits their \
                       payments";
        self.warn("commercialRevCeiling", message);
        Ok(Some(Amount::decimal(ceiling, self.decimals)))
    }

    fn derivatives(&mut self) -> Result<Derivatives, PilError> {
        let (allowed, approval) =
            (self.flag("derivativesAllowed")?, self.flag("derivativesApproval")?);
        Ok(match (allowed, approval) {
            (false, _) => Derivatives::Forbidden,
            (true, true) => Derivatives::WithApproval,
            (true, false) => Derivatives::Allowed,
        })
    }

    fn attribution(&mut self, commercial: bool) -> Result<bool, PilError> {
        let of_derivatives = self.flag("derivativesAttribution")?;
        let of_all = self.flag("attribution")?;
        let any = commercial || of_derivatives || of_all;
        if any && !(commercial && of_derivatives) {
            let message =
                "PIL separates commercial use and derivatives; attribution = true requires both";
            let field = if commercial { "commercialAttribution" } else { "derivativesAttribution" };
            self.warn(field, message);
        }
        Ok(any)
    }

    fn uri(&mut self) -> Result<Option<String>, PilError> {
        let uri = self.text("uri")?;
        if uri.len() > motif_interface::licensing::Offer::MAX_URI_BYTES {
            let most = motif_interface::licensing::Offer::MAX_URI_BYTES;
            self.warn("uri", format!("has {} bytes; at most {most} fit on chain", uri.len()));
            return Ok(None);
        }
        if let Some(hidden) = motif_text::first_hidden(&uri) {
            let hidden = hidden.escape_unicode();
            self.warn("uri", format!("has the hidden character {hidden} and is left out"));
            return Ok(None);
        }
        if !uri.is_empty() {
            let message = "becomes legal_uri; set legal_text as well, so that terms contain the text's SHA-256";
            self.warn("uri", message);
        }
        Ok((!uri.is_empty()).then_some(uri))
    }

    fn uses(&mut self, commercial: bool) -> Result<Vec<UseEntry>, PilError> {
        let price = (!commercial).then_some(Amount::BaseUnits(0));
        let entry = |(licensed_use, unit)| UseEntry {
            licensed_use,
            unit: Some(unit),
            price: price.clone(),
        };
        if commercial {
            let message = "PIL has no price for a use: give each [[use]] one before you publish; 0 is a price";
            self.warn("commercialUse", message);
        }
        let mut uses = vec![entry((Use::Generate, Unit::Generation))];
        if self.flag("aiLearningModels")? {
            uses.push(entry((Use::Train, Unit::TrainingRun)));
            uses.push(entry((Use::FineTune, Unit::TrainingRun)));
        }
        Ok(uses)
    }

    /// Off-chain terms that only a legal text can express.
    fn warn_of_words(&mut self) {
        for field in [
            "territory",
            "channelsOfDistribution",
            "contentStandards",
            "restrictionOnCrossPlatformUse",
            "governingLaw",
            "alternativeDisputeResolution",
            "additionalParameters",
            "PILUri",
        ] {
            if let Some(said) = self.fields.remove(field).filter(says_something) {
                let message = format!("{said} can be said by the legal text alone; put it there");
                self.warn(field, message);
            }
        }
    }

    fn warn_of_strangers(&mut self) {
        for (field, said) in std::mem::take(&mut self.fields) {
            if says_something(&said) {
                self.warn(&field, "is no field of PIL that is known here; it is left out");
            }
        }
    }

    fn warn(&mut self, field: &str, message: impl Into<String>) {
        self.warnings.push(Warning { field: field.to_owned(), message: message.into() });
    }

    fn flag(&mut self, field: &'static str) -> Result<bool, PilError> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(wrong(field, &other, "true or false")),
        }
    }

    /// Clients write large numbers as strings, some with JavaScript's suffix `n`.
    fn number(&mut self, field: &'static str) -> Result<u128, PilError> {
        let Some(value) = self.fields.remove(field) else { return Ok(0) };
        let text = match &value {
            Value::Null => return Ok(0),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim_end_matches('n').to_owned(),
            _ => String::new(),
        };
        text.parse().map_err(|_| wrong(field, &value, "a whole number of at most 38 digits"))
    }

    fn text(&mut self, field: &'static str) -> Result<String, PilError> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(wrong(field, &other, "a text in quotes")),
        }
    }

    /// Whether a value is an address or bytes other than zeros.
    fn address(&mut self, field: &'static str) -> Result<Option<String>, PilError> {
        let text = self.text(field)?;
        let empty = text.trim_start_matches("0x").bytes().all(|digit| digit == b'0');
        Ok((!empty).then_some(text))
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn wrong(field: &'static str, found: &Value, expected: &'static str) -> PilError {
    PilError::Field { field, found: found.to_string(), expected }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{DocumentError, check};

    const NOW: i64 = 1_800_000_000;

    fn imported(value: &Value) -> Imported {
        import(&value.to_string(), USUAL_DECIMALS, NOW).unwrap()
    }

    fn warned(imported: &Imported) -> Vec<&str> {
        imported.warnings.iter().map(|warning| warning.field.as_str()).collect()
    }

    /// Story's preset "Non-Commercial Social Remixing", as its client prints it.
    fn social_remixing() -> Value {
        json!({
            "transferable": true,
            "royaltyPolicy": "0x0000000000000000000000000000000000000000",
            "defaultMintingFee": "0",
            "expiration": "0",
            "commercialUse": false,
            "commercialAttribution": false,
            "commercializerChecker": "0x0000000000000000000000000000000000000000",
            "commercializerCheckerData": "0x",
            "commercialRevShare": 0,
            "commercialRevCeiling": "0",
            "derivativesAllowed": true,
            "derivativesAttribution": true,
            "derivativesApproval": false,
            "derivativesReciprocal": true,
            "derivativeRevCeiling": "0",
            "currency": "0x0000000000000000000000000000000000000000",
            "uri": "",
        })
    }

    #[test]
    fn free_pil_becomes_valid_terms() {
        let imported = imported(&social_remixing());
        assert_eq!(warned(&imported), ["transferable", "derivativesAttribution"]);
        let offer = imported.document.offer(None).unwrap();
        assert_eq!(check(&offer, NOW), Ok(()));
        assert!(!offer.commercial && offer.attribution && offer.share_alike);
        assert_eq!(offer.derivatives, motif_interface::licensing::Derivatives::Allowed);
        let read = Document::parse(&imported.document.to_toml()).unwrap();
        assert_eq!(read, imported.document);
    }

    #[test]
    fn every_pil_field_is_mapped_or_reported() {
        let everything = json!({
            "terms": {
                "transferable": true,
                "royaltyPolicy": "0xBe54FB168b3c982b7AaE60dB6CF75Bd8447b390E",
                "defaultMintingFee": "1500000000000000000n",
                "expiration": 1000,
                "commercialUse": true,
                "commercialAttribution": true,
                "commercializerChecker": "0x1daAE3197Bc469Cb97B917aa460a12dD95c6627c",
                "commercializerCheckerData": "0x01",
                "commercialRevShare": 10,
                "commercialRevCeiling": 2000000000000000000u64,
                "derivativesAllowed": true,
                "derivativesAttribution": true,
                "derivativesApproval": true,
                "derivativesReciprocal": true,
                "derivativeRevCeiling": 1,
                "currency": "0x1514000000000000000000000000000000000000",
                "uri": "https://example.com/pil.json",
            },
            "territory": ["Spain"],
            "channelsOfDistribution": ["web"],
            "attribution": true,
            "contentStandards": ["No-Hate"],
            "sublicensable": true,
            "aiLearningModels": true,
            "restrictionOnCrossPlatformUse": true,
            "governingLaw": "California, USA",
            "alternativeDisputeResolution": "mediation",
            "additionalParameters": { "a": 1 },
            "PILUri": "https://example.com/pil.pdf",
            "moodOfTheDay": "blue",
        });
        let imported = imported(&everything);
        let expected = [
            "transferable",
            "royaltyPolicy",
            "defaultMintingFee",
            "expiration",
            "commercializerChecker",
            "commercializerCheckerData",
            "commercialRevCeiling",
            "derivativeRevCeiling",
            "currency",
            "commercialRevShare",
            "uri",
            "commercialUse",
            "territory",
            "channelsOfDistribution",
            "contentStandards",
            "restrictionOnCrossPlatformUse",
            "governingLaw",
            "alternativeDisputeResolution",
            "additionalParameters",
            "PILUri",
            "moodOfTheDay",
        ];
        assert_eq!(warned(&imported), expected);
        let decimal = |text: &str| Some(Amount::Decimal(text.to_owned()));
        let document = &imported.document;
        assert_eq!(document.upfront_fee, decimal("1.5"));
        assert_eq!(document.caps.revenue, decimal("2"));
        assert_eq!(document.expires_at, Some(Instant(NOW + 1_000)));
        assert_eq!(document.derivative_share, Some(Percent(1_000)));
        assert_eq!(document.derivatives, Some(Derivatives::WithApproval));
        let flags = [
            document.commercial,
            document.attribution,
            document.sublicensing,
            document.approval_required,
            document.share_alike,
        ];
        assert_eq!(flags, [Some(true); 5]);
        assert_eq!(document.legal_uri.as_deref(), Some("https://example.com/pil.json"));
        let uses: Vec<_> = document.uses.iter().map(|entry| entry.licensed_use).collect();
        assert_eq!(uses, [Use::Generate, Use::Train, Use::FineTune]);
    }

    #[test]
    fn uri_with_hidden_character_is_left_out() {
        let mut pil = social_remixing();
        pil["uri"] = json!("https://example.com/\u{1b}[2J\u{202e}");
        let imported = imported(&pil);
        assert_eq!(imported.document.legal_uri, None);
        let warning = imported.warnings.iter().find(|warning| warning.field == "uri").unwrap();
        assert_eq!(warning.message, "has the hidden character \\u{1b} and is left out");
    }

    #[test]
    fn commercial_pil_needs_prices() {
        let mut pil = social_remixing();
        pil["commercialUse"] = json!(true);
        let refused = imported(&pil).document.offer(Some(6));
        assert!(matches!(refused, Err(DocumentError::NoPrice { .. })));
    }

    #[test]
    fn share_parses_percent_and_chain_units() {
        let share = |share: u64| {
            let mut pil = social_remixing();
            pil["commercialRevShare"] = json!(share);
            import(&pil.to_string(), USUAL_DECIMALS, NOW)
                .map(|imported| imported.document.derivative_share.unwrap_or_default().0)
        };
        assert_eq!(share(10), Ok(1_000));
        assert_eq!(share(100), Ok(10_000));
        assert_eq!(share(10_000_000), Ok(1_000));
        assert_eq!(share(12_345_678), Ok(1_235), "in favour of the creator");
        assert!(share(100_000_001).is_err());
    }

    #[test]
    fn share_without_derivatives_is_dropped() {
        let mut pil = social_remixing();
        pil["commercialRevShare"] = json!(10);
        pil["derivativesAllowed"] = json!(false);
        let imported = imported(&pil);
        assert_eq!(imported.document.derivative_share, Some(Percent(0)));
        let lost = [
            "transferable",
            "derivativesAttribution",
            "derivativesReciprocal",
            "commercialRevShare",
        ];
        assert_eq!(warned(&imported), lost);
    }

    #[test]
    fn invalid_pil_is_rejected() {
        let says = |json: &str, expected: &str| {
            let said = import(json, 18, NOW).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        };
        says("", "invalid JSON");
        says("[]", "commercialUse");
        says("{\"commercial\": true}", "commercialUse");
        says("{\"commercialUse\": \"yes\"}", "`commercialUse` is \"yes\"; expected true or false");
        says("{\"commercialUse\": true, \"expiration\": -1}", "a whole number");
        says("{\"commercialUse\": true, \"uri\": 1}", "a text in quotes");
    }
}
