use motif_interface::licensing::{Derivatives, Offer, Unit};
use motif_text::encoded_uri;

use super::{Denomination, Instant, amount::grouped, share::percent};

const SECONDS_PER_DAY: u32 = 86_400;
/// Minimum notice that the programs enforce.
const MIN_NOTICE_SECONDS: u32 = SECONDS_PER_DAY;

/// Describes an offer in plain English: uses, prices, and which conditions the programs enforce.
///
/// The same offer always has the same summary. It is not binding: the account on chain and its
/// legal text are.
pub fn summary(offer: &Offer, denomination: &Denomination) -> String {
    let sections = [
        section("Licensed uses and prices:", uses(offer, denomination)),
        section(
            "Enforced by the programs:",
            [
                acceptance(offer, denomination),
                limits(offer, denomination),
                derivatives(offer),
                ending(offer),
            ]
            .concat(),
        ),
        "Prices, free units, limits and the last day are also enforced by the gateway, before it\n\
         acknowledges a generation.\n"
            .to_owned(),
        section("Stated by the license only, not enforced by a program:", words(offer)),
    ];
    sections.join("\n")
}

fn section(title: &str, lines: Vec<String>) -> String {
    let lines: String = lines.iter().map(|line| format!("- {line}\n")).collect();
    format!("{title}\n{lines}")
}

fn uses(offer: &Offer, denomination: &Denomination) -> Vec<String> {
    let priced = offer.uses.iter().map(|price| {
        let licensed_use = price.licensed_use;
        let unit = unit(price.unit);
        match price.price {
            0 => format!("{licensed_use}: free, counted by the {unit}"),
            amount => format!("{licensed_use}: {} a {unit}", denomination.show(amount)),
        }
    });
    priced.chain(["nothing else".to_owned()]).collect()
}

fn acceptance(offer: &Offer, denomination: &Denomination) -> Vec<String> {
    let mut lines = vec![if offer.approval_required {
        "Each acceptance of these terms needs the owner's approval.".to_owned()
    } else {
        "Any payer may accept these terms without approval.".to_owned()
    }];
    if offer.valid_from > 0 {
        let from = Instant(offer.valid_from);
        lines.push(format!("They can be accepted from {from}."));
    }
    lines.push(match offer.expires_at {
        None => "They do not expire.".to_owned(),
        Some(end) => {
            let end = Instant(end);
            format!("After {end} nothing can be accepted, used or settled.")
        }
    });
    if offer.upfront_fee > 0 {
        let fee = denomination.show(offer.upfront_fee);
        lines.push(format!("{fee} are charged once, at acceptance."));
    }
    if offer.free_units > 0 {
        let units = units(offer.free_units);
        lines.push(format!("The first {units} of each license cost nothing."));
    }
    lines
}

