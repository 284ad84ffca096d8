use std::path::PathBuf;

use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::{
    Pubkey,
    client::Client,
    fingerprint::content_digest,
    licensing::{Caps, Derivatives, Offer, UsePrice},
};

use crate::{
    amount::parse_percent,
    error::CliError,
    reference::read_file,
    words::{parse_derivatives, parse_use_price},
};

const SECONDS_PER_DAY: u32 = 86_400;

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

    /// Whether others may register works made from this one: forbidden, approval or allowed.
    #[arg(long, default_value = "forbidden", value_parser = parse_derivatives)]
    derivatives: Derivatives,

    /// The least part of a derivative's earnings for this work.
    #[arg(long, default_value = "0%", value_name = "20%", value_parser = parse_percent)]
    derivative_share: u16,

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

    /// Charged once at acceptance, base units.
    #[arg(long, default_value_t = 0, value_name = "BASE_UNITS")]
    upfront_fee: u64,

    /// Units that each licence has free.
    #[arg(long, default_value_t = 0, value_name = "UNITS")]
    free_units: u64,

    /// The most units that all licensees together may use.
    #[arg(long, value_name = "UNITS")]
    cap_total_units: Option<u64>,

    /// The most units that one licence may use on one day (UTC).
    #[arg(long, value_name = "UNITS")]
    cap_daily_units: Option<u64>,

    /// The most units that one licence may use.
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

    /// Days that licensees are told before a withdrawal takes effect.
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=366))]
    notice_days: u32,

    /// The legal text; its SHA-256 goes on chain.
    #[arg(long, value_name = "FILE")]
    legal_text: Option<PathBuf>,

    /// Where the legal text is.
    #[arg(long, default_value = "", value_name = "URI")]
    legal_uri: String,
}

impl OfferArgs {
    /// Currency and offer, where any use was priced: terms for a work registered just now.
    ///
    /// # Errors
    /// [`CliError::Unreadable`]; [`motif_sdk::Error::NotFound`] without such a mint.
    pub async fn first_terms(&self, client: &Client) -> Result<Option<(Pubkey, Offer)>, CliError> {
        if self.uses.is_empty() { Ok(None) } else { self.offer(client).await.map(Some) }
    }

    /// Currency and offer.
    ///
    /// # Errors
    /// [`CliError::Usage`] without a use; as [`OfferArgs::first_terms`].
    pub async fn offer(&self, client: &Client) -> Result<(Pubkey, Offer), CliError> {
        if self.uses.is_empty() {
            let help = "say for example --use generate=1000/generation";
            return Err(CliError::usage("terms need at least one priced use", help));
        }
        let legal_text = self.legal_text.as_deref().map(read_file).transpose()?;
        let currency = self.currency.unwrap_or_else(|| TestDollar::new().mint);
        let currency = client.currency(&currency).await?.mint;
        let offer = Offer {
            commercial: !self.non_commercial,
            attribution: self.attribution,
            sublicensing: self.sublicensing,
            approval_required: self.approval_required,
            derivatives: self.derivatives,
            share_alike: self.share_alike,
            derivative_share_bps: self.derivative_share,
            upfront_fee: self.upfront_fee,
            free_units: self.free_units,
            caps: Caps {
                total_units: self.cap_total_units,
                daily_units: self.cap_daily_units,
                licensee_units: self.cap_licensee_units,
                revenue: self.cap_revenue,
            },
            valid_from: self.valid_from.unwrap_or(0),
            expires_at: self.expires_at,
            notice_seconds: self.notice_days * SECONDS_PER_DAY, // at most 366 days
            legal_digest: legal_text.map_or([0; 32], |text| content_digest(&text)),
            uses: self.uses.clone(),
            legal_uri: self.legal_uri.clone(),
        };
        Ok((currency, offer))
    }
}
