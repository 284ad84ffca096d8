//! `motif generate`: generations that are paid for one by one.

mod args;
mod kept;
mod output;
mod paywall;

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use motif_sdk::{
    Pubkey,
    fingerprint::content_digest,
    gateway::{Payer, PayerOptions},
    keypair::signing_key,
};

pub use args::{Field, GenerateArgs};

use crate::{
    channel::find_license, credentials::OutputSigner, currency, error::CliError, palette::Palette,
    session::Session,
};
use kept::Kept;
use output::GenerateOutput;
use paywall::Order;

pub async fn run(args: GenerateArgs, session: &Session) -> Result<(), CliError> {
    session.print(&generate(args, session).await?);
    Ok(())
}

/// Pays for generations. Nothing is written to stdout.
///
/// # Errors
/// Those of `motif generate`.
pub async fn generate(args: GenerateArgs, session: &Session) -> Result<GenerateOutput, CliError> {
    let client = session.client().await?;
    let (channel, account) = args.channel.find(&client, session).await?;
    let work = match &args.work {
        Some(reference) => Some(reference.address(&client).await?),
        None => None,
    };
    let scale = currency::scale(&client, &account.channel.mint).await?;
    let _turn = args.voucher_key.turn(session).await?;
    if let Some(url) = &args.through {
        let order = Order { url, args: &args, channel, account: &account, work, scale };
        return paywall::run(order, &client, session).await;
    }
    let license = find_license(&channel, &account, args.license, work.as_ref(), args.licensed_use)?;
    let key = signing_key(&args.voucher_key.read(session)?);
    let gateway = session.gateway().await;
    let keys = client.operator(&account.channel.operator).await?.receipt_keys;
    let slot = account.channel.opened_slot;
    let state = args.receipts.as_ref().map(|file| state_path(file, &channel, slot));
    let options =
        PayerOptions { receipt_keys: Some(keys), state: state.clone(), ..PayerOptions::default() };
    let payer = Payer::open(gateway, channel, &account, key, options).await?;

    let signer = match &args.identity {
        Some(folder) => Some(OutputSigner::new(folder, &client, &account, license, session).await?),
        None => None,
    };
    let receipts = args.receipts.as_deref();
    let mut kept = Kept::open(receipts, args.output.as_deref(), signer)?;
    // Paid for by a run that was interrupted.
    for earlier in payer.receipts() {
        kept.add_again(&earlier.receipt)?;
    }
    forget_receipts(&payer, &kept).await?;
    let bar = progress_bar(u64::from(args.count));
    for number in 1..=args.count {
        let request = format!("{} no. {number}", args.prompt);
        let request_digest = content_digest(request.as_bytes());
        let output = Palette::PLAIN.render(&request_digest);
        let paid = payer.generate(license, 1, request_digest, content_digest(&output)).await;
        let receipt = paid.inspect_err(|_| bar.abandon())?;
        // Stored before the next generation is paid for.
        kept.add(&receipt, &output).inspect_err(|_| bar.abandon())?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let output = GenerateOutput {
        channel: channel.to_string(),
        license,
        generations: args.count,
        statement: Some(payer.statement()),
        spent: scale.money(payer.spent()),
        cumulative: scale.money(payer.cumulative()?),
        files: None,
    };
    forget_receipts(&payer, &kept).await?;
    Ok(output)
}

/// Returns the path of the payer's state beside a file of receipts.
fn state_path(receipts: &Path, channel: &Pubkey, opened_slot: u64) -> PathBuf {
    let mut name = receipts.as_os_str().to_owned();
    name.push(format!(".{channel}-{opened_slot}.payer"));
    name.into()
}

/// Forgets receipts that are in the file of receipts.
async fn forget_receipts(payer: &Payer, kept: &Kept) -> Result<(), CliError> {
    if let Some(last) = payer.receipts().last() {
        kept.sync()?;
        payer.forget_receipts(last.number).await?;
    }
    Ok(())
}

fn progress_bar(count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} generations, {per_sec}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()); // the template is constant
    ProgressBar::new(count).with_style(style.progress_chars("=> "))
}
