//! Export of terms as an RSL document, for `License:` in robots.txt.
//!
//! Follows Really Simple Licensing 1.0 (RSL-SPEC-1.0, a recommendation since late 2025, with its
//! errata of 2026). Section numbers refer to the specification.
//!
//! | usage (3.4.1) | uses of Motif | payment type (3.7) |
//! |---|---|---|
//! | `ai-input` | generate, style-transfer, voice-convert | `use`: each time content contributes to an output |
//! | `ai-train` | train, fine-tune | `training`: for each training use |
//!
//! RSL is coarser than terms, and a document must not permit more than the terms:
//!
//! - unlicensed usages are prohibited explicitly, and no other usage is permitted;
//! - a price is stated only if it is complete: one price for all uses of a usage, in RSL's unit,
//!   without an upfront fee, in a currency with an ISO 4217 code (3.10); otherwise `custom` (3.9)
//!   leads to the licensor;
//! - terms that need the owner's approval permit a usage only if `custom` is present;
//! - attribution is a payment type (3.7), so on priced terms only the legal text requires it; RSL
//!   cannot express caps, derivatives and sublicensing.

use motif_interface::licensing::{Offer, Unit, Use, UsePrice};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{
    Denomination,
    allowance::{INFERENCE, TRAINING, licensed},
};
use motif_text::{encoded_uri, visible};

const NAMESPACE: &str = "https://rslstandard.org/rsl";
/// Default cache lifetime of a document, days (3.2).
const USUAL_MAX_AGE_DAYS: i64 = 30;
const SECONDS_PER_DAY: i64 = 86_400;

/// Fields of an RSL document that terms do not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Content: a path as in robots.txt, or a URL (3.3).
    pub content_url: String,
    /// URL of the publisher's licensing process (3.9).
    pub licensing_url: Option<String>,
    /// Name of the terms, for a comment.
    pub source: String,
}

/// Content and its offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licensed {
    /// Offer.
    pub offer: Offer,
    /// Denomination of its currency.
    pub denomination: Denomination,
    /// Content, and where to license it.
    pub placement: Placement,
}

pub use motif_wire::content_url;

/// Creates the RSL document for the content of `placement` at `now`, unix seconds.
///
/// # Errors
/// Those of the XML writer, which do not occur in memory.
pub fn document(
    offer: &Offer,
    denomination: &Denomination,
    placement: &Placement,
    now: i64,
) -> std::io::Result<String> {
    let (offer, denomination) = (offer.clone(), denomination.clone());
    feed(&[Licensed { offer, denomination, placement: placement.clone() }], now)
}

/// Creates the RSL document for several contents at `now`, unix seconds.
///
/// # Errors
/// As [`document`].
pub fn feed(all: &[Licensed], now: i64) -> std::io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let max_age = all.iter().map(|licensed| max_age_days(&licensed.offer, now)).min();
    let max_age = max_age.unwrap_or(1).to_string();
    let root = writer.create_element("rsl");
    let root = root.with_attributes([("xmlns", NAMESPACE), ("max-age", &max_age)]);
    root.write_inner_content(|writer| all.iter().try_for_each(|one| content(writer, one, now)))?;
    let bytes = writer.into_inner();
    String::from_utf8(bytes).map_err(|error| std::io::Error::other(error.utf8_error()))
}

fn content(writer: &mut XmlWriter, licensed: &Licensed, now: i64) -> std::io::Result<()> {
    let Licensed { offer, denomination, placement } = licensed;
    let source = comment(&placement.source);
    writer.write_event(Event::Comment(BytesText::new(&format!(" {source} "))))?;
    let content = writer.create_element("content");
    let content_url = encoded_uri(&placement.content_url);
    let content = content.with_attribute(("url", content_url.as_str()));
    content.write_inner_content(|writer| {
        licenses(writer, offer, denomination, placement, now)?;
        if !offer.legal_uri.is_empty() {
            text(writer, "terms", &encoded_uri(&offer.legal_uri))?;
        }
        Ok(())
    })?;
    Ok(())
}

type XmlWriter = Writer<Vec<u8>>;

/// RSL usage and the prices of its uses.
struct Usage {
    token: &'static str,
    payment: &'static str,
    /// Unit of RSL.
    unit: Unit,
    prices: Vec<UsePrice>,
}

impl Usage {
    fn all(offer: &Offer, now: i64) -> [Self; 2] {
        let usage = |token, payment, unit, uses: &[Use]| Self {
            token,
            payment,
            unit,
            prices: licensed(offer, uses, now),
        };
        [
            usage("ai-input", "use", Unit::Generation, &INFERENCE),
            usage("ai-train", "training", Unit::TrainingRun, &TRAINING),
        ]
    }

    /// Returns the price of one use, if it is the complete price.
    fn price(&self, offer: &Offer) -> Option<u64> {
        let first = self.prices.first()?.price;
        let whole = |price: &UsePrice| price.price == first && price.unit == self.unit;
        (offer.upfront_fee == 0 && self.prices.iter().all(whole)).then_some(first)
    }

