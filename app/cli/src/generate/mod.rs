//! `motif generate`: generations that are paid for one by one.

mod output_signer;
mod paywall;
mod pending;

use std::{
    fmt,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use motif_sdk::{
    Pubkey,
    fingerprint::content_digest,
    gateway::{
        PayerSession, SessionPolicy,
        wire::{ReceiptParts, UseWord},
    },
    keypair::signing_key,
    receipt::SignedReceipt,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    amount::{Money, grouped},
    channel::{ChannelArgs, VoucherKeyArgs, find_license},
    currency,
    error::CliError,
    output::{self, pairs},
    palette::Palette,
    reference::WorkReference,
    session::Session,
};
use output_signer::OutputSigner;
use paywall::Order;

/// Arguments of `motif generate`.
#[derive(Args)]
pub struct GenerateArgs {
    /// Number of generations
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,

    /// Work to generate with, an address or a file [default: the only one that the channel licenses]
    #[arg(long, value_name = "WORK")]
    work: Option<WorkReference>,

    /// Index of the license on the channel, in place of --work
    #[arg(long, value_name = "INDEX")]
    license: Option<u16>,

    /// Licensed use, if the channel licenses a work for several
    #[arg(long = "use", value_name = "USE")]
    licensed_use: Option<UseWord>,

    /// Prompt; the number of the generation is appended (with --through, if --count is above 1)
    #[arg(long, value_name = "TEXT", default_value = "New York, same style")]
    prompt: String,

    /// Write outputs into this folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Sign outputs with content credentials that name their receipts
    ///
    /// Takes the folder of a signing identity, as `motif credentials identity` creates it.
    #[arg(long, value_name = "DIR", requires = "output")]
    identity: Option<PathBuf>,

    /// Generate with the model server behind the paywall at this URL
    ///
    /// Each output is written with its receipt beside it. After a lost connection, run the same
    /// command again: it fetches what was generated and paid for. A stream starts over; the parts
    /// that were paid for are on disk.
    #[arg(long, value_name = "URL", requires = "output")]
    through: Option<String>,

    /// Additional field of the request to the model server: JSON, or else text
    #[arg(long = "field", value_name = "NAME=VALUE", requires = "through")]
    fields: Vec<Field>,

    /// Append the signed receipts to this file, one line of JSON each
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,

    #[command(flatten)]
    channel: ChannelArgs,

    #[command(flatten)]
    voucher_key: VoucherKeyArgs,
}

/// Field of a request to a model server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    /// JSON, or else text.
    value: Value,
}

impl FromStr for Field {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected NAME=VALUE such as steps=20";
        let (name, value) = text.split_once('=').ok_or(EXPECTED)?;
        if name.is_empty() {
            return Err(EXPECTED);
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(Self { name: name.to_owned(), value })
    }
}

/// Output of `motif generate`.
#[derive(Serialize)]
struct GenerateOutput {
    channel: String,
    license: u16,
    generations: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<u64>,
    spent: Money,
    /// Total of the newest voucher.
    cumulative: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<String>>,
}

pub async fn run(args: GenerateArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let (channel, account) = args.channel.find(&client, session).await?;
    let work = match &args.work {
        Some(reference) => Some(reference.address(&client).await?),
        None => None,
    };
    let scale = currency::scale(&client, &account.channel.mint).await?;
    if let Some(url) = &args.through {
        let order = Order { url, args: &args, channel, account: &account, work, scale };
        session.print(&paywall::run(order, &client, session).await?);
        return Ok(());
    }
    let license = find_license(&channel, &account, args.license, work.as_ref(), args.licensed_use)?;
    let mut receipts = args.receipts.as_deref().map(ReceiptsFile::open).transpose()?;
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder).map_err(|error| CliError::unwritable(folder, error))?;
    }
    let key = signing_key(&args.voucher_key.read(session)?);
    let policy = SessionPolicy::default();
    let gateway = session.gateway().await;
    let mut payer = PayerSession::begin(gateway, channel, &account, key, policy).await?;

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
    session.print(&GenerateOutput {
        channel: channel.to_string(),
        license,
        generations: args.count,
        statement: Some(payer.statement()),
        spent: scale.money(payer.spent()?),
        cumulative: scale.money(payer.cumulative()?),
        files: None,
    });
    Ok(())
}

impl fmt::Display for GenerateOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("channel", &self.channel),
            ("generations", &grouped(u64::from(self.generations))),
            ("spent", &self.spent),
            ("channel total", &self.cumulative),
        ]))?;
        for (position, file) in self.files.iter().flatten().enumerate() {
            let name = if position == 0 { "files" } else { "" };
            write!(formatter, "\n{name:13}  {file}")?;
        }
        Ok(())
    }
}

/// File that receipts are appended to, one line of JSON each.
struct ReceiptsFile {
    path: PathBuf,
    file: File,
}

impl ReceiptsFile {
    fn open(path: &Path) -> Result<Self, CliError> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| CliError::unwritable(path, error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn append(&mut self, receipt: &SignedReceipt) -> Result<(), CliError> {
        let line = output::json_line(&ReceiptParts::from(receipt));
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|error| CliError::unwritable(&self.path, error))
    }
}

fn progress_bar(count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} generations, {per_sec}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()); // the template is constant
    ProgressBar::new(count).with_style(style.progress_chars("=> "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn field_is_json_or_else_text() {
        for (text, value) in [
            ("side=64", json!(64)),
            ("style=ink", json!("ink")),
            ("style=\"64\"", json!("64")),
            ("a=b=c", json!("b=c")),
            ("flag=true", json!(true)),
        ] {
            assert_eq!(text.parse::<Field>().unwrap().value, value, "{text}");
        }
        assert!("=1".parse::<Field>().is_err());
        assert!("side".parse::<Field>().is_err());
    }
}
