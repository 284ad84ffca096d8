//! A tour of both programs by the SDK: what `anchor test` runs, against the validator it started or
//! was pointed at (`ANCHOR_PROVIDER_URL`), and on an embedded localnet otherwise.
//!
//! The chapters build on each other in reading order only: every test brings its own people and works,
//! so that the validator may live on from an earlier run. Tests that move the clock need the embedded
//! localnet and skip with a message elsewhere. To cover a new instruction, add one test to a chapter
//! and name the instruction in [`tour::Tour::ran`].
#![allow(clippy::unwrap_used, reason = "a test stops at an unexpected error")]

mod chapter_10_sale_proofs;
mod chapter_11_paid_answers;
mod chapter_1_deployment;
mod chapter_2_works;
mod chapter_3_terms;
mod chapter_4_channels;
mod chapter_5_settlement;
mod chapter_6_earnings;
mod chapter_7_lineage;
mod chapter_8_disputes;
mod chapter_9_sales;
mod coverage;
mod tour;
