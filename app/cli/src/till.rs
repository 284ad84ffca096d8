//! `motif till`: plain payments to works, such as one-off sales or a distributor's royalties.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{Args, Subcommand};
use motif_sdk::{
    AccountData, Pubkey,
    channel::Currency,
    client::{Client, SaleError},
    fingerprint::content_digest,
    gateway::wire::Use,
    pda,
    text::visible,
    till::{self, Till, TillShare, TillShares},
};
use rand::Rng;
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    amount::{AmountArg, Money},
    currency::{self, CurrencyArgs},
    error::CliError,
    output::{json_line, pairs},
    qr::PayLink,
    reference::{AccountReference, WorkReference},
    sale::SaleFile,
    session::Session,
};

/// Commands of `motif till`.
#[derive(Subcommand)]
pub enum TillCommand {
    /// Open the account that takes plain transfers for works and an operator
    ///
    /// Any keypair may sign. Does nothing if the till is open.
    Open(TillArgs),
    /// Pay into a till by plain transfer: an amount, or the price of a use
    ///
    /// With --use the payment is a sale: its memo commits to the works' terms, the units and the
    /// request, and `motif sale verify` proves it from the chain alone.
    Pay(PayArgs),
    /// Show a till's address and balance
    Show(ShowArgs),
    /// Move a till's balance to its works' earnings and its operator
    ///
    /// Any keypair may sign.
    Sweep(TillArgs),
}

/// Arguments of `motif till show`.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    till: TillArgs,

    /// Show a QR code by which any Solana wallet on a phone pays into the till
    #[arg(long)]
    qr: bool,

    /// Amount in the QR code; the wallet asks for one without it
    #[arg(long, value_name = "AMOUNT", requires = "qr")]
    amount: Option<AmountArg>,
}

/// Till that a command is about: one per division and currency.
#[derive(Args)]
pub struct TillArgs {
    /// Work that is paid, an address or a file; with several, each with its parts: WORK=PARTS. Or
    /// the address of an open till alone
    #[arg(value_name = "WORK[=PARTS]|TILL", required = true, num_args = 1..=TillShares::MAX_WORKS)]
    works: Vec<PartsArg>,

    /// Operator that is paid too, by its authority, an address or a keypair file, with its parts
    #[arg(long, value_name = "ADDRESS|FILE=PARTS")]
    operator: Option<PartsArg>,

    #[command(flatten)]
    currency: CurrencyArgs,
}

/// Arguments of `motif till pay`.
#[derive(Args)]
pub struct PayArgs {
    #[command(flatten)]
    till: TillArgs,

    /// Amount to pay [default with --use: the price]
    #[arg(long, value_parser = AmountArg::parse_positive, required_unless_present = "licensed_use")]
    amount: Option<AmountArg>,

    /// Use to buy from each work, by its latest terms
    #[arg(long = "use", value_name = "USE")]
    licensed_use: Option<Use>,

    /// Units to buy
    #[arg(long, default_value_t = 1, requires = "licensed_use")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    units: u32,

    /// Text of the request that the sale is for
    #[arg(long, default_value = "", requires = "licensed_use")]
    prompt: String,

    /// Write the sale to a new file, for `motif sale verify`, before it is paid
    #[arg(long, value_name = "FILE", requires = "licensed_use")]
    output: Option<PathBuf>,
}

/// Part of a till: `WORK` or `WORK=PARTS`, with an address or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PartsArg {
    holder: String,
    parts: u32,
}

impl FromStr for PartsArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        // A path may contain `=`; what follows the last one counts only if it is a number.
        let divided = text.rsplit_once('=');
        let divided = divided.and_then(|(holder, parts)| Some((holder, parts.parse().ok()?)));
        match divided.unwrap_or((text, 1)) {
            ("", _) => Err("expected an address or a file"),
            (_, 0) => Err("expected parts above 0"),
            (holder, 1) if has_large_parts(holder) => Err("expected parts of at most 4294967295"),
            (holder, parts) => Ok(Self { holder: holder.to_owned(), parts }),
        }
    }
}

/// Returns whether a text that was not divided ends in a number that no `u32` holds.
fn has_large_parts(text: &str) -> bool {
    let is_large = |parts: &str| {
        let is_number = !parts.is_empty() && parts.bytes().all(|byte| byte.is_ascii_digit());
        is_number && parts.parse::<u32>().is_err()
    };
    text.rsplit_once('=').is_some_and(|(_, parts)| is_large(parts))
}

impl TillCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Open(args) => open(args, session).await,
            Self::Pay(args) => pay(args, session).await,
            Self::Show(args) => show(args, session).await,
            Self::Sweep(args) => sweep(args, session).await,
        }
    }
}