    fn is_free(&self, offer: &Offer) -> bool {
        offer.upfront_fee == 0 && self.prices.iter().all(|price| price.price == 0)
    }
}

fn licenses(
    writer: &mut XmlWriter,
    offer: &Offer,
    denomination: &Denomination,
    placement: &Placement,
    now: i64,
) -> std::io::Result<()> {
    let askable = !offer.approval_required || placement.licensing_url.is_some();
    let (permitted, prohibited): (Vec<_>, Vec<_>) =
        Usage::all(offer, now).into_iter().partition(|usage| askable && !usage.prices.is_empty());
    for usage in &permitted {
        writer.create_element("license").write_inner_content(|writer| {
            typed(writer, "permits", "usage", usage.token)?;
            if !offer.commercial {
                typed(writer, "prohibits", "user", "commercial")?;
            }
            payment(writer, usage, offer, denomination, placement)
        })?;
    }
    if !prohibited.is_empty() {
        let tokens: Vec<_> = prohibited.iter().map(|usage| usage.token).collect();
        let tokens = if permitted.is_empty() { "ai-all".to_owned() } else { tokens.join(" ") };
        writer
            .create_element("license")
            .write_inner_content(|writer| typed(writer, "prohibits", "usage", &tokens))?;
    }
    Ok(())
}

