//! Export of terms as a training and data mining assertion of content credentials.
//!
//! Follows the CAWG Training and Data Mining Assertion, version 1.1 (approved May 2025). An
//! assertion has one entry for each of four purposes: `allowed`, `notAllowed`, or `constrained`
//! with an explanation in `constraint_info`. [`assertion`] returns an element for the `assertions`
//! of a C2PA manifest definition.
//!
//! | entry | uses of Motif |
//! |---|---|
//! | `cawg.ai_generative_training` | train, fine-tune |
//! | `cawg.ai_training` | train |
//! | `cawg.ai_inference` | generate, style-transfer, voice-convert |
//! | `cawg.data_mining` | none: terms license no mining |
//!
//! A purpose is `allowed` only without any price, approval, cap, expiry or condition. Consumers
//! treat `constrained` like `notAllowed` until they have agreed, which is an acceptance on chain.

use motif_interface::licensing::{Offer, Unit, Use, UsePrice};
use serde_json::{Value, json};

use super::{
    Denomination, Instant,
    allowance::{INFERENCE, TRAINING, licensed},
    amount::grouped,
};
use motif_text::{encoded_uri, visible};

/// Label of the assertion.
pub const LABEL: &str = "cawg.training-mining";

/// Creates the assertion of an offer at `now`, unix seconds: `{"label", "data"}`.
///
/// `source` names the terms in each constraint, such as `Motif terms 2 of WORK`.
pub fn assertion(offer: &Offer, denomination: &Denomination, source: &str, now: i64) -> Value {
    let entry = |uses: &[Use]| entry(offer, denomination, source, &licensed(offer, uses, now));
    json!({
        "label": LABEL,
        "data": {
            "entries": {
                "cawg.ai_generative_training": entry(&TRAINING),
                "cawg.ai_inference": entry(&INFERENCE),
                "cawg.ai_training": entry(&[Use::Train]),
                "cawg.data_mining": { "use": "notAllowed" },
            },
        },
    })
}

/// Combines the assertions of several works for content made from all of them: the strictest entry
/// of each purpose, with all constraints. Returns `None` without assertions.
pub fn strictest(assertions: Vec<Value>) -> Option<Value> {
    assertions.into_iter().reduce(|mut one, other| {
        if let Some(entries) = one["data"]["entries"].as_object_mut() {
            for (purpose, entry) in entries {
                *entry = stricter(entry, &other["data"]["entries"][purpose]);
            }
        }
        one
    })
}

fn stricter(one: &Value, other: &Value) -> Value {
    let infos = [one, other].map(|entry| entry["constraint_info"].as_str());
    match (one["use"].as_str(), other["use"].as_str()) {
        (Some("allowed"), Some("allowed")) => one.clone(),
        (Some("allowed" | "constrained"), Some("allowed" | "constrained")) => {
            let info = infos.into_iter().flatten().collect::<Vec<_>>().join("; and ");
            json!({ "use": "constrained", "constraint_info": info })
        }
        _ => json!({ "use": "notAllowed" }), // anything unknown, too
    }
}

fn entry(offer: &Offer, denomination: &Denomination, source: &str, licensed: &[UsePrice]) -> Value {
    if licensed.is_empty() {
        return json!({ "use": "notAllowed" });
    }
    let free = licensed.iter().all(|price| price.price == 0);
    let conditions = conditions(offer, denomination);
    if free && conditions.is_empty() {
        return json!({ "use": "allowed" });
    }
    let priced = licensed.iter().map(|price| {
        let licensed_use = price.licensed_use;
        match price.price {
            0 => format!("{licensed_use} free"),
            amount => {
                let unit = match price.unit {
                    Unit::ThousandTokens => "thousand tokens".to_owned(),
                    Unit::TrainingRun => "training run".to_owned(),
                    unit => unit.to_string(),
                };
                format!("{licensed_use} {} a {unit}", denomination.show(amount))
            }
        }
    });
    let said: Vec<_> = priced.chain(conditions).chain([visible(source)]).collect();
    json!({ "use": "constrained", "constraint_info": said.join("; ") })
}

