//! `motif generate`: generations that are paid for one by one.

mod args;
mod output;
mod paywall;

use indicatif::{ProgressBar, ProgressStyle};
use motif_sdk::{
    fingerprint::content_digest,
    gateway::{Payer, PayerOptions},
    keypair::signing_key,
};

pub use args::{Field, GenerateArgs};

use crate::{
    channel::find_license, credentials::OutputSigner, currency, error::CliError, palette::Palette,
    session::Session,
};
use output::{GenerateOutput, ReceiptsFile};
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
    if let Some(url) = &args.through {
        let order = Order { url, args: &args, channel, account: &account, work, scale };
        return paywall::run(order, &client, session).await;
    }
    let license = find_license(&channel, &account, args.license, work.as_ref(), args.licensed_use)?;
    let mut receipts = args.receipts.as_deref().map(ReceiptsFile::open).transpose()?;
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder).map_err(|error| CliError::unwritable(folder, error))?;
    }
    let key = signing_key(&args.voucher_key.read(session)?);
    let gateway = session.gateway().await;
    let keys = client.operator(&account.channel.operator).await?.receipt_keys;
    let options = PayerOptions { receipt_keys: Some(keys), ..PayerOptions::default() };
    let payer = Payer::open(gateway, channel, &account, key, options).await?;

    let signer = match &args.identity {
        Some(folder) => Some(OutputSigner::new(folder, &client, &account, license, session).await?),
        None => None,
    };
    let bar = progress_bar(u64::from(args.count));
    for number in 1..=args.count {
        let request = format!("{} no. {number}", args.prompt);
        let request_digest = content_digest(request.as_bytes());
        let output = Palette::PLAIN.render(&request_digest);
        let paid = payer.generate(license, 1, request_digest, content_digest(&output)).await;
        let receipt = paid.inspect_err(|_| bar.abandon())?;
        // Stored before the next generation is paid for.
        if let Some(file) = &mut receipts {
            file.append(&receipt)?;
        }
        if let Some(folder) = &args.output {
            let name = format!("{}.png", hex::encode(&receipt.receipt.output_digest[..8]));
            let output = match &signer {
                Some(signer) => {
                    signer.sign(&output, &name, &receipt).inspect_err(|_| bar.abandon())?
                }
                None => output,
            };
            let path = folder.join(name);
            std::fs::write(&path, output).map_err(|error| CliError::unwritable(&path, error))?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(GenerateOutput {
        channel: channel.to_string(),
        license,
        generations: args.count,
        statement: Some(payer.statement()),
        spent: scale.money(payer.spent()),
        cumulative: scale.money(payer.cumulative()?),
        files: None,
    })
}

fn progress_bar(count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} generations, {per_sec}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()); // the template is constant
    ProgressBar::new(count).with_style(style.progress_chars("=> "))
}