fn payment(
    writer: &mut XmlWriter,
    usage: &Usage,
    offer: &Offer,
    denomination: &Denomination,
    placement: &Placement,
) -> std::io::Result<()> {
    let kind = match (usage.is_free(offer), offer.attribution) {
        (true, true) => "attribution",
        (true, false) => "free",
        (false, _) => usage.payment,
    };
    let amount = usage.price(offer).filter(|price| *price > 0).zip(denomination.iso_4217);
    let asks = !usage.is_free(offer) || offer.approval_required;
    let custom = placement.licensing_url.as_deref().filter(|_| asks);
    let payment = writer.create_element("payment").with_attribute(("type", kind));
    if amount.is_none() && custom.is_none() {
        return payment.write_empty().map(|_| ());
    }
    payment.write_inner_content(|writer| {
        if let Some(url) = custom {
            text(writer, "custom", &encoded_uri(url))?;
        }
        if let Some((price, currency)) = amount {
            let price = denomination.decimal(price);
            let amount = writer.create_element("amount").with_attribute(("currency", currency));
            amount.write_text_content(BytesText::new(&price))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Returns the text of an XML comment, which must not contain two consecutive hyphens.
fn comment(text: &str) -> String {
    let mut comment = visible(text);
    while comment.contains("--") {
        comment = comment.replace("--", "- -");
    }
    comment
}

fn typed(writer: &mut XmlWriter, name: &str, kind: &str, tokens: &str) -> std::io::Result<()> {
    let element = writer.create_element(name).with_attribute(("type", kind));
    element.write_text_content(BytesText::new(tokens)).map(|_| ())
}

fn text(writer: &mut XmlWriter, name: &str, said: &str) -> std::io::Result<()> {
    writer.create_element(name).write_text_content(BytesText::new(said)).map(|_| ())
}

/// Limits the cache lifetime to the day on which the terms begin or end.
fn max_age_days(offer: &Offer, now: i64) -> i64 {
    let changes = [Some(offer.valid_from), offer.expires_at];
    let ahead = changes.into_iter().flatten().filter(|at| *at >= now);
    let days = ahead.map(|at| at.saturating_sub(now) / SECONDS_PER_DAY).min();
    days.unwrap_or(USUAL_MAX_AGE_DAYS).clamp(1, USUAL_MAX_AGE_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Preset};

    const NOW: i64 = 1_800_000_000;

    fn usdc() -> Denomination {
        Denomination { name: "USDC".to_owned(), decimals: 6, iso_4217: Some("USD") }
    }

    fn placement(licensing_url: Option<&str>) -> Placement {
        Placement {
            content_url: "/coffee.jpg".to_owned(),
            licensing_url: licensing_url.map(str::to_owned),
            source: "Motif terms 2 of W".to_owned(),
        }
    }

    fn rsl(text: &str, licensing_url: Option<&str>) -> String {
        let offer = Document::parse(text).unwrap().offer(Some(6)).unwrap();
        document(&offer, &usdc(), &placement(licensing_url), NOW).unwrap()
    }

    #[test]
    fn per_output_price_is_stated() {
        let text = "preset = \"commercial-per-generation\"\nlegal_uri = \"https://e.com/?a&b\"\n\
                    [[use]]\nuse = \"generate\"\nprice = \"0.001\"";
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<rsl xmlns="https://rslstandard.org/rsl" max-age="30">
  <!-- Motif terms 2 of W -->
  <content url="/coffee.jpg">
    <license>
      <permits type="usage">ai-input</permits>
      <payment type="use">
        <custom>https://gateway.example/</custom>
        <amount currency="USD">0.001</amount>
      </payment>
    </license>
    <license>
      <prohibits type="usage">ai-train</prohibits>
    </license>
    <terms>https://e.com/?a&amp;b</terms>
  </content>
</rsl>"#;
        assert_eq!(rsl(text, Some("https://gateway.example/")), expected);
    }

    #[test]
    fn feed_uses_shortest_max_age() {
        let licensed = |digest: u8, expires_at: Option<i64>| {
            let offer = Preset::NonCommercialRemix.document().offer(None).unwrap();
            let content_url = content_url(&[digest; 32]);
            let placement = Placement { content_url, ..placement(None) };
            Licensed { offer: Offer { expires_at, ..offer }, denomination: usdc(), placement }
        };
        let said = feed(&[licensed(0, None), licensed(1, Some(NOW + 5 * 86_400))], NOW).unwrap();
        assert_eq!(said.matches("<content ").count(), 2);
        assert!(said.contains("max-age=\"5\""), "{said}");
        let named = "ni:///sha-256;AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"";
        assert!(said.contains(named), "{said}");
        assert!(feed(&[], NOW).unwrap().contains("max-age=\"1\""), "an empty feed may change soon");
    }

    #[test]
    fn hidden_characters_keep_xml_well_formed() {
        let offer = Preset::NonCommercialRemix.document().offer(None).unwrap();
        let hostile: String = (0..=0xFFFF).filter_map(char::from_u32).collect();
        let offer = Offer { legal_uri: hostile.clone(), ..offer };
        let mut licensed = placement(Some(&hostile));
        licensed.content_url = hostile.clone();
        licensed.source = format!("{hostile}---->");
        let said = document(&offer, &usdc(), &licensed, NOW).unwrap();
        let is_allowed = |one: char| matches!(one, '\n' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
        assert_eq!(said.chars().find(|one| !is_allowed(*one)), None);
        let (_, rest) = said.split_once("<!--").unwrap();
        let (comment, rest) = rest.split_once("-->").unwrap();
        assert!(!comment.contains("--") && rest.trim_start().starts_with("<content "), "{rest}");
        assert!(said.contains("%1B") && !said.contains('\u{202e}'));
    }

    #[test]
    fn terms_without_model_uses_prohibit_all() {
        let said = rsl("preset = \"all-rights-reserved\"", Some("https://gateway.example/"));
        assert!(said.contains("<prohibits type=\"usage\">ai-all</prohibits>"), "{said}");
        assert!(!said.contains("permits"), "{said}");
    }

    #[test]
    fn free_terms_require_attribution() {
        let said = rsl("preset = \"non-commercial-remix\"", None);
        assert!(said.contains("<payment type=\"attribution\"/>"), "{said}");
        assert!(said.contains("<prohibits type=\"user\">commercial</prohibits>"), "{said}");
    }

    #[test]
    fn partial_price_is_omitted() {
        let use_at = |use_and_unit: &str, price: u32| {
            let (licensed_use, unit) = use_and_unit.split_once('/').unwrap();
            format!("[[use]]\nuse = \"{licensed_use}\"\nunit = \"{unit}\"\nprice = {price}\n")
        };
        let generation = use_at("generate/generation", 5);
        for unstated in [
            format!("upfront_fee = 1\n{generation}"),
            generation.clone() + &use_at("style-transfer/generation", 6),
            use_at("voice-convert/second", 5),
        ] {
            let said = rsl(&unstated, None);
            assert!(said.contains("<payment type=\"use\"/>"), "{said}");
        }
        let both = generation + &use_at("style-transfer/generation", 5);
        assert!(rsl(&both, None).contains("<amount currency=\"USD\">0.000005</amount>"));
        let offer = Document::parse(&both).unwrap().offer(None).unwrap();
        let nameless = Denomination { iso_4217: None, ..usdc() };
        let said = document(&offer, &nameless, &placement(None), NOW).unwrap();
        assert!(!said.contains("amount"), "{said}");
    }

    #[test]
    fn approval_requires_licensing_url() {
        let text = "approval_required = true\n[[use]]\nuse = \"generate\"\nunit = \"generation\"\nprice = 0";
        assert!(!rsl(text, None).contains("permits"));
        let said = rsl(text, Some("https://gateway.example/"));
        assert!(said.contains("<custom>https://gateway.example/</custom>"), "{said}");
    }

    #[test]
    fn max_age_ends_at_next_change() {
        let age = |valid_from: i64, expires_at: Option<i64>| {
            let document = Preset::NonCommercialRemix.document();
            let offer = document.offer(None).unwrap();
            max_age_days(&Offer { valid_from, expires_at, ..offer }, NOW)
        };
        assert_eq!(age(0, None), 30);
        assert_eq!(age(0, Some(NOW + 10 * SECONDS_PER_DAY)), 10);
        assert_eq!(age(NOW + 5, None), 1);
        assert_eq!(age(0, Some(i64::MAX)), 30);
        assert_eq!(age(0, Some(NOW - 1)), 30, "expired terms stay expired");
    }

    #[test]
    fn inactive_terms_prohibit_everything() {
        let dated = "expires_at = 2020-01-01T00:00:00Z\n[[use]]\nuse = \"generate\"\nunit = \"generation\"\nprice = 0";
        assert!(rsl(dated, None).contains("ai-all"));
    }
}
