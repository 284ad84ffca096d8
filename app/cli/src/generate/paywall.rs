//! Generations by a model server behind a paywall.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    client::Client,
    gateway::{
        GatewayError, IdempotencyKey, Method, PaidAnswer, PaidPart, PaidRequest, Payer,
        PayerOptions, PaywallClient,
        wire::{PriceTag, ReceiptParts},
    },
    keypair::signing_key,
    receipt::SignedReceipt,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{args::GenerateArgs, kept::ReceiptsFile, output::GenerateOutput};
use crate::{
    amount::Scale,
    channel::find_license,
    credentials::OutputSigner,
    error::CliError,
    files::{extension, write_atomically},
    output::json_line,
    session::Session,
};

/// Request margin after the paywall's hold ends, in seconds.
const EXPIRY_MARGIN_SECONDS: i64 = 60;

/// Generations to buy, and the channel that pays for them.
pub struct Order<'a> {
    pub url: &'a str,
    pub args: &'a GenerateArgs,
    pub channel: Pubkey,
    pub account: &'a ChannelAccount,
    pub work: Option<Pubkey>,
    pub scale: Scale,
}

/// Folder that outputs and receipts are written to.
struct OutputFolder<'a> {
    path: &'a Path,
    /// Signs outputs, with `--identity`.
    signer: Option<OutputSigner>,
    receipts: Option<ReceiptsFile>,
    files: Vec<PathBuf>,
}

/// Files of an answer that streams.
struct StreamFiles {
    path: PathBuf,
    output: File,
    receipts: ReceiptsFile,
}

pub async fn run(
    order: Order<'_>,
    client: &Client,
    session: &Session,
) -> Result<GenerateOutput, CliError> {
    let Order { url, args, channel, account, work, scale } = order;
    let paywall = session.paywall(url);
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let price_tag = paywall.price_tag(&Method::POST, url, &headers, &body(args, 1)).await?;
    if price_tag.operator.0 != account.channel.operator {
        let help = "open a channel with that operator, or choose one with --channel";
        let operator = price_tag.operator;
        return Err(CliError::usage(format!("{url} is sold by operator {operator}"), help));
    }
    if price_tag.streams && args.identity.is_some() {
        let help = "leave out --identity: each part of a stream has its own receipt";
        return Err(CliError::usage(
            format!("{url} streams, so its output cannot be signed"),
            help,
        ));
    }
    // The price tag names the work and the use; the price is the license's.
    let (work, licensed_use) =
        (work.unwrap_or(price_tag.quote.work.0), price_tag.quote.licensed_use);
    let license = find_license(&channel, account, args.license, Some(&work), Some(licensed_use))?;
    let folder = args.output.as_deref().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| CliError::unwritable(folder, error))?;
    let signer = match &args.identity {
        Some(identity) => {
            Some(OutputSigner::new(identity, client, account, license, session).await?)
        }
        None => None,
    };
    let receipts = args.receipts.as_deref().map(ReceiptsFile::open).transpose()?;
    let mut folder = OutputFolder { path: folder, signer, receipts, files: Vec::new() };

    let key = signing_key(&args.voucher_key.read(session)?);
    let gateway = session.gateway().await;
    let keys = client.operator(&account.channel.operator).await?.receipt_keys;
    let options = PayerOptions { receipt_keys: Some(keys), ..PayerOptions::default() };
    let payer = Payer::open(gateway, channel, account, key, options).await?;
    let before = payer.cumulative()?;
    for number in 1..=args.count {
        let body = body(args, number);
        let [(name, value)] = &headers;
        let request = PaidRequest::new(Method::POST, url, body, license, &price_tag);
        let request = request.header(name, value);
        if price_tag.streams {
            stream(&payer, &paywall, &request, &mut folder).await?;
        } else {
            fetch(&payer, &paywall, request, &price_tag, &mut folder, session).await?;
        }
    }
    let cumulative = payer.cumulative()?;
    Ok(GenerateOutput {
        channel: channel.to_string(),
        license,
        generations: args.count,
        statement: None,
        spent: scale.money(cumulative - before),
        cumulative: scale.money(cumulative),
        files: Some(folder.files.iter().map(|path| path.display().to_string()).collect()),
    })
}

/// Returns the request body of one generation.
fn body(args: &GenerateArgs, number: u32) -> Vec<u8> {
    let mut fields = Map::new();
    let prompt = match args.count {
        1 => args.prompt.clone(),
        _ => format!("{} no. {number}", args.prompt),
    };
    fields.insert("prompt".to_owned(), Value::from(prompt));
    for field in &args.fields {
        fields.insert(field.name.clone(), field.value.clone());
    }
    Value::Object(fields).to_string().into_bytes()
}

/// Fetches one answer, or the one that an earlier run requested and did not receive.
async fn fetch(
    payer: &Payer,
    paywall: &PaywallClient,
    mut request: PaidRequest,
    price_tag: &PriceTag,
    folder: &mut OutputFolder<'_>,
    session: &Session,
) -> Result<(), CliError> {
    let digest = request.digest()?;
    let fresh = request.clone();
    let pending = PendingRequest::resume_or_create(folder.path, &mut request, &digest);
    let (pending, is_resumed) =
        pending.map_err(|error| CliError::unwritable(folder.path, error))?;
    if is_resumed {
        session.status("resuming the request of an earlier run");
    }
    let mut fetched = payer.fetch(paywall, &request).await;
    if is_resumed && fetched.as_ref().is_err_and(is_over) {
        // The earlier request was not paid for, or its answer is no longer kept.
        let expires_at = session.now() + i64::from(price_tag.hold_seconds) + EXPIRY_MARGIN_SECONDS;
        request = PaidRequest { key: IdempotencyKey::random(), expires_at, ..fresh };
        pending.write(&request).map_err(|error| CliError::unwritable(folder.path, error))?;
        fetched = payer.fetch(paywall, &request).await;
    }
    let answer = fetched.inspect_err(|error| {
        if error.is_definite() {
            pending.finish();
        }
    })?;
    folder.write(&answer, session)?;
    pending.finish();
    Ok(())
}