impl TillArgs {
    async fn read(&self, client: &Client) -> Result<(TillShares, Currency), CliError> {
        if let Some(till) = self.open_till(client).await? {
            if self.currency.given().is_some_and(|mint| mint != till.mint) {
                let what = format!("the till takes {}, not the currency of --currency", till.mint);
                return Err(CliError::usage(what, "leave --currency out with a till's address"));
            }
            return Ok((till.shares, client.currency(&till.mint).await?));
        }
        let mut works = Vec::with_capacity(self.works.len());
        for PartsArg { holder, parts } in &self.works {
            let reference: WorkReference = holder.parse().map_err(|_| invalid(holder))?;
            works.push(TillShare { work: reference.address(client).await?, parts: *parts });
        }
        let operator = match &self.operator {
            Some(PartsArg { holder, parts }) => {
                let reference: AccountReference = holder.parse().map_err(|_| invalid(holder))?;
                Some((reference.address()?, *parts))
            }
            None => None,
        };
        let shares = TillShares::new(works, operator);
        if shares.check().is_err() {
            let help = "name 1 to 8 different works, each with parts above 0";
            return Err(CliError::usage("the till has no valid division", help));
        }
        Ok((shares, client.currency(&self.currency.mint()).await?))
    }
}

impl TillArgs {
    /// Returns the till whose address was given in place of its division.
    async fn open_till(&self, client: &Client) -> Result<Option<Till>, CliError> {
        let ([PartsArg { holder, parts: 1 }], None) = (self.works.as_slice(), &self.operator)
        else {
            return Ok(None);
        };
        let Ok(address) = holder.parse::<Pubkey>() else { return Ok(None) };
        let account = client.account(&address).await?;
        let ours = account.filter(|account| account.owner == Till::OWNER);
        Ok(ours.and_then(|account| Till::from_account_data(&account.data).ok()))
    }
}

fn invalid(holder: &str) -> CliError {
    CliError::InvalidReference(holder.to_owned())
}

/// Output of every command of `motif till`.
#[derive(Serialize)]
struct TillOutput {
    works: Vec<PartOutput>,
    operator: Option<PartOutput>,
    mint: String,
    till: String,
    /// Token account of the till.
    tokens: String,
    holds: Money,
    swept: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    /// Why the operator was not paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    unpaid_operator: Option<String>,
    /// Link by which a wallet pays into the till.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<PayLink>,
}

/// Part of one party.
#[derive(Serialize)]
struct PartOutput {
    address: String,
    parts: u32,
    paid: Money,
}

async fn open(args: TillArgs, session: &Session) -> Result<(), CliError> {
    let funder = session.keypair()?;
    let client = session.client().await?;
    let (shares, currency) = args.read(&client).await?;
    client.open_till(&funder, &shares, &currency).await?;
    session.print(&TillOutput::read(&client, &shares, &currency).await?);
    Ok(())
}

async fn pay(args: PayArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (shares, currency) = args.till.read(&client).await?;
    let given = match &args.amount {
        Some(amount) => Some(currency::base_units(&client, &currency.mint, amount).await?),
        None => None,
    };
    let mut sale = None;
    if let Some(licensed_use) = args.licensed_use {
        let request = content_digest(args.prompt.as_bytes());
        let bought = (licensed_use, args.units);
        let nonce = rand::rng().random();
        let prepared = client.prepare_sale(&shares, &currency.mint, bought, request, nonce).await;
        let (mut acceptance, terms) = match prepared {
            Err(SaleError::NotSold { work, reason }) => {
                return Err(not_sold(&client, work, reason).await);
            }
            prepared => prepared?,
        };
        if let Some(given) = given {
            if given < acceptance.amount {
                let price = acceptance.amount;
                let what = format!("the price is {price} base units, more than --amount");
                return Err(CliError::usage(what, "leave --amount out to pay the price"));
            }
            acceptance.amount = given;
        }
        sale = Some((acceptance, terms));
    }
    let acceptance = sale.as_ref().map(|(acceptance, _)| *acceptance);
    let amount = acceptance.map(|acceptance| acceptance.amount).or(given).unwrap_or(0);
    currency::check_balance(&client, &payer.pubkey(), &currency, amount).await?;
    let mut payment = client.pay_till(&shares, &currency, amount);
    if let Some(acceptance) = acceptance {
        payment = payment.acceptance(acceptance);
    }
    let payment = payment.sign(&payer).await?;
    if let (Some(path), Some((acceptance, terms))) = (&args.output, sale) {
        let sale = SaleFile::new(&shares, terms, &acceptance, &payment.signature());
        store(path, &sale).map_err(|error| CliError::unwritable(path, error))?;
    }
    let landed = payment.send().await?;
    let scale = currency::scale(&client, &currency.mint).await?;
    session.print(&TillOutput {
        paid: Some(scale.money(amount)),
        memo: acceptance.map(|acceptance| acceptance.memo()),
        signature: Some(landed.signature.to_string()),
        ..TillOutput::read(&client, &shares, &currency).await?
    });
    Ok(())
}

/// Returns the error of a work that is not sold, with the uses that its terms license.
async fn not_sold(client: &Client, work: Pubkey, reason: &'static str) -> CliError {
    let terms = client.latest_terms(&work).await;
    let uses = terms.map_or_else(|_| Vec::new(), |published| published.terms.offer.uses);
    let offered: Vec<_> = uses.iter().map(|price| price.licensed_use.to_string()).collect();
    let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
    CliError::NotSold { work, reason, offered }
}

