//! `motif pay`: fetches a URL and pays for the answer.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use motif_payer_service::{Answer, Caller, Offer, PayerService, Purchase, Settings, Target};
use motif_sdk::gateway::{
    Method,
    wire::{Amount, ReceiptParts},
};
use serde::Serialize;

use crate::{
    amount::AmountArg,
    currency::known_denomination,
    error::CliError,
    output::pairs,
    payer::{PayerState, SettingsArgs},
    session::Session,
};

/// Arguments of `motif pay`.
#[derive(Args)]
pub struct PayArgs {
    /// URL behind a paywall
    #[arg(value_name = "URL")]
    url: String,

    /// HTTP method [default: POST with --data, else GET]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<Method>,

    /// Header of the request. May be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<HeaderArg>,

    /// Body of the request: a text, or @FILE; `@-` reads stdin
    #[arg(short = 'd', long, value_name = "TEXT|@FILE")]
    data: Option<String>,

    /// Write the answer into this file [default: stdout]
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Maximum cost of the answer, fees included; also of a unit, unless --max-unit-price is set
    #[arg(long, value_name = "AMOUNT")]
    max_price: Option<AmountArg>,

    /// Print what the answer would cost; signs nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    settings: SettingsArgs,
}

/// Header on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HeaderArg {
    name: String,
    value: String,
}

impl FromStr for HeaderArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
        Ok(Self { name: name.trim().to_owned(), value: value.trim().to_owned() })
    }
}

/// Output of `motif pay`, with the answer in a file.
#[derive(Serialize)]
struct PayOutput {
    status: u16,
    file: String,
    bytes: u64,
    /// Cost of the answer, fees included.
    cost: Amount,
    receipts: Vec<ReceiptParts>,
}

/// Output of `motif pay --dry-run`.
#[derive(Serialize)]
#[serde(transparent)]
struct OfferOutput(Offer);

/// Destination of an answer.
struct Sink {
    path: Option<PathBuf>,
    file: Option<File>,
    bytes: u64,
    receipts: Vec<ReceiptParts>,
}

pub async fn run(args: PayArgs, session: &Session) -> Result<(), CliError> {
    if session.json && args.output.is_none() && !args.dry_run {
        let help = "pass --output, or --dry-run";
        return Err(CliError::usage("the answer and --json cannot both be on stdout", help));
    }
    let mut settings = args.settings.read()?;
    let max_cost = match &args.max_price {
        Some(amount) => {
            let mint = settings.currency.map(|mint| mint.0);
            let known = mint.as_ref().and_then(known_denomination);
            Some(amount.to_amount().base_units(known.map(|known| known.decimals))?)
        }
        None => None,
    };
    // A unit costs at most what the whole answer may.
    settings.policy.max_unit_price = settings.policy.max_unit_price.or(max_cost);
    // The user has named the URL.
    settings.proxy.private_targets.extend(authority(&args.url).and_then(|host| host.parse().ok()));
    let target = Target::parse(&args.url, &settings.proxy.private_targets)?;
    let mut headers = motif_payer_service::HeaderMap::new();
    for HeaderArg { name, value } in &args.headers {
        let invalid = || CliError::usage(format!("invalid header `{name}`"), "pass NAME: VALUE");
        let header = name.parse::<motif_payer_service::HeaderName>().map_err(|_| invalid())?;
        headers.append(header, value.parse().map_err(|_| invalid())?);
    }
    let body = args.data.as_deref().map(read_data).transpose()?;
    let default = if body.is_some() { Method::POST } else { Method::GET };
    let purchase = Purchase {
        method: args.method.unwrap_or(default),
        target,
        headers,
        body: body.unwrap_or_default().into(),
        caller: Caller::from(Settings::COMMAND_CALLER),
        max_cost,
        is_dry_run: args.dry_run,
        gone: Default::default(),
    };
    let state = PayerState::open(&settings, session)?;
    let service = state.service(settings, session).await?;
    let bought = buy(&service, purchase, args.output, session).await;
    // Also after an error: parts of a stream may be paid for.
    service.export().await?;
    bought
}

