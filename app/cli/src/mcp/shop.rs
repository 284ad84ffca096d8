//! What the tools do: look up, quote and buy.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use motif_sdk::{
    Pubkey,
    fingerprint::content_digest,
    gateway::wire::{PaidRoute, Use},
};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::{
    budget::{Budget, OverBudget},
    x402::{self, Answer, Exchange},
};
use crate::{
    amount::{Money, Scale},
    channel::{ChannelArgs, VoucherKeyArgs},
    error::CliError,
    files::{extension, media_type, write_atomically},
    generate::{Field, GenerateArgs, generate},
    reference::{WorkReference, read_file},
    session::Session,
};

/// What the tools have to work with.
pub struct Shop {
    pub session: Arc<Session>,
    /// Folder of the budget, outputs and receipts.
    pub folder: PathBuf,
    /// URL of the paywall, without a slash at the end.
    pub paywall: Option<Url>,
    /// The payer's means; without them clients pay for themselves.
    pub purse: Option<Purse>,
    /// Whether tools may read files of this machine by their path.
    pub reads_files: bool,
}

/// Means of a payer with a budget.
pub struct Purse {
    pub channel: ChannelArgs,
    pub voucher_key: VoucherKeyArgs,
    pub currency: Pubkey,
    pub scale: Scale,
    /// Maximum price of one purchase, base units.
    pub max_price: Option<u64>,
    /// Locked during a purchase: a channel's vouchers are signed one after the other.
    pub budget: Mutex<Budget>,
}

/// Generation that a client wants.
pub struct Wish {
    pub work: Pubkey,
    pub licensed_use: Option<Use>,
    /// Path of the route, if not the cheapest.
    pub route: Option<String>,
    pub prompt: String,
    pub fields: Map<String, Value>,
}

/// Outcome of a purchase.
pub enum Purchase {
    /// The client has to pay: the x402 `PaymentRequired`.
    Required(Value),
    /// The picture, or other answer.
    Bought(Box<Bought>),
}

/// Generation that was bought.
#[derive(Serialize)]
pub struct Bought {
    pub file: String,
    pub media_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_left: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Value>,
    #[serde(skip)]
    pub body: Vec<u8>,
    #[serde(skip)]
    pub settlement: Option<Value>,
}

impl Shop {
    /// Returns the routes that sell a whole answer to a JSON request.
    ///
    /// # Errors
    /// Those of the gateway.
    pub async fn routes(&self) -> Result<Vec<PaidRoute>, CliError> {
        if self.paywall.is_none() {
            return Ok(Vec::new());
        }
        let mut routes = self.session.gateway().await.paid_routes().await?.routes;
        routes.retain(|route| {
            route.method == "POST" && !route.path.contains('{') && !route.price_tag.streams
        });
        Ok(routes)
    }

    /// Buys a generation: from the budget, or with the client's x402 payment.
    ///
    /// # Errors
    /// [`CliError::NotForSale`]; [`CliError::OverBudget`]; those of `motif generate --through`.
    pub async fn buy(&self, wish: Wish, payment: Option<&Value>) -> Result<Purchase, CliError> {
        let (route, url) = self.route(&wish).await?;
        match &self.purse {
            Some(purse) if payment.is_none() => {
                let bought = self.buy_from_budget(purse, wish, &route, url.as_str()).await?;
                Ok(Purchase::Bought(Box::new(bought)))
            }
            _ => {
                let body = Value::Object(wish.body()).to_string().into_bytes();
                match x402::exchange(url.as_str(), body, payment).await? {
                    Exchange::Required(required) => Ok(Purchase::Required(required)),
                    Exchange::Answered(answer) => {
                        Ok(Purchase::Bought(Box::new(self.keep(answer)?)))
                    }
                }
            }
        }
    }

    /// Returns the cheapest route that sells what a client wants, and its URL.
    async fn route(&self, wish: &Wish) -> Result<(PaidRoute, Url), CliError> {
        let Wish { work, licensed_use, route, .. } = wish;
        let not_for_sale = || {
            let of_use = licensed_use.map(|word| format!(" for the use {word}"));
            CliError::NotForSale(format!("work {work}{}", of_use.unwrap_or_default()))
        };
        let paywall = self.paywall.as_ref().ok_or_else(not_for_sale)?;
        let sells = |sold: &PaidRoute| {
            let quote = &sold.price_tag.quote;
            quote.work.0 == *work
                && licensed_use.is_none_or(|word| quote.licensed_use == word)
                && route.as_ref().is_none_or(|path| *path == sold.path)
        };
        let selling = self.routes().await?.into_iter().filter(sells);
        let route = selling.min_by_key(price).ok_or_else(not_for_sale)?;
        let base = paywall.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{}", route.path)).map_err(|_| not_for_sale())?;
        Ok((route, url))
    }

