//! Generations by a model server behind a paywall.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    client::Client,
    gateway::{
        GatewayError, IdempotencyKey, Method, PaidAnswer, PaidPart, PaidRequest, PayerSession,
        PaywallClient, SessionPolicy,
        wire::{PriceTag, ReceiptParts},
    },
    keypair::signing_key,
    receipt::SignedReceipt,
};
use serde_json::{Map, Value, json};

use super::{
    GenerateArgs, append, open_receipts,
    pending::{Pending, put},
    press::Press,
    unwritable,
};
use crate::{
    amount::grouped,
    answer::pairs,
    channel::{license_of, voucher_key},
    error::CliError,
    session::Session,
};

/// What to have generated, where, and what pays for it.
#[derive(Clone)]
pub struct Order<'a> {
    pub url: &'a str,
    pub args: &'a GenerateArgs,
    pub channel: Pubkey,
    pub account: &'a ChannelAccount,
    pub work: Option<Pubkey>,
}

/// Where answers go.
struct Shelf<'a> {
    folder: &'a Path,
    /// Signs them, where they are to be signed.
    press: Option<Press>,
    receipts: Option<(&'a Path, File)>,
    files: Vec<PathBuf>,
}

pub async fn run(order: Order<'_>, client: &Client, session: &Session) -> Result<(), CliError> {
    let Order { url, args, channel, account, work } = order.clone();
    let paywall = session.paywall(url);
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let price_tag = paywall.price_tag(&Method::POST, url, &headers, &body(args, 1)).await?;
    if price_tag.operator.0 != account.channel.operator {
        let help = "open a channel with that operator, or name one with --channel";
        let operator = price_tag.operator;
        return Err(CliError::usage(format!("{url} is sold by operator {operator}"), help));
    }
    if price_tag.streams && args.identity.is_some() {
        let help = "leave --identity out: each part of it has a receipt of its own";
        return Err(CliError::usage(format!("what {url} streams is not signed"), help));
    }
    // What is paid is the license's price, whatever the price_tag says.
    let (work, licensed_use) =
        (work.unwrap_or(price_tag.quote.work.0), price_tag.quote.licensed_use);
    let license = license_of(&channel, account, args.license, Some(&work), Some(licensed_use))?;
    let folder = args.output.as_deref().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let press = match &args.identity {
        Some(identity) => Some(Press::new(identity, client, account, license, session).await?),
        None => None,
    };
    let receipts = args.receipts.as_deref();
    let receipts = receipts.map(|path| Ok::<_, CliError>((path, open_receipts(path)?)));
    let receipts = receipts.transpose()?;
    let mut shelf = Shelf { folder, press, receipts, files: Vec::new() };

    let key = signing_key(&voucher_key(&args.voucher_key, session)?);
    let policy = SessionPolicy::default();
    let gateway = session.gateway().await;
    let mut paying = PayerSession::begin(gateway, channel, account, key, policy).await?;
    let before = paying.cumulative()?;
    for number in 1..=args.count {
        let body = body(args, number);
        let [(name, value)] = &headers;
        let request = PaidRequest::new(Method::POST, url, body, license, &price_tag);
        let request = request.header(name, value);
        if price_tag.streams {
            stream(&mut paying, &paywall, &request, &mut shelf).await?;
        } else {
            fetch(&mut paying, &paywall, request, &price_tag, &mut shelf, session).await?;
        }
    }
    let cumulative = paying.cumulative()?;
    answer(&order, session, license, &shelf, cumulative - before, cumulative);
    Ok(())
}

/// What the server is asked; each generation is another one.
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

/// One answer, or the one that an earlier run has asked for and not received.
async fn fetch(
    paying: &mut PayerSession,
    paywall: &PaywallClient,
    mut request: PaidRequest,
    price_tag: &PriceTag,
    shelf: &mut Shelf<'_>,
    session: &Session,
) -> Result<(), CliError> {
    let digest = request.digest()?;
    let fresh = request.clone();
    let pending = Pending::take_up(shelf.folder, &mut request, &digest);
    let pending = pending.map_err(|error| unwritable(shelf.folder, &error))?;
    if request.is_resumed {
        session.say("asking again for what was asked for before");
    }
    let mut fetched = paying.fetch(paywall, &request).await;
    if request.is_resumed && fetched.as_ref().is_err_and(is_over) {
        // Nothing was paid for it, or it is kept no longer.
        let expires_at = session.now() + i64::from(price_tag.hold_seconds) + 60;
        request = PaidRequest { key: IdempotencyKey::random(), expires_at, ..fresh };
        pending.note(&request).map_err(|error| unwritable(shelf.folder, &error))?;
        fetched = paying.fetch(paywall, &request).await;
    }
    let answer = fetched.inspect_err(|error| {
        if error.is_definite() {
            pending.done();
        }
    })?;
    shelf.keep(&answer, session)?;
    pending.done();
    Ok(())
}