async fn buy(
    service: &PayerService,
    purchase: Purchase,
    output: Option<PathBuf>,
    session: &Session,
) -> Result<(), CliError> {
    let mut sink = Sink { path: output, file: None, bytes: 0, receipts: Vec::new() };
    let status = match service.buy(purchase).await? {
        Answer::Offer(offer) => {
            session.print(&OfferOutput(*offer));
            return Ok(());
        }
        Answer::Unpaid(mut response) => {
            let status = response.status().as_u16();
            loop {
                let chunk = response.chunk().await;
                let chunk = chunk.map_err(|_| CliError::AnswerIncomplete)?;
                let Some(chunk) = chunk else { break };
                sink.write(&chunk)?;
            }
            status
        }
        Answer::Redirect(status, to) => {
            session.status(format_args!("redirected to {to}; run the command with that URL"));
            status.as_u16()
        }
        Answer::Refused { status, body, .. } => {
            sink.write(&body)?;
            status
        }
        Answer::Paid { status, body, receipt, .. } => {
            sink.receipts.push(ReceiptParts::from(&*receipt));
            sink.write(&body)?;
            status
        }
        Answer::Stream(mut body) => {
            while let Some(part) = body.next().await? {
                sink.receipts.push(ReceiptParts::from(&part.receipt));
                sink.write(&part.body)?;
            }
            200
        }
    };
    sink.finish(status, service, session)
}

impl Sink {
    /// Writes bytes to the file, or to stdout.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.bytes += bytes.len() as u64;
        let Some(path) = &self.path else {
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
            return written.map_err(|error| CliError::unwritable(Path::new("stdout"), error));
        };
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = File::create(path).map_err(|error| CliError::unwritable(path, error))?;
                self.file.insert(file)
            }
        };
        file.write_all(bytes).map_err(|error| CliError::unwritable(path, error))
    }

    /// Prints the result; fails if the server refused the request.
    fn finish(
        mut self,
        status: u16,
        service: &PayerService,
        session: &Session,
    ) -> Result<(), CliError> {
        self.write(&[])?;
        if status >= 400 {
            return Err(CliError::AnswerRefused(status));
        }
        let cost = service.cost_of(&self.receipts);
        match &self.path {
            Some(path) => session.print(&PayOutput {
                status,
                file: path.display().to_string(),
                bytes: self.bytes,
                cost: Amount(cost),
                receipts: self.receipts,
            }),
            None => session.status(format_args!("{}", paid(cost, &self.receipts))),
        }
        Ok(())
    }
}

/// Returns what was paid, in words.
fn paid(cost: u64, receipts: &[ReceiptParts]) -> String {
    let units: u64 = receipts.iter().map(|receipt| u64::from(receipt.units)).sum();
    match (receipts.len(), units) {
        (0, _) => "nothing was paid".to_owned(),
        (_, 1) => format!("paid {cost} base units (1 unit, fee included)"),
        _ => format!("paid {cost} base units ({units} units, fees included)"),
    }
}

/// Returns the host and port of a URL.
fn authority(url: &str) -> Option<String> {
    let url: url::Url = url.parse().ok()?;
    let host = url.host_str()?;
    Some(format!("{host}:{}", url.port_or_known_default()?))
}

fn read_data(data: &str) -> Result<Vec<u8>, CliError> {
    let Some(path) = data.strip_prefix('@') else { return Ok(data.as_bytes().to_vec()) };
    let read = match path {
        "-" => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        path => std::fs::read(path),
    };
    read.map_err(|error| CliError::unreadable(Path::new(path), error))
}

impl fmt::Display for PayOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = pairs(&[("file", &self.file), ("bytes", &self.bytes)]);
        write!(formatter, "{text}\n{}", paid(self.cost.0, &self.receipts))
    }
}

impl fmt::Display for OfferOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(payment) = &self.0.payment else {
            return write!(formatter, "status {} without a payment", self.0.status);
        };
        let each = if payment.streams { " for each part" } else { "" };
        let yes = |does: bool| if does { "yes" } else { "no" };
        formatter.write_str(&pairs(&[
            ("work", &payment.work),
            ("use", &payment.licensed_use),
            ("operator", &payment.operator),
            ("price", &format_args!("{} base units / {}", payment.unit_price, payment.unit)),
            ("at most", &format_args!("{} base units{each}, fee included", payment.most_cost)),
            ("opens a channel", &yes(payment.preparation.opens_channel)),
            ("accepts terms", &yes(payment.preparation.accepts_terms)),
            ("upfront fee", &format_args!("{} base units", payment.preparation.upfront_fee)),
            ("tops up", &yes(payment.preparation.tops_up)),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_a_name_and_a_value() {
        let header: HeaderArg = "X-Time: 10:30 ".parse().unwrap();
        assert_eq!((header.name.as_str(), header.value.as_str()), ("X-Time", "10:30"));
        assert!("X-Time".parse::<HeaderArg>().is_err());
        assert_eq!(authority("https://a.example/b").as_deref(), Some("a.example:443"));
        assert_eq!(authority("http://[::1]:5/").as_deref(), Some("[::1]:5"));
    }
}