fn limits(offer: &Offer, denomination: &Denomination) -> Vec<String> {
    let caps = &offer.caps;
    let lines: Vec<_> = [
        caps.total_units
            .map(|cap| format!("All licensees together may use at most {}, ever.", units(cap))),
        caps.daily_units
            .map(|cap| format!("One license may use at most {} on one day (UTC).", units(cap))),
        caps.licensee_units.map(|cap| format!("One license may use at most {}, ever.", units(cap))),
        caps.revenue.map(|cap| {
            let cap = denomination.show(cap);
            format!("All licensees together may pay at most {cap}, ever.")
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    if lines.is_empty() { vec!["Usage is not limited.".to_owned()] } else { lines }
}

fn derivatives(offer: &Offer) -> Vec<String> {
    let share = percent(offer.derivative_share_bps);
    let mut lines = vec![match (offer.derivatives, offer.derivative_share_bps) {
        (Derivatives::Forbidden, _) => "Derivatives need the owner's signature.".to_owned(),
        (Derivatives::WithApproval, 0) => {
            "Derivatives may be registered with the owner's approval.".to_owned()
        }
        (Derivatives::WithApproval, _) => format!(
            "Derivatives may be registered with the owner's approval, for at least {share} of their \
             earnings."
        ),
        (Derivatives::Allowed, 0) => {
            "Derivatives may be registered without a share of their earnings.".to_owned()
        }
        (Derivatives::Allowed, _) => {
            format!("Derivatives may be registered for at least {share} of their earnings.")
        }
    }];
    if offer.derivatives != Derivatives::Forbidden {
        let demands = [
            (offer.share_alike, "Their terms must allow derivatives and share alike."),
            (!offer.commercial, "Their terms must be non-commercial."),
            (offer.expires_at.is_some(), "Their terms must not last longer than these."),
        ];
        lines
            .extend(demands.iter().filter(|(asked, _)| *asked).map(|(_, line)| (*line).to_owned()));
    }
    lines
}

fn ending(offer: &Offer) -> Vec<String> {
    let notice = match offer.notice_seconds.max(MIN_NOTICE_SECONDS) {
        SECONDS_PER_DAY => "1 day".to_owned(),
        seconds if seconds % SECONDS_PER_DAY == 0 => format!("{} days", seconds / SECONDS_PER_DAY),
        seconds => format!("{} seconds", grouped(seconds.into())),
    };
    let mut lines = vec![format!("A withdrawal of the work ends its licenses after {notice}.")];
    if !offer.operators.is_empty() {
        let operators: Vec<_> = offer.operators.iter().map(ToString::to_string).collect();
        let operators = operators.join(", ");
        lines.push(format!("Licensees' channels must be with the operator {operators}."));
    }
    if offer.legal_digest != [0; 32] {
        let digest = hex::encode(offer.legal_digest);
        lines.push(format!("An acceptance includes the legal text with SHA-256 {digest}."));
    }
    lines
}

fn words(offer: &Offer) -> Vec<String> {
    let said = |set: bool, yes: &str, no: &str| if set { yes.to_owned() } else { no.to_owned() };
    let mut lines = vec![
        said(offer.commercial, "Commercial use is licensed.", "Commercial use is not licensed."),
        said(
            offer.attribution,
            "Outputs must credit the creator.",
            "Outputs need not credit the creator.",
        ),
        said(offer.sublicensing, "Licensees may sublicense.", "Licensees may not sublicense."),
    ];
    if !offer.legal_uri.is_empty() {
        lines.push(format!("The legal text is at {}", encoded_uri(&offer.legal_uri)));
    }
    lines
}

fn units(count: u64) -> String {
    let grouped = grouped(count);
    if count == 1 { "unit".to_owned() } else { format!("{grouped} units") }
}

fn unit(word: Unit) -> &'static str {
    match word {
        Unit::Generation => "generation",
        Unit::Second => "second",
        Unit::ThousandTokens => "thousand tokens",
        Unit::TrainingRun => "training run",
    }
}

#[cfg(test)]
mod tests {
    use crate::{Denomination, Document, Preset, summary};

    fn said(text: &str) -> String {
        let dollars = Denomination { name: "USDC".to_owned(), decimals: 6, iso_4217: Some("USD") };
        summary(&Document::parse(text).unwrap().offer(Some(6)).unwrap(), &dollars)
    }

    #[test]
    fn full_terms_are_summarized() {
        let text = r#"
            preset = "commercial-remix-share-alike"
            approval_required = true
            upfront_fee = "2.5"
            free_units = 10
            valid_from = 2027-01-01T00:00:00Z
            expires_at = 2028-01-01T00:00:00Z
            legal_digest = "0707070707070707070707070707070707070707070707070707070707070707"
            legal_uri = "https://example.com/license"

            [caps]
            total_units = 1000000
            daily_units = 1000
            licensee_units = 50000
            revenue = "1200"

            [[use]]
            use = "generate"
            price = "0.001"

            [[use]]
            use = "train"
            unit = "training-run"
            price = "1500"
        "#;
        let expected = "\
Licensed uses and prices:
- generate: 0.001 USDC a generation
- train: 1,500 USDC a training run
- nothing else

Enforced by the programs:
- Each acceptance of these terms needs the owner's approval.
- They can be accepted from 2027-01-01 00:00:00 UTC.
- After 2028-01-01 00:00:00 UTC nothing can be accepted, used or settled.
- 2.5 USDC are charged once, at acceptance.
- The first 10 units of each license cost nothing.
- All licensees together may use at most 1,000,000 units, ever.
- One license may use at most 1,000 units on one day (UTC).
- One license may use at most 50,000 units, ever.
- All licensees together may pay at most 1,200 USDC, ever.
- Derivatives may be registered for at least 20% of their earnings.
- Their terms must allow derivatives and share alike.
- Their terms must not last longer than these.
- A withdrawal of the work ends its licenses after 30 days.
- An acceptance includes the legal text with SHA-256 0707070707070707070707070707070707070707070707070707070707070707.

Prices, free units, limits and the last day are also enforced by the gateway, before it
acknowledges a generation.

Stated by the license only, not enforced by a program:
- Commercial use is licensed.
- Outputs must credit the creator.
- Licensees may not sublicense.
- The legal text is at https://example.com/license
";
        assert_eq!(said(text), expected);
    }

    #[test]
    fn strictest_terms_are_summarized() {
        let expected = "\
Licensed uses and prices:
- play: free, counted by the second
- nothing else

Enforced by the programs:
- Each acceptance of these terms needs the owner's approval.
- They do not expire.
- Usage is not limited.
- Derivatives need the owner's signature.
- A withdrawal of the work ends its licenses after 30 days.

Prices, free units, limits and the last day are also enforced by the gateway, before it
acknowledges a generation.

Stated by the license only, not enforced by a program:
- Commercial use is not licensed.
- Outputs must credit the creator.
- Licensees may not sublicense.
";
        assert_eq!(said("preset = \"all-rights-reserved\""), expected);
    }

    #[test]
    fn every_preset_has_its_summary() {
        let mut said: Vec<_> =
            Preset::ALL.iter().map(|preset| said(&preset.starting_document())).collect();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), Preset::ALL.len());
    }
}