/// Whether what an earlier run asked for will not come any more.
fn is_over(error: &GatewayError) -> bool {
    const OVER: [&str; 4] = ["hold-ended", "hold-too-short", "answer-gone", "license-expired"];
    error.slug().is_some_and(|slug| OVER.contains(&slug))
}

/// An answer that streams; each part is on disk before the next is paid for.
async fn stream(
    paying: &mut PayerSession,
    paywall: &PaywallClient,
    request: &PaidRequest,
    shelf: &mut Shelf<'_>,
) -> Result<(), CliError> {
    let mut stream = paying.stream(paywall, request).await?;
    let ending = ending(stream.kind());
    let mut open: Option<(PathBuf, File, PathBuf, File)> = None;
    while let Some(part) = stream.next(paying).await? {
        let (path, file, receipts_path, receipts) = match &mut open {
            Some(open) => open,
            None => open.insert(shelf.begin(&part, ending)?),
        };
        file.write_all(&part.body).map_err(|error| unwritable(path, &error))?;
        append(receipts, Some(receipts_path), &part.receipt)?;
        shelf.note(&part.receipt)?;
    }
    Ok(())
}

impl Shelf<'_> {
    /// An answer and its receipt beside it, both under the receipt's name. An answer that cannot be
    /// signed is paid for all the same, and kept as it came.
    fn keep(&mut self, answer: &PaidAnswer, session: &Session) -> Result<(), CliError> {
        let name = name(&answer.receipt);
        let receipt = self.folder.join(format!("{name}.receipt.json"));
        let json = format!("{}\n", json!(ReceiptParts::from(&answer.receipt)));
        put(&receipt, json.as_bytes()).map_err(|error| unwritable(&receipt, &error))?;
        let name = format!("{name}.{}", ending(&answer.kind));
        let signed =
            self.press.as_ref().map(|press| press.sign(&answer.body, &name, &answer.receipt));
        let signed = signed.transpose().unwrap_or_else(|error| {
            session.say(format_args!("{name} is kept without credentials: {error}"));
            None
        });
        let path = self.folder.join(name);
        put(&path, signed.as_ref().unwrap_or(&answer.body))
            .map_err(|error| unwritable(&path, &error))?;
        self.files.push(path);
        self.note(&answer.receipt)
    }

    /// Files for an answer that streams and for its receipts, under its first receipt's name.
    fn begin(
        &mut self,
        first: &PaidPart,
        ending: &str,
    ) -> Result<(PathBuf, File, PathBuf, File), CliError> {
        let name = name(&first.receipt);
        let path = self.folder.join(format!("{name}.{ending}"));
        let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
        let receipts_path = self.folder.join(format!("{name}.receipts.jsonl"));
        let receipts = open_receipts(&receipts_path)?;
        self.files.push(path.clone());
        Ok((path, file, receipts_path, receipts))
    }

    fn note(&mut self, receipt: &SignedReceipt) -> Result<(), CliError> {
        match &mut self.receipts {
            Some((path, file)) => append(file, Some(path), receipt),
            None => Ok(()),
        }
    }
}

fn name(receipt: &SignedReceipt) -> String {
    hex::encode(&receipt.receipt.digest()[..8])
}

/// The ending of a file with this content.
fn ending(kind: &str) -> &'static str {
    match kind.split(';').next().unwrap_or_default().trim() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/mpeg" => "mp3",
        "audio/ogg" => "ogg",
        "video/mp4" => "mp4",
        "application/json" => "json",
        "text/plain" => "txt",
        _ => "bin",
    }
}

fn answer(
    order: &Order<'_>,
    session: &Session,
    license: u16,
    shelf: &Shelf<'_>,
    spent: u64,
    cumulative: u64,
) {
    let files: Vec<_> = shelf.files.iter().map(|path| path.display().to_string()).collect();
    let json = json!({
        "channel": order.channel.to_string(),
        "license": license,
        "generations": order.args.count,
        "spent": spent,
        "cumulative": cumulative,
        "files": files,
    });
    let text = pairs([
        ("channel", order.channel.to_string()),
        ("generations", grouped(u64::from(order.args.count))),
        ("spent", grouped(spent)),
        ("owed in all", grouped(cumulative)),
        ("files", files.join("\n")),
    ]);
    session.answer(&json, text);
}
