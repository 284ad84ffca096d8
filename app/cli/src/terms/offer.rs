use std::path::{Path, PathBuf};

use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::{
    Pubkey,
    client::Client,
    gateway::wire::{Address, DerivativesWord},
    licensing::{Offer, UsePrice},
    terms::{
        Amount, CapsEntry, Count, Denomination, Document, DocumentError, Instant, Percent,
        UseEntry, check,
    },
};

use super::currency;
use crate::{amount::parse_percent, error::CliError, words::parse_use_price};

/// What a creator offers, ready to be published.
pub struct Offered {
    pub currency: Pubkey,
    pub denomination: Denomination,
    pub offer: Offer,
}

/// What a creator offers.
#[derive(Args)]
#[command(next_help_heading = "Terms")]
pub struct OfferArgs {
    /// A use, its price in base units, and the unit it is for.
    #[arg(long = "use", value_name = "generate=1000/generation", value_parser = parse_use_price)]
    uses: Vec<UsePrice>,

    /// Mint of all amounts [default: the localnet's test dollar].
    #[arg(long, env = "MOTIF_CURRENCY", value_name = "MINT")]
    currency: Option<Pubkey>,

    /// Whether others may register works made from this one: forbidden, approval or allowed
    /// [default: forbidden].
    #[arg(long, value_name = "WORD")]
    derivatives: Option<DerivativesWord>,

    /// The least part of a derivative's earnings for this work [default: 0%].
    #[arg(long, value_name = "20%", value_parser = parse_percent)]
    derivative_share: Option<u16>,

    /// Derivatives must offer terms at least as open as these.
    #[arg(long)]
    share_alike: bool,

    /// No commercial use.
    #[arg(long)]
    non_commercial: bool,

    /// Outputs must name the creator.
    #[arg(long)]
    attribution: bool,

    /// Licensees may license on.
    #[arg(long)]
    sublicensing: bool,

    /// Each acceptance needs the owner's signature.
    #[arg(long)]
    approval_required: bool,

    /// Charged once at acceptance, base units [default: 0].
    #[arg(long, value_name = "BASE_UNITS")]
    upfront_fee: Option<u64>,

    /// Units that each license has free [default: 0].
    #[arg(long, value_name = "UNITS")]
    free_units: Option<u64>,

    /// The most units that all licensees together may use.
    #[arg(long, value_name = "UNITS")]
    cap_total_units: Option<u64>,

    /// The most units that one license may use on one day (UTC).
    #[arg(long, value_name = "UNITS")]
    cap_daily_units: Option<u64>,

    /// The most units that one license may use.
    #[arg(long, value_name = "UNITS")]
    cap_licensee_units: Option<u64>,

    /// The most that all licensees together may pay, base units.
    #[arg(long, value_name = "BASE_UNITS")]
    cap_revenue: Option<u64>,

    /// Unix seconds from which the terms can be accepted [default: at once].
    #[arg(long, value_name = "UNIX_SECONDS")]
    valid_from: Option<i64>,

    /// Unix seconds after which nothing can be accepted or used [default: never].
    #[arg(long, value_name = "UNIX_SECONDS")]
    expires_at: Option<i64>,

    /// Days that licensees are told before a withdrawal takes effect [default: 30].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=366))]
    notice_days: Option<u32>,

    /// The legal text; its SHA-256 goes on chain.
    #[arg(long, value_name = "FILE")]
    legal_text: Option<PathBuf>,

    /// Where the legal text is.
    #[arg(long, value_name = "URI")]
    legal_uri: Option<String>,
}

impl OfferArgs {
    /// What is offered, where a file was named or any use was priced: terms for a work
    /// registered just now.
    ///
    /// # Errors
    /// As [`OfferArgs::offer`].
    pub async fn first_terms(
        &self,
        file: Option<&Path>,
        client: &Client,
        now: i64,
    ) -> Result<Option<Offered>, CliError> {
        if file.is_none() && self.uses.is_empty() {
            return Ok(None);
        }
        self.offer(file, client, now).await.map(Some)
    }

    /// What is offered at `now`, unix seconds: by the flags, and where they say nothing by the
    /// file.
    ///
    /// # Errors
    /// [`CliError::Usage`] without a use; [`CliError::Document`] and [`CliError::Unreadable`];
    /// [`motif_sdk::Error::NotFound`] without such a mint.
    pub async fn offer(
        &self,
        file: Option<&Path>,
        client: &Client,
        now: i64,
    ) -> Result<Offered, CliError> {
        if file.is_none() && self.uses.is_empty() {
            let help = "say for example --use generate=1000/generation, or name a --file";
            return Err(CliError::usage("terms need at least one priced use", help));
        }
        let refuse = |error| CliError::document(file, error);
        let said = self.document().map_err(refuse)?;
        let document = match file {
            Some(file) => said.over(&Document::open(file).map_err(refuse)?),
            None => said,
        };
        let currency = document.currency.map_or_else(|| TestDollar::new().mint, |named| named.0);
        let denomination = currency::denomination(client, &currency).await?;
        let offer = document.offer(Some(denomination.decimals)).map_err(refuse)?;
        check(&offer, now).map_err(refuse)?;
        Ok(Offered { currency, denomination, offer })
    }

    /// What the flags say, and nothing else.
    fn document(&self) -> Result<Document, DocumentError> {
        let uses = self.uses.iter().map(|price| UseEntry {
            licensed_use: price.licensed_use.into(),
            unit: Some(price.unit.into()),
            price: Some(Amount::BaseUnits(price.price)),
        });
        let document = Document {
            preset: None,
            currency: self.currency.map(Address),
            commercial: self.non_commercial.then_some(false),
            attribution: self.attribution.then_some(true),
            sublicensing: self.sublicensing.then_some(true),
            approval_required: self.approval_required.then_some(true),
            derivatives: self.derivatives,
            derivative_share: self.derivative_share.map(Percent),
            share_alike: self.share_alike.then_some(true),
            upfront_fee: self.upfront_fee.map(Amount::BaseUnits),
            free_units: self.free_units.map(Count),
            valid_from: self.valid_from.map(Instant),
            expires_at: self.expires_at.map(Instant),
            notice_days: self.notice_days,
            notice_seconds: None,
            legal_text: self.legal_text.clone(),
            legal_digest: None,
            legal_uri: self.legal_uri.clone(),
            caps: CapsEntry {
                total_units: self.cap_total_units.map(Count),
                daily_units: self.cap_daily_units.map(Count),
                licensee_units: self.cap_licensee_units.map(Count),
                revenue: self.cap_revenue.map(Amount::BaseUnits),
            },
            uses: uses.collect(),
        };
        document.with_legal_text(Path::new(""))
    }
}