/// Returns whether the answer to an earlier run's request is no longer available.
fn is_over(error: &GatewayError) -> bool {
    const OVER: [&str; 4] = ["hold-ended", "hold-too-short", "answer-gone", "license-expired"];
    error.slug().is_some_and(|slug| OVER.contains(&slug))
}

/// Fetches an answer that streams; each part is on disk before the next is paid for.
async fn stream(
    payer: &Payer,
    paywall: &PaywallClient,
    request: &PaidRequest,
    folder: &mut OutputFolder<'_>,
) -> Result<(), CliError> {
    let mut stream = payer.stream(paywall, request).await?;
    let extension = extension(stream.kind());
    let mut open: Option<StreamFiles> = None;
    while let Some(part) = stream.next().await? {
        let files = match &mut open {
            Some(files) => files,
            None => open.insert(folder.open_stream(&part, extension)?),
        };
        let written = files.output.write_all(&part.body);
        written.map_err(|error| CliError::unwritable(&files.path, error))?;
        files.receipts.append(&part.receipt)?;
        folder.append_receipt(&part.receipt)?;
    }
    Ok(())
}

impl OutputFolder<'_> {
    /// Writes an answer with its receipt beside it, both named after the receipt. An answer that
    /// cannot be signed was paid for, so it is written as it came.
    fn write(&mut self, answer: &PaidAnswer, session: &Session) -> Result<(), CliError> {
        let name = name(&answer.receipt);
        let receipt = self.path.join(format!("{name}.receipt.json"));
        let json = json_line(&ReceiptParts::from(&answer.receipt));
        write_atomically(&receipt, json.as_bytes())
            .map_err(|error| CliError::unwritable(&receipt, error))?;
        let name = format!("{name}.{}", extension(&answer.kind));
        let signed =
            self.signer.as_ref().map(|signer| signer.sign(&answer.body, &name, &answer.receipt));
        let signed = signed.transpose().unwrap_or_else(|error| {
            session.status(format_args!("{name} is written without credentials: {error}"));
            None
        });
        let path = self.path.join(name);
        write_atomically(&path, signed.as_ref().unwrap_or(&answer.body))
            .map_err(|error| CliError::unwritable(&path, error))?;
        self.files.push(path);
        self.append_receipt(&answer.receipt)
    }

    /// Creates the files of an answer that streams, named after its first receipt.
    fn open_stream(&mut self, first: &PaidPart, extension: &str) -> Result<StreamFiles, CliError> {
        let name = name(&first.receipt);
        let path = self.path.join(format!("{name}.{extension}"));
        let output = File::create(&path).map_err(|error| CliError::unwritable(&path, error))?;
        let receipts = ReceiptsFile::open(&self.path.join(format!("{name}.receipts.jsonl")))?;
        self.files.push(path.clone());
        Ok(StreamFiles { path, output, receipts })
    }

    fn append_receipt(&mut self, receipt: &SignedReceipt) -> Result<(), CliError> {
        match &mut self.receipts {
            Some(file) => file.append(receipt),
            None => Ok(()),
        }
    }
}

fn name(receipt: &SignedReceipt) -> String {
    hex::encode(&receipt.receipt.digest()[..8])
}

/// Record of a request in flight. Repeating the request with its idempotency key returns what was
/// paid for, and pays once.
struct PendingRequest {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Record {
    url: String,
    key: String,
    expires_at: i64,
}

impl PendingRequest {
    /// Resumes a request that an earlier run sent, or records that this run sends it. Returns whether it
    /// is resumed.
    ///
    /// # Errors
    /// An I/O error if the record cannot be written; the request must not be sent then.
    fn resume_or_create(
        folder: &Path,
        request: &mut PaidRequest,
        digest: &[u8; 32],
    ) -> io::Result<(Self, bool)> {
        let pending = Self { path: folder.join(format!("pending-{}.json", hex::encode(digest))) };
        let record: Option<Record> =
            fs::read(&pending.path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let record = record.filter(|record| record.url == request.url);
        let earlier = record.and_then(|record| Some((record.key.parse().ok()?, record.expires_at)));
        let is_resumed = earlier.is_some();
        match earlier {
            Some((key, expires_at)) => (request.key, request.expires_at) = (key, expires_at),
            None => pending.write(request)?,
        }
        Ok((pending, is_resumed))
    }

    /// Records a request before it is sent.
    ///
    /// # Errors
    /// As [`PendingRequest::resume_or_create`].
    fn write(&self, request: &PaidRequest) -> io::Result<()> {
        let (url, key) = (request.url.clone(), request.key.to_string());
        let record = Record { url, key, expires_at: request.expires_at };
        write_atomically(&self.path, &serde_json::to_vec(&record)?)
    }

    /// Deletes the record of a request that was answered or definitely rejected.
    fn finish(&self) {
        // A record that stays behind is found to be over by the next run.
        let _ = fs::remove_file(&self.path);
    }
}
