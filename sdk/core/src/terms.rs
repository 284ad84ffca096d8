//! Terms as files, in plain English, and in other rights formats.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::licensing::{Offer, terms_digest};
use motif_payer_calls::{Calls, Payers};
use motif_terms::{Denomination, Document, DocumentError, Preset, cawg, check, pil, rsl, summary};
use motif_wire::{Address, Digest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::parts::OfferParts;

pub(crate) const CALLS: Calls = &[
    ("terms.presets", presets),
    ("terms.parse", parse),
    ("terms.document", document),
    ("terms.summary", summarize),
    ("terms.digest", digest),
    ("terms.export", export),
    ("terms.import", import),
    ("text.visible", visible),
];

/// Currency of amounts, for display.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DenominationParts {
    mint: Address,
    decimals: u8,
    #[serde(default)]
    name: Option<String>,
}

impl DenominationParts {
    fn denomination(self) -> Denomination {
        let known = Denomination::from_mint(&self.mint.0, self.decimals);
        Denomination { name: self.name.unwrap_or(known.name), ..known }
    }
}

/// Format of a document.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    #[default]
    Toml,
    Json,
}

/// Format of other rights.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Foreign {
    Rsl,
    Cawg,
    Pil,
}

fn presets(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {});
    let facts = |preset: Preset| {
        let (name, description) = (preset.to_string(), preset.description());
        json!({ "name": name, "description": description, "toml": preset.starting_document() })
    };
    let presets: Vec<_> = Preset::ALL.into_iter().map(facts).collect();
    Ok(Answer::of(&json!({ "presets": presets })))
}

/// Parses a document; findings say what keeps it from being published.
fn parse(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        text: String,
        format: Format = Format::default(),
        decimals: Option<u8>,
        now: i64,
    });
    let read = match format {
        Format::Toml => Document::parse(&text),
        Format::Json => from_json(&text),
    };
    let (mut parsed, mut offer, mut findings) = (None, None, Vec::new());
    match read {
        Ok(read) => {
            match read.offer(decimals) {
                Ok(made) => {
                    findings.extend(check(&made, now).err().map(|error| finding(&error)));
                    offer = Some(OfferParts::from(&made));
                }
                Err(error) => findings.push(finding(&error)),
            }
            parsed = Some(read);
        }
        Err(error) => findings.push(finding(&error)),
    }
    let toml = parsed.as_ref().map(Document::to_toml);
    Ok(Answer::of(
        &json!({ "document": parsed, "toml": toml, "offer": offer, "findings": findings }),
    ))
}

/// Converts a JSON document to TOML and parses that, so that both have the same rules.
fn from_json(text: &str) -> Result<Document, DocumentError> {
    let syntax = |reason: String| DocumentError::Syntax { line: 1, reason };
    let value: toml::Value =
        serde_json::from_str(text).map_err(|error| syntax(error.to_string()))?;
    let toml = toml::to_string(&value).map_err(|error| syntax(error.to_string()))?;
    Document::parse(&toml)
}

fn finding(error: &DocumentError) -> Value {
    let (kind, line) = match error {
        DocumentError::Unreadable { .. } => ("unreadable", None),
        DocumentError::Syntax { line, .. } => ("syntax", Some(line)),
        DocumentError::UnknownKey { line, .. } => ("unknown-key", Some(line)),
        DocumentError::Value { line, .. } => ("value", Some(line)),
        DocumentError::Amount { .. } => ("amount", None),
        DocumentError::NoUses => ("no-uses", None),
        DocumentError::NoPrice { .. } => ("no-price", None),
        DocumentError::NoUnit { .. } => ("no-unit", None),
        DocumentError::Both { .. } => ("exclusive-keys", None),
        DocumentError::NoticeTooLong(_) => ("notice-too-long", None),
        DocumentError::LegalTextUnread(_) => ("legal-text-unread", None),
        DocumentError::HiddenCharacter { .. } => ("hidden-character", None),
        DocumentError::Refused { .. } => ("refused", None),
    };
    json!({ "type": kind, "message": error.to_string(), "line": line })
}

fn document(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { offer: OfferParts, currency: Address });
    let document = Document::from_offer(currency.0, &Offer::from(offer));
    Ok(Answer::of(&json!({ "toml": document.to_toml() })))
}

fn summarize(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { offer: OfferParts, denomination: DenominationParts });
    let text = summary(&Offer::from(offer), &denomination.denomination());
    Ok(Answer::of(&json!({ "text": text })))
}

fn digest(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let account = call.raw;
    arguments!(call, {});
    Ok(Answer::of(&json!({ "digest": Digest(terms_digest(account)) })))
}

fn export(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        format: Foreign,
        offer: OfferParts,
        denomination: DenominationParts,
        source: String,
        content_url: Option<String>,
        licensing_url: Option<String>,
        now: i64,
    });
    let (offer, denomination) = (Offer::from(offer), denomination.denomination());
    match format {
        Foreign::Cawg => {
            let assertion = cawg::assertion(&offer, &denomination, &source, now);
            Ok(Answer::of(&json!({ "assertion": assertion })))
        }
        Foreign::Rsl => {
            let missing = || CallError::invalid_call("missing field `content_url`");
            let content_url = content_url.ok_or_else(missing)?;
            let placement = rsl::Placement { content_url, licensing_url, source };
            let text = rsl::document(&offer, &denomination, &placement, now);
            let text = text.map_err(CallError::invalid_input)?;
            Ok(Answer::of(&json!({ "text": text })))
        }
        Foreign::Pil => Err(CallError::invalid_call("terms are exported as `rsl` or `cawg`")),
    }
}

fn import(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { format: Foreign, text: String, decimals: u8, now: i64 });
    if !matches!(format, Foreign::Pil) {
        return Err(CallError::invalid_call("terms are imported from `pil`"));
    }
    let imported = pil::import(&text, decimals, now)
        .map_err(|error| CallError::new("terms-invalid", error))?;
    let warning =
        |warning: &pil::Warning| json!({ "field": warning.field, "message": warning.message });
    let warnings: Vec<_> = imported.warnings.iter().map(warning).collect();
    Ok(Answer::of(&json!({ "toml": imported.document.to_toml(), "warnings": warnings })))
}

/// Escapes characters that are invisible or change how the text around them is displayed.
fn visible(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { text: String });
    Ok(Answer::of(&json!({ "text": motif_text::visible(&text) })))
}
