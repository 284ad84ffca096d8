//! Comparison of the tour with the programs' instructions.

use std::collections::BTreeSet;

use super::tour::instructions;

const CHAPTERS: [&str; 9] = [
    include_str!("chapter_1_deployment.rs"),
    include_str!("chapter_2_works.rs"),
    include_str!("chapter_3_terms.rs"),
    include_str!("chapter_4_channels.rs"),
    include_str!("chapter_5_settlement.rs"),
    include_str!("chapter_6_earnings.rs"),
    include_str!("chapter_7_lineage.rs"),
    include_str!("chapter_8_disputes.rs"),
    include_str!("chapter_9_sales.rs"),
];

/// Returns the instructions that the chapters name in calls of `ran`: the last argument.
fn named_instructions() -> BTreeSet<String> {
    let calls = CHAPTERS.iter().flat_map(|chapter| chapter.split(".ran(").skip(1));
    calls
        .map(|call| {
            let arguments = call.split(".await").next().unwrap();
            arguments.rsplit('"').nth(1).unwrap().to_owned()
        })
        .collect()
}

#[test]
fn tour_covers_every_instruction() {
    let all: BTreeSet<_> = instructions().into_keys().collect();
    assert_eq!(named_instructions(), all);
}
