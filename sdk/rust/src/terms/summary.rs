use crate::licensing::{Derivatives, Offer};

use super::{Denomination, Instant, amount::grouped, share::percent};
use motif_wire::{UnitWord, UseWord};

const SECONDS_PER_DAY: u32 = 86_400;
/// The programs give at least this much notice, whatever terms say.
const LEAST_NOTICE_SECONDS: u32 = SECONDS_PER_DAY;

/// An offer in plain English: what may be done at what price, and who keeps which promise.
///
/// The same offer always reads the same. It is a reading aid: what binds is the account on
/// chain, and the legal text it names.
pub fn summary(offer: &Offer, denomination: &Denomination) -> String {
    let sections = [
        section("A licensee may, for these prices:", uses(offer, denomination)),
        section(
            "Kept by the programs, whoever runs the gateway:",
            [
                acceptance(offer, denomination),
                limits(offer, denomination),
                derivatives(offer),
                ending(offer),
            ]
            .concat(),
        ),
        "Prices, free units, limits and the last day are kept by the gateway too, before it\n\
         acknowledges a generation.\n"
            .to_owned(),
        section("Kept by the words of the license alone; no program can see it:", words(offer)),
    ];
    sections.join("\n")
}

fn section(title: &str, lines: Vec<String>) -> String {
    let lines: String = lines.iter().map(|line| format!("- {line}\n")).collect();
    format!("{title}\n{lines}")
}

fn uses(offer: &Offer, denomination: &Denomination) -> Vec<String> {
    let priced = offer.uses.iter().map(|price| {
        let licensed_use = UseWord::from(price.licensed_use);
        let unit = unit(price.unit.into());
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
        "Anybody may accept these terms without asking.".to_owned()
    }];
    if offer.valid_from > 0 {
        let from = Instant(offer.valid_from);
        lines.push(format!("They can be accepted from {from} on."));
    }
    lines.push(match offer.expires_at {
        None => "They do not end.".to_owned(),
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
    if lines.is_empty() { vec!["How much is used is not limited.".to_owned()] } else { lines }
}

fn derivatives(offer: &Offer) -> Vec<String> {
    let share = percent(offer.derivative_share_bps);
    let mut lines = vec![match (offer.derivatives, offer.derivative_share_bps) {
        (Derivatives::Forbidden, _) => {
            "No works may be made from this one without its owner's signature.".to_owned()
        }
        (Derivatives::WithApproval, 0) => {
            "Works may be made from this one with its owner's approval.".to_owned()
        }
        (Derivatives::WithApproval, _) => format!(
            "Works may be made from this one with its owner's approval, for at least {share} of what \
             they earn."
        ),
        (Derivatives::Allowed, 0) => {
            "Anybody may register works made from this one, and owes it no share.".to_owned()
        }
        (Derivatives::Allowed, _) => format!(
            "Anybody may register works made from this one, for at least {share} of what they earn."
        ),
    }];
    if offer.derivatives != Derivatives::Forbidden {
        let demands = [
            (
                offer.share_alike,
                "Their terms must let everybody make works from them, and share alike.",
            ),
            (!offer.commercial, "Their terms must be non-commercial too."),
            (offer.expires_at.is_some(), "Their terms must not last longer than these."),
        ];
        lines
            .extend(demands.iter().filter(|(asked, _)| *asked).map(|(_, line)| (*line).to_owned()));
    }
    lines
}

fn ending(offer: &Offer) -> Vec<String> {
    let notice = match offer.notice_seconds.max(LEAST_NOTICE_SECONDS) {
        SECONDS_PER_DAY => "1 day".to_owned(),
        seconds if seconds % SECONDS_PER_DAY == 0 => format!("{} days", seconds / SECONDS_PER_DAY),
        seconds => format!("{} seconds", grouped(seconds.into())),
    };
    let mut lines = vec![format!("A withdrawal of the work ends its licenses after {notice}.")];
    if offer.legal_digest != [0; 32] {
        let digest = hex::encode(offer.legal_digest);
        lines.push(format!("Who accepts, accepts the legal text with SHA-256 {digest}."));
    }
    lines
}

fn words(offer: &Offer) -> Vec<String> {
    let said = |set: bool, yes: &str, no: &str| if set { yes.to_owned() } else { no.to_owned() };
    let mut lines = vec![
        said(offer.commercial, "Commercial use is licensed.", "Commercial use is not licensed."),
        said(offer.attribution, "Outputs must name the creator.", "The creator need not be named."),
        said(offer.sublicensing, "Licensees may license on.", "Licensees may not license on."),
    ];
    if !offer.legal_uri.is_empty() {
        lines.push(format!("The legal text is at {}", offer.legal_uri));
    }
    lines
}

fn units(count: u64) -> String {
    let grouped = grouped(count);
    if count == 1 { "unit".to_owned() } else { format!("{grouped} units") }
}

fn unit(word: UnitWord) -> &'static str {
    match word {
        UnitWord::Generation => "generation",
        UnitWord::Second => "second",
        UnitWord::ThousandTokens => "thousand tokens",
        UnitWord::TrainingRun => "training run",
    }
}

#[cfg(test)]
mod tests {
    use crate::terms::{Denomination, Document, Preset, summary};

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
A licensee may, for these prices:
- generate: 0.001 USDC a generation
- train: 1,500 USDC a training run
- nothing else

Kept by the programs, whoever runs the gateway:
- Each acceptance of these terms needs the owner's approval.
- They can be accepted from 2027-01-01 00:00:00 UTC on.
- After 2028-01-01 00:00:00 UTC nothing can be accepted, used or settled.
- 2.5 USDC are charged once, at acceptance.
- The first 10 units of each license cost nothing.
- All licensees together may use at most 1,000,000 units, ever.
- One license may use at most 1,000 units on one day (UTC).
- One license may use at most 50,000 units, ever.
- All licensees together may pay at most 1,200 USDC, ever.
- Anybody may register works made from this one, for at least 20% of what they earn.
- Their terms must let everybody make works from them, and share alike.
- Their terms must not last longer than these.
- A withdrawal of the work ends its licenses after 30 days.
- Who accepts, accepts the legal text with SHA-256 0707070707070707070707070707070707070707070707070707070707070707.

Prices, free units, limits and the last day are kept by the gateway too, before it
acknowledges a generation.

Kept by the words of the license alone; no program can see it:
- Commercial use is licensed.
- Outputs must name the creator.
- Licensees may not license on.
- The legal text is at https://example.com/license
";
        assert_eq!(said(text), expected);
    }

    #[test]
    fn strictest_terms_are_summarized() {
        let expected = "\
A licensee may, for these prices:
- play: free, counted by the second
- nothing else

Kept by the programs, whoever runs the gateway:
- Each acceptance of these terms needs the owner's approval.
- They do not end.
- How much is used is not limited.
- No works may be made from this one without its owner's signature.
- A withdrawal of the work ends its licenses after 30 days.

Prices, free units, limits and the last day are kept by the gateway too, before it
acknowledges a generation.

Kept by the words of the license alone; no program can see it:
- Commercial use is not licensed.
- Outputs must name the creator.
- Licensees may not license on.
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