/// Writes a sale durably to a new file, before it is paid. The file must not exist: it may be the
/// only copy of another sale.
fn store(path: &Path, sale: &SaleFile) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(json_line(sale).as_bytes());
    let stored = written.and_then(|()| file.sync_all()).and_then(|()| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    });
    if stored.is_err() {
        let _ = fs::remove_file(path); // it is incomplete, and nothing was paid
    }
    stored
}

async fn show(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let (shares, currency) = args.till.read(&client).await?;
    let mut output = TillOutput::read(&client, &shares, &currency).await?;
    if args.qr {
        let amount = match args.amount {
            Some(amount) => Some(currency::base_units(&client, &currency.mint, &amount).await?),
            None => None,
        };
        let named = currency::denomination(&client, &currency.mint).await?;
        let till = pda::till(&shares, &currency.mint);
        output.link = Some(PayLink::transfer(&till, &named, &currency.mint, amount)?);
    }
    session.print(&output);
    Ok(())
}

async fn sweep(args: TillArgs, session: &Session) -> Result<(), CliError> {
    let fee_payer = session.keypair()?;
    let client = session.client().await?;
    let (shares, currency) = args.read(&client).await?;
    let before = client.till(&shares, &currency.mint).await?.swept().unwrap_or(0);
    let swept = client.sweep_till(&fee_payer, &shares, &currency).await?;
    if let Some(reason) = &swept.unpaid_operator {
        let reason = visible(reason);
        session.status(format_args!(
            "warning: the operator is not paid, and its part stays in the till: {reason}"
        ));
    }
    let after = client.till(&shares, &currency.mint).await?.swept().unwrap_or(0);

    let scale = currency::scale(&client, &currency.mint).await?;
    session.print(&TillOutput {
        moved: Some(scale.money(after.saturating_sub(before))),
        unpaid_operator: swept.unpaid_operator,
        ..TillOutput::read(&client, &shares, &currency).await?
    });
    Ok(())
}

impl TillOutput {
    async fn read(
        client: &Client,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<Self, CliError> {
        let till = client.till(shares, &currency.mint).await?;
        let address = pda::till(shares, &currency.mint);
        let scale = currency::scale(client, &currency.mint).await?;
        let part = |address: &Pubkey, parts, paid| PartOutput {
            address: address.to_string(),
            parts,
            paid: scale.money(paid),
        };
        let works = shares.works.iter().zip(&till.works_paid);
        let (operator, parts) = (&shares.operator, shares.operator_parts);
        Ok(Self {
            works: works.map(|(share, paid)| part(&share.work, share.parts, *paid)).collect(),
            operator: (parts > 0).then(|| part(operator, parts, till.operator_paid)),
            mint: currency.mint.to_string(),
            till: address.to_string(),
            tokens: till::tokens(shares, currency).to_string(),
            holds: scale.money(client.token_balance(&address, currency).await?),
            swept: scale.money(till.swept().unwrap_or(0)),
            paid: None,
            memo: None,
            moved: None,
            signature: None,
            unpaid_operator: None,
            link: None,
        })
    }
}

impl fmt::Display for PartOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = if self.parts == 1 { "part" } else { "parts" };
        write!(formatter, "{} ({} {parts})", self.address, self.parts)
    }
}

impl fmt::Display for TillOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<(&str, String)> = Vec::new();
        for work in &self.works {
            rows.push(("work", work.to_string()));
        }
        if let Some(operator) = &self.operator {
            rows.push(("operator", operator.to_string()));
        }
        rows.extend([
            ("mint", self.mint.clone()),
            ("pay to", self.till.clone()),
            ("token account", self.tokens.clone()),
            ("balance", self.holds.to_string()),
            ("swept in total", self.swept.to_string()),
        ]);
        let given = [
            ("paid", self.paid.map(|paid| paid.to_string())),
            ("memo", self.memo.clone()),
            ("transaction", self.signature.clone()),
            ("swept now", self.moved.map(|moved| moved.to_string())),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        rows.extend(given);
        let rows: Vec<_> =
            rows.iter().map(|(name, value)| (*name, value as &dyn fmt::Display)).collect();
        formatter.write_str(&pairs(&rows))?;
        match &self.link {
            Some(link) => write!(formatter, "\n\n{link}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn sale_without_units_is_refused() {
        let pay = |units: &str| {
            let command = ["motif", "till", "pay", "a.png", "--use", "generate", "--units", units];
            Cli::try_parse_from(command).is_ok()
        };
        assert!(pay("1") && !pay("0"));
    }

    #[test]
    fn parts_follow_the_last_equals_sign() {
        let part = |text: &str| text.parse::<PartsArg>().map(|part| (part.holder, part.parts));
        assert_eq!(part("a.png"), Ok(("a.png".to_owned(), 1)));
        assert_eq!(part("a=b.png=7"), Ok(("a=b.png".to_owned(), 7)));
        assert_eq!(part("a=b.png"), Ok(("a=b.png".to_owned(), 1)));
        for text in ["", "=3", "a.png=0", "a.png=4294967296"] {
            assert!(part(text).is_err(), "{text}");
        }
    }
}
