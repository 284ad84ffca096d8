use std::path::{Path, PathBuf};

use clap::Args;
use motif_sdk::{
    Pubkey,
    client::Client,
    gateway::wire::{Address, Derivatives},
    licensing::Offer,
    terms::{
        CapsEntry, Count, Denomination, Document, DocumentError, Instant, Percent, UseEntry, check,
    },
};

use crate::{
    amount::{AmountArg, UsePriceArg, parse_percent},
    currency::{self, CurrencyArgs},
    error::CliError,
    time::parse_time,
};

/// Offer that is ready to be published.
pub struct PreparedOffer {
    pub currency: Pubkey,
    pub denomination: Denomination,
    pub offer: Offer,
}

/// Terms, as options. A terms file provides what they leave out.
#[derive(Args)]
#[command(next_help_heading = "Terms")]
pub struct OfferArgs {
    /// License a use at a price per unit, such as generate=0.001/generation; repeat for several
    ///
    /// Uses: generate, style-transfer, voice-convert, train, fine-tune, play. Units: generation,
    /// second, thousand-tokens, training-run.
    #[arg(long = "use", value_name = "USE=PRICE/UNIT")]
    uses: Vec<UsePriceArg>,

    #[command(flatten)]
    currency: CurrencyArgs,

    /// Whether others may register derivatives: forbidden, approval or allowed [default: forbidden]
    #[arg(long, value_name = "PERMISSION")]
    derivatives: Option<Derivatives>,

    /// Minimum share of a derivative's earnings, such as 20% [default: 0%]
    #[arg(long, value_name = "SHARE", value_parser = parse_percent)]
    derivative_share: Option<u16>,

    /// Require derivatives to offer terms at least as open as these
    #[arg(long)]
    share_alike: bool,

    /// Prohibit commercial use
    #[arg(long)]
    non_commercial: bool,

    /// Require outputs to name the creator
    #[arg(long)]
    attribution: bool,

    /// Allow licensees to sublicense
    #[arg(long)]
    sublicensing: bool,

    /// Require the owner's signature for each acceptance
    #[arg(long)]
    approval_required: bool,

    /// Fee charged once at acceptance [default: 0]
    #[arg(long, value_name = "AMOUNT")]
    upfront_fee: Option<AmountArg>,

    /// Free units of each license [default: 0]
    #[arg(long, value_name = "UNITS")]
    free_units: Option<u64>,

    /// Maximum units of all licensees together
    #[arg(long, value_name = "UNITS")]
    cap_total_units: Option<u64>,

    /// Maximum units of one license per day (UTC)
    #[arg(long, value_name = "UNITS")]
    cap_daily_units: Option<u64>,

    /// Maximum units of one license
    #[arg(long, value_name = "UNITS")]
    cap_licensee_units: Option<u64>,

    /// Maximum revenue from all licensees together
    #[arg(long, value_name = "AMOUNT")]
    cap_revenue: Option<AmountArg>,

    /// Start of the terms, as UTC or Unix seconds; no acceptance before it [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    valid_from: Option<i64>,

    /// Expiry of the terms, as UTC or Unix seconds; no acceptance or use after it [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires_at: Option<i64>,

    /// Days from a withdrawal of the work to the end of its licenses [default: 30]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=366))]
    notice_days: Option<u32>,

    /// File with the legal text; its SHA-256 goes on chain
    #[arg(long, value_name = "FILE")]
    legal_text: Option<PathBuf>,

    /// URI of the legal text
    #[arg(long, value_name = "URI")]
    legal_uri: Option<String>,

    /// Authority of an operator that licensees' channels may have, up to 4 [default: any]
    #[arg(long = "operator", value_name = "ADDRESS")]
    operators: Vec<Pubkey>,
}

impl OfferArgs {
    /// Returns the offer of a new work, or `None` without a file and a priced use.
    ///
    /// # Errors
    /// As [`OfferArgs::prepare`].
    pub async fn prepare_first(
        &self,
        file: Option<&Path>,
        client: &Client,
        now: i64,
    ) -> Result<Option<PreparedOffer>, CliError> {
        if file.is_none() && self.uses.is_empty() {
            return Ok(None);
        }
        self.prepare(file, client, now).await.map(Some)
    }

    /// Returns the offer of the options and the file, valid at `now` in Unix seconds.
    ///
    /// # Errors
    /// [`CliError::Usage`] without a use; [`CliError::Document`]; [`CliError::Unreadable`];
    /// [`motif_sdk::Error::NotFound`] if there is no such mint.
    pub async fn prepare(
        &self,
        file: Option<&Path>,
        client: &Client,
        now: i64,
    ) -> Result<PreparedOffer, CliError> {
        if file.is_none() && self.uses.is_empty() {
            let help = "pass --use, such as --use generate=0.001/generation, or --file";
            return Err(CliError::usage("terms require at least one priced use", help));
        }
        let refuse = |error| CliError::document(file, error);
        let options = self.document().map_err(refuse)?;
        let document = match file {
            Some(file) => options.over(&Document::open(file).map_err(refuse)?),
            None => options,
        };
        let currency = document.currency.map_or_else(currency::test_dollar, |named| named.0);
        let denomination = currency::denomination(client, &currency).await?;
        let offer = document.offer(Some(denomination.decimals)).map_err(refuse)?;
        check(&offer, now).map_err(refuse)?;
        Ok(PreparedOffer { currency, denomination, offer })
    }

    /// Returns the options as a document.
    fn document(&self) -> Result<Document, DocumentError> {
        let uses = self.uses.iter().map(|priced| UseEntry {
            licensed_use: priced.licensed_use,
            unit: Some(priced.unit),
            price: Some(priced.price.to_amount()),
        });
        let document = Document {
            preset: None,
            currency: self.currency.given().map(Address),
            commercial: self.non_commercial.then_some(false),
            attribution: self.attribution.then_some(true),
            sublicensing: self.sublicensing.then_some(true),
            approval_required: self.approval_required.then_some(true),
            derivatives: self.derivatives,
            derivative_share: self.derivative_share.map(Percent),
            share_alike: self.share_alike.then_some(true),
            upfront_fee: self.upfront_fee.as_ref().map(AmountArg::to_amount),
            free_units: self.free_units.map(Count),
            valid_from: self.valid_from.map(Instant),
            expires_at: self.expires_at.map(Instant),
            notice_days: self.notice_days,
            notice_seconds: None,
            legal_text: self.legal_text.clone(),
            legal_digest: None,
            legal_uri: self.legal_uri.clone(),
            operators: self.operators.iter().copied().map(Address).collect(),
            caps: CapsEntry {
                total_units: self.cap_total_units.map(Count),
                daily_units: self.cap_daily_units.map(Count),
                licensee_units: self.cap_licensee_units.map(Count),
                revenue: self.cap_revenue.as_ref().map(AmountArg::to_amount),
            },
            uses: uses.collect(),
        };
        document.with_legal_text(Path::new(""))
    }
}
