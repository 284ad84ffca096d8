//! The whole road once, in this process, in under a minute.

mod cast;
mod expected;
mod ledger;
mod paying;
mod report;
mod signing;
mod steps;
mod story;

use std::path::PathBuf;

use clap::Args;
use motif_sdk::licensing::WorkKind;

use crate::{error::CliError, reference::read_file, session::Session, work::fingerprint};

use self::{expected::Expected, story::Story};

const PICTURE: &[u8] = include_bytes!("../../assets/cat.png");
const PICTURE_NAME: &str = "cat.png";
/// Deposits above this would make balances that no test dollar faucet should mint.
const MOST_OWED: u64 = u64::MAX / 4;

/// What changes the story.
#[derive(Args)]
pub struct DemoArgs {
    /// How many generations to pay for, each by itself.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    generations: u32,

    /// What one costs, base units (1000 are a tenth of a cent).
    #[arg(long, default_value_t = 1_000, value_name = "BASE_UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,

    /// The picture to register, PNG, JPEG, GIF or WebP [default: a photograph of a cat].
    #[arg(long, value_name = "PATH")]
    image: Option<PathBuf>,

    /// Keep the last output, signed with content credentials, and what verifies it offline: all
    /// receipts, the channel's account and the platform's anchor.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub async fn run(args: DemoArgs, session: &Session) -> Result<(), CliError> {
    let expected = Expected::of(args.generations, args.price);
    let expected = expected.filter(|sum| sum.owed().is_some_and(|owed| owed <= MOST_OWED));
    let expected = expected.ok_or_else(|| {
        let what =
            format!("{} times {} is more than a channel holds", args.generations, args.price);
        CliError::usage(what, "choose fewer --generations or a lower --price")
    })?;
    let (picture, picture_name) = match &args.image {
        None => (PICTURE.to_vec(), PICTURE_NAME.to_owned()),
        Some(path) => (read_file(path)?, path.display().to_string()),
    };
    // Refused here, before anything is started.
    let fingerprint = fingerprint(WorkKind::Image, &picture, picture_name.as_ref())?;

    let (generations, price) = (args.generations, args.price);
    let (output, now) = (args.output, session.now());
    let story =
        Story { generations, price, picture, picture_name, fingerprint, expected, output, now };
    let told = story.tell().await?;
    session.answer(&told.json(), told.text());
    told.check()
}
