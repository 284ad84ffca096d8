mod field;
mod pending;
mod press;
mod through;

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use motif_sdk::{
    fingerprint::content_digest,
    gateway::{
        PayerSession, SessionPolicy,
        wire::{ReceiptParts, UseWord},
    },
    keypair::signing_key,
    receipt::SignedReceipt,
};
use serde_json::json;

use crate::{
    amount::grouped,
    answer::pairs,
    channel::{PayingChannelArgs, VoucherKeyArgs, license_of, voucher_key},
    error::CliError,
    reference::WorkReference,
    rendering::Palette,
    session::Session,
};
use field::Field;
use press::Press;
use through::Order;

/// What to generate, and what pays for it.
#[derive(Args)]
pub struct GenerateArgs {
    /// How many generations.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,

    /// Generate with this work [default: with the only one the channel licenses].
    #[arg(long, value_name = "WORK", value_parser = WorkReference::parse)]
    work: Option<WorkReference>,

    /// The license's index on the channel, instead of a work.
    #[arg(long, value_name = "INDEX")]
    license: Option<u16>,

    /// The licensed use, where a work is licensed for several.
    #[arg(long = "use", value_name = "USE")]
    licensed_use: Option<UseWord>,

    /// What to ask for; each generation's number is added.
    #[arg(long, default_value = "New York, same style")]
    prompt: String,

    /// Write the generated pictures into this folder.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Sign the pictures, or a server's answers, with content credentials as this folder's
    /// identity, such as `motif credentials identity` makes; each names its receipt.
    #[arg(long, value_name = "DIR", requires = "output")]
    identity: Option<PathBuf>,

    /// Have a model server behind a paywall generate, at this URL; each answer comes with its
    /// receipt beside it. Run again after a lost connection, it gets what was made and paid for;
    /// a stream begins anew, and what was paid for of it is there.
    #[arg(long, value_name = "URL", requires = "output")]
    through: Option<String>,

    /// Another field for the server, beside the prompt; JSON, or else text.
    #[arg(long = "field", value_name = "NAME=VALUE", requires = "through")]
    fields: Vec<Field>,

    /// Append the signed receipts to this file, one line of JSON each.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,

    #[command(flatten)]
    channel: PayingChannelArgs,

    #[command(flatten)]
    voucher_key: VoucherKeyArgs,
}

pub async fn run(args: GenerateArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let (channel, account) = args.channel.find(&client, session).await?;
    let work = match &args.work {
        Some(reference) => Some(reference.address(&client).await?),
        None => None,
    };
    if let Some(url) = &args.through {
        let order = Order { url, args: &args, channel, account: &account, work };
        return through::run(order, &client, session).await;
    }
    let license = license_of(&channel, &account, args.license, work.as_ref(), args.licensed_use)?;
    let mut receipts = args.receipts.as_deref().map(open_receipts).transpose()?;
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    let key = signing_key(&voucher_key(&args.voucher_key, session)?);
    let policy = SessionPolicy::default();
    let gateway = session.gateway().await;
    let mut paying = PayerSession::begin(gateway, channel, &account, key, policy).await?;

    let press = match &args.identity {
        Some(folder) => Some(Press::new(folder, &client, &account, license, session).await?),
        None => None,
    };
    let bar = progress(u64::from(args.count));
    for number in 1..=args.count {
        let request = format!("{} no. {number}", args.prompt);
        let request_digest = content_digest(request.as_bytes());
        let output = Palette::PLAIN.render(&request_digest);
        let paid = paying.generate(license, 1, request_digest, content_digest(&output)).await;
        let receipt = paid.inspect_err(|_| bar.abandon())?;
        if let Some(file) = &mut receipts {
            append(file, args.receipts.as_deref(), &receipt)?;
        }
        if let Some(folder) = &args.output {
            let name = format!("{}.png", hex::encode(&receipt.receipt.output_digest[..8]));
            let output = match &press {
                Some(press) => {
                    press.sign(&output, &name, &receipt).inspect_err(|_| bar.abandon())?
                }
                None => output,
            };
            let path = folder.join(name);
            std::fs::write(&path, output).map_err(|error| unwritable(&path, &error))?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    answer(&args, session, &channel, &paying, license)
}

fn answer(
    args: &GenerateArgs,
    session: &Session,
    channel: &motif_sdk::Pubkey,
    paying: &PayerSession,
    license: u16,
) -> Result<(), CliError> {
    let (spent, cumulative) = (paying.spent()?, paying.cumulative()?);
    let json = json!({
        "channel": channel.to_string(),
        "license": license,
        "generations": args.count,
        "statement": paying.statement(),
        "spent": spent,
        "cumulative": cumulative,
    });
    let text = pairs([
        ("channel", channel.to_string()),
        ("generations", grouped(u64::from(args.count))),
        ("spent", grouped(spent)),
        ("owed in all", grouped(cumulative)),
    ]);
    session.answer(&json, text);
    Ok(())
}

fn open_receipts(path: &Path) -> Result<File, CliError> {
    let file = File::options().create(true).append(true).open(path);
    file.map_err(|error| unwritable(path, &error))
}

/// Each receipt is on its way to the disk before the next generation is paid for.
fn append(file: &mut File, path: Option<&Path>, receipt: &SignedReceipt) -> Result<(), CliError> {
    let line = format!("{}\n", json!(ReceiptParts::from(receipt)));
    let path = path.unwrap_or(Path::new("receipts"));
    file.write_all(line.as_bytes()).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Unwritable { path: path.display().to_string(), reason: error.to_string() }
}

fn progress(count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} generations, {per_sec}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()); // a constant template
    ProgressBar::new(count).with_style(style.progress_chars("=> "))
}