    async fn buy_from_budget(
        &self,
        purse: &Purse,
        wish: Wish,
        route: &PaidRoute,
        url: &str,
    ) -> Result<Bought, CliError> {
        let (quote, price) = (&route.price_tag.quote, price(route));
        if quote.currency.0 != purse.currency {
            let help = "open a channel in that mint, and start again with it";
            return Err(CliError::usage(format!("it is sold in {}", quote.currency), help));
        }
        let over = |left| CliError::OverBudget {
            price: purse.scale.money(price),
            left: purse.scale.money(left),
        };
        if let Some(max) = purse.max_price.filter(|max| price > *max) {
            return Err(over(max));
        }
        let body = Value::Object(wish.body()).to_string();
        let digest = content_digest(format!("{url}\n{body}").as_bytes());
        let name = hex::encode(&digest[..8]);
        let folder = self.folder.join(&name);
        let mut budget = purse.budget.lock().await;
        let answers = answers(&folder);
        budget.reserve(&name, price, answers)?.map_err(|OverBudget { left }| over(left))?;
        let args = GenerateArgs {
            count: 1,
            work: Some(wish.work.to_string().parse::<WorkReference>().map_err(invalid)?),
            license: None,
            licensed_use: Some(quote.licensed_use),
            prompt: wish.prompt,
            output: Some(folder.clone()),
            identity: None,
            through: Some(url.to_owned()),
            fields: wish.fields.into_iter().map(|(name, value)| Field { name, value }).collect(),
            receipts: Some(self.folder.join("receipts.jsonl")),
            channel: purse.channel.clone(),
            voucher_key: purse.voucher_key.clone(),
        };
        let made = match generate(args, &self.session).await {
            Ok(made) => made,
            Err(error) => {
                resolve(&mut budget, &self.folder)?;
                return Err(error);
            }
        };
        // Zero if an earlier process paid: then the reserved price counts.
        let cost = Some(made.spent.base_units).filter(|spent| *spent > 0);
        let left = match budget.settle(&name, cost) {
            Ok(()) => budget.left(),
            Err(error) => {
                // The generation is paid for; the file still has its reservation.
                self.session.status(error);
                budget.left()
            }
        };
        let file = made.files.as_deref().and_then(<[String]>::last).map(PathBuf::from);
        let file = file.ok_or_else(|| CliError::unreadable(&folder, "no file was written"))?;
        let receipt = fs::read(file.with_extension("receipt.json")).ok();
        let spent = cost.map_or(price, |cost| cost);
        Ok(Bought {
            body: read_file(&file)?,
            media_type: media_type(&file).to_owned(),
            file: file.display().to_string(),
            spent: Some(purse.scale.money(spent).to_string()),
            budget_left: Some(purse.scale.money(left).to_string()),
            receipt: receipt.and_then(|text| serde_json::from_slice(&text).ok()),
            settlement: None,
        })
    }

    /// Writes an answer that the client has paid for.
    fn keep(&self, answer: Answer) -> Result<Bought, CliError> {
        let Answer { media_type, body, settlement } = answer;
        let extension = extension(&media_type);
        let name = hex::encode(&content_digest(&body)[..8]);
        fs::create_dir_all(&self.folder)
            .map_err(|error| CliError::unwritable(&self.folder, error))?;
        let path = self.folder.join(format!("{name}.{extension}"));
        write_atomically(&path, &body).map_err(|error| CliError::unwritable(&path, error))?;
        let file = path.display().to_string();
        let (spent, budget_left, receipt) = (None, None, None);
        Ok(Bought { file, media_type, spent, budget_left, receipt, body, settlement })
    }
}

/// Returns the most that a purchase costs at a route, base units.
pub fn price(route: &PaidRoute) -> u64 {
    let tag = &route.price_tag;
    let units = u64::from(tag.fixed_units.unwrap_or(tag.most_units));
    tag.quote.price_with_fee.0.saturating_mul(units)
}

impl Purse {
    /// Returns what is spent and left, or `None` during a purchase.
    pub fn balance(&self) -> Option<(Money, Money)> {
        let budget = self.budget.try_lock().ok()?;
        Some((self.scale.money(budget.spent()), self.scale.money(budget.left())))
    }
}

impl Wish {
    /// Returns the fields of the request's body.
    fn body(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("prompt".to_owned(), Value::from(self.prompt.clone()));
        fields.extend(self.fields.clone());
        fields
    }
}

/// Resolves the reservations of purchases that ended: a purchase that left an answer in its folder was
/// paid, and one that left neither an answer nor the record of a pending request was not. The others
/// keep their reservations.
///
/// # Errors
/// [`CliError::Unwritable`].
pub fn resolve(budget: &mut Budget, folder: &Path) -> Result<(), CliError> {
    for (name, reservation) in budget.reserved() {
        let folder = folder.join(&name);
        if count(&folder, |name| name.starts_with("pending-")) > 0 {
            continue;
        }
        let is_paid = answers(&folder) > reservation.answers;
        budget.settle(&name, if is_paid { None } else { Some(0) })?;
    }
    Ok(())
}

/// Returns the number of answers in a purchase's folder.
fn answers(folder: &Path) -> usize {
    count(folder, |name| name.ends_with(".receipt.json") && !name.starts_with('.'))
}

/// Returns the number of files of a folder whose names match.
fn count(folder: &Path, matches: impl Fn(&str) -> bool) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().filter(|entry| matches(&entry.file_name().to_string_lossy())).count()
}

fn invalid(reason: &str) -> CliError {
    CliError::usage(reason, "pass the address that search_works returned")
}