/// Returns the conditions other than prices.
fn conditions(offer: &Offer, denomination: &Denomination) -> Vec<String> {
    let said = |applies: bool, text: String| applies.then_some(text);
    let units = |cap: Option<u64>, of: &str| cap.map(|cap| format!("{} {of}", grouped(cap)));
    let (caps, fee) = (&offer.caps, denomination.show(offer.upfront_fee));
    let at = |uri: &str| format!("legal text at {uri}");
    [
        said(offer.upfront_fee > 0, format!("{fee} once")),
        said(offer.approval_required, "only with the owner's approval".to_owned()),
        said(!offer.commercial, "non-commercial only".to_owned()),
        said(offer.attribution, "name the creator".to_owned()),
        said(offer.share_alike, "share alike".to_owned()),
        units(caps.total_units, "units for all together"),
        units(caps.daily_units, "units a day"),
        units(caps.licensee_units, "units a license"),
        caps.revenue.map(|cap| format!("{} in all", denomination.show(cap))),
        said(!offer.operators.is_empty(), "on channels of named operators only".to_owned()),
        offer.expires_at.map(|end| format!("until {}", Instant(end))),
        said(!offer.legal_uri.is_empty(), at(&encoded_uri(&offer.legal_uri))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    const NOW: i64 = 1_800_000_000;

    fn entries(text: &str, now: i64) -> Value {
        let usdc = Denomination { name: "USDC".to_owned(), decimals: 6, iso_4217: Some("USD") };
        let offer = Document::parse(text).unwrap().offer(Some(6)).unwrap();
        let assertion = assertion(&offer, &usdc, "Motif terms 2 of W", now);
        assert_eq!(assertion["label"], "cawg.training-mining");
        assertion["data"]["entries"].clone()
    }

    #[test]
    fn unlicensed_use_is_not_allowed() {
        let entries = entries("preset = \"all-rights-reserved\"", NOW);
        let refused = json!({ "use": "notAllowed" });
        let expected = json!({
            "cawg.ai_generative_training": refused,
            "cawg.ai_inference": refused,
            "cawg.ai_training": refused,
            "cawg.data_mining": refused,
        });
        assert_eq!(entries, expected);
    }

    #[test]
    fn price_or_condition_is_constrained() {
        let text = r#"
            preset = "training-license"
            expires_at = 2028-01-01T00:00:00Z
            upfront_fee = "5"

            [[use]]
            use = "fine-tune"
            price = "25"

            [[use]]
            use = "generate"
            unit = "generation"
            price = "0.001"

            [caps]
            daily_units = 1000
        "#;
        let entries = entries(text, NOW);
        let conditions = "5 USDC once; name the creator; 1,000 units a day; \
                          until 2028-01-01 00:00:00 UTC; Motif terms 2 of W";
        let constrained = |price: &str| json!({ "use": "constrained", "constraint_info": format!("{price}; {conditions}") });
        let expected = json!({
            "cawg.ai_generative_training": constrained("fine-tune 25 USDC a training run"),
            "cawg.ai_inference": constrained("generate 0.001 USDC a generation"),
            "cawg.ai_training": { "use": "notAllowed" },
            "cawg.data_mining": { "use": "notAllowed" },
        });
        assert_eq!(entries, expected);
    }

    #[test]
    fn unconditional_use_is_allowed() {
        let free = "[[use]]\nuse = \"train\"\nunit = \"training-run\"\nprice = 0\n";
        let allowed = json!({ "use": "allowed" });
        assert_eq!(entries(free, NOW)["cawg.ai_training"], allowed);
        for condition in [
            "attribution = true",
            "commercial = false",
            "share_alike = true",
            "approval_required = true",
            "expires_at = 2028-01-01T00:00:00Z",
            "caps.revenue = 1",
            "upfront_fee = 1",
        ] {
            let entries = entries(&format!("{condition}\n{free}"), NOW);
            assert_eq!(entries["cawg.ai_training"]["use"], "constrained", "{condition}");
        }
    }

    #[test]
    fn hidden_characters_of_uri_are_encoded() {
        let uri = "legal_uri = \"https://e.com/\\u001b\\u202e\\n\"\n";
        let free = "[[use]]\nuse = \"train\"\nunit = \"training-run\"\nprice = 0\n";
        let entries = entries(&format!("{uri}{free}"), NOW);
        let info = entries["cawg.ai_training"]["constraint_info"].as_str().unwrap();
        assert!(info.contains("https://e.com/%1B%E2%80%AE%0A"), "{info}");
    }

    #[test]
    fn inactive_terms_allow_nothing() {
        let dated = "valid_from = 2027-01-16T00:00:00Z\n[[use]]\nuse = \"train\"\nunit = \"training-run\"\nprice = 0";
        assert_eq!(entries(dated, NOW)["cawg.ai_training"]["use"], "notAllowed");
    }

    #[test]
    fn strictest_assertion_wins() {
        let entry = |entry: Value| json!({ "data": { "entries": { "cawg.ai_training": entry } } });
        let (allowed, refused) = (json!({ "use": "allowed" }), json!({ "use": "notAllowed" }));
        let if_paid = json!({ "use": "constrained", "constraint_info": "5 USDC" });
        let both = json!({ "use": "constrained", "constraint_info": "5 USDC; and 5 USDC" });
        for (one, other, expected) in [
            (&allowed, &allowed, &allowed),
            (&allowed, &if_paid, &if_paid),
            (&if_paid, &if_paid, &both),
            (&if_paid, &refused, &refused),
            (&refused, &allowed, &refused),
        ] {
            let together = strictest(vec![entry(one.clone()), entry(other.clone())]).unwrap();
            assert_eq!(together["data"]["entries"]["cawg.ai_training"], *expected);
        }
        assert_eq!(strictest(Vec::new()), None);
    }
}
