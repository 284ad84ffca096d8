use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use motif_sdk::{
    gateway::{
        GatewayError, HeldGeneration, ProblemType,
        wire::{Address, Amount, Digest, ReceiptParts, Use},
    },
    receipt::SignedReceipt,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    app::App,
    archive::{Archive, ArchivePage},
    callers::Caller,
    channels::{PaidChannel, Prepared, UnitsWanted},
    clock::now,
    day::Day,
    exchanges::Exchange,
    named_payment::{Bill, NamedPayment},
    problem::PayerError,
    service::PayerService,
};

/// What a payment is for: a use of a work, through an operator.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Licensed {
    work: Address,
    #[serde(rename = "use", default = "generate")]
    licensed_use: Use,
    /// Operator; the one of the settings if it is the only one.
    operator: Option<Address>,
    units: u32,
    request_digest: Digest,
    /// Digest of the output, of a payment.
    output_digest: Option<Digest>,
    /// Duration, of a hold.
    seconds: Option<u32>,
    #[serde(default)]
    dry_run: bool,
}

fn generate() -> Use {
    Use::Generate
}

/// Hold; send it back to capture or release it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct HoldParts {
    operator: Address,
    hold: Digest,
    license: u16,
    units: u32,
    request_digest: Digest,
    expires_at: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Capture {
    hold: HoldParts,
    units: u32,
    output_digest: Digest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    hold: HoldParts,
}

/// Payment that a dry run would make.
#[derive(Debug, Serialize)]
struct WouldPay {
    operator: Address,
    most_cost: Amount,
    #[serde(flatten)]
    preparation: crate::channels::Preparation,
}

#[derive(Debug, Serialize)]
struct ChannelParts {
    channel: Address,
    operator: Address,
    available: Amount,
    cumulative: Amount,
    statement: u64,
    unanswered: bool,
}

#[derive(Debug, Serialize)]
struct BudgetParts {
    /// Caller; absent for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    /// Budget of a UTC day; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_day: Option<Amount>,
    /// Upfront fees included.
    spent: Amount,
}

/// Budget of rent and fees of the wallet's transactions.
#[derive(Debug, Serialize)]
struct LamportsParts {
    per_day: Amount,
    spent: Amount,
}

/// Page of receipts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptQuery {
    day: Option<String>,
    #[serde(default)]
    from: u64,
    limit: Option<usize>,
}

/// Returns whether the service can pay: not once a state file has failed.
pub async fn health(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.service.has_failed() {
        false => (StatusCode::OK, "ok\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "state-failed: restart the service\n"),
    }
}

/// Time for which a payment without a hold binds its maximum cost at most, seconds.
const PAY_SECONDS: i64 = 600;

/// Pays for a generation that the caller's own model made.
pub async fn pay(
    State(app): State<App>,
    caller: Caller,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PayerError> {
    let wanted = licensed(&body)?;
    let service = &app.service;
    let output = wanted.output_digest.ok_or_else(|| missing("output_digest"))?;
    let operator = operator(service, wanted.operator).await?;
    if wanted.dry_run {
        let would = would_pay(service, &caller, operator, &wanted).await?;
        return Ok(Json(would).into_response());
    }
    let request = (&mut headers, &body[..]);
    let payment = NamedPayment::begin(service, &caller, "/v1/pay", request).await?;
    let open = service.channels.existing(&operator.0).await?;
    let bill = wanted.bill(&caller, output);
    if let Some(receipt) = payment.receipt(service, open.as_deref(), &bill).await? {
        return Ok(Json(receipt).into_response());
    }
    let prepared = service.prepare(open, &caller, &wanted.units_at(operator), None).await?;
    let Prepared { channel, index, cost, .. } = prepared;
    let payment_ends = now().saturating_add(PAY_SECONDS);
    let _bound = service.bind(&channel, &caller, (cost, payment_ends), u64::MAX).await?;
    payment.record(service, &channel)?;
    let payer = channel.payer.tagged(&caller);
    let top_ups = channel.top_ups();
    let pay = || payer.generate(index, wanted.units, wanted.request_digest.0, output.0);
    let mut paid = pay().await;
    if let Err(refusal) = &paid
        && service.tops_up_for(&channel, refusal, cost, top_ups).await
    {
        paid = pay().await;
    }
    let receipt = made(service, &channel, &bill, &payment, paid).await?;
    Ok(Json(receipt).into_response())
}

/// Counts a payment that was made, and returns its receipt.
async fn made(
    service: &PayerService,
    channel: &PaidChannel,
    bill: &Bill,
    payment: &NamedPayment,
    paid: Result<SignedReceipt, GatewayError>,
) -> Result<ReceiptParts, PayerError> {
    service.paid.notify_one();
    match paid {
        Ok(receipt) => {
            payment.finish(service, &receipt);
            service.metrics.count_payment(&bill.caller);
            Ok(ReceiptParts::from(&receipt))
        }
        Err(error) => {
            if error.is_definite() {
                payment.withdraw(service);
            }
            Err(service.failed(channel, error).await)
        }
    }
}

/// Holds funds for a generation.
pub async fn hold(
    State(app): State<App>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, PayerError> {
    let wanted = licensed(&body)?;
    let service = &app.service;
    let seconds = wanted.seconds.ok_or_else(|| missing("seconds"))?;
    let operator = operator(service, wanted.operator).await?;
    if wanted.dry_run {
        let would = would_pay(service, &caller, operator, &wanted).await?;
        return Ok(Json(would).into_response());
    }
    let open = service.channels.existing(&operator.0).await?;
    let prepared = service.prepare(open, &caller, &wanted.units_at(operator), None).await?;
    let Prepared { channel, index, cost, .. } = prepared;
    let payer = channel.payer.tagged(&caller);
    // The caller's share, if it is not the only one.
    let is_alone = service.settings.callers.is_empty();
    let max = if is_alone { u64::MAX } else { channel.payer.available()? / 2 };
    let hold = (cost, now().saturating_add(seconds.into()));
    let (_reservation, requested) = service.bind(&channel, &caller, hold, max).await?;
    let top_ups = channel.top_ups();
    let place = || payer.hold(index, wanted.units, wanted.request_digest.0, seconds);
    let mut held = place().await;
    if let Err(refusal) = &held
        && service.tops_up_for(&channel, refusal, cost, top_ups).await
    {
        held = place().await;
    }
    match held {
        Ok(held) => {
            requested.place(held.hold);
            Ok(Json(HoldParts::new(operator, &held)).into_response())
        }
        Err(error) => Err(service.failed(&channel, error).await),
    }
}

/// Pays for the units that a held generation used.
pub async fn capture(
    State(app): State<App>,
    caller: Caller,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ReceiptParts>, PayerError> {
    let wanted: Capture = read(&body)?;
    let service = &app.service;
    let request = (&mut headers, &body[..]);
    let payment = NamedPayment::begin(service, &caller, "/v1/captures", request).await?;
    let channel = service.channels.open_with(&wanted.hold.operator.0).await?;
    let license = channel.payer.license(wanted.hold.license);
    let license = license.ok_or_else(|| {
        PayerError::MalformedJson(format!("the channel has no license {}", wanted.hold.license))
    })?;
    let (request_digest, output_digest) = (wanted.hold.request_digest, wanted.output_digest);
    let bill = Bill { caller: caller.clone(), units: wanted.units, request_digest, output_digest };
    if let Some(receipt) = payment.receipt(service, Some(&*channel), &bill).await? {
        return Ok(Json(receipt));
    }
    let cost = channel.cost(&license, wanted.units);
    let _reservation = service.reserve(&channel, &caller, cost).await?;
    payment.record(service, &channel)?;
    let payer = channel.payer.tagged(&caller);
    let paid = payer.capture(&wanted.hold.held(), wanted.units, output_digest.0).await;
    if let Err(error) = &paid
        && error.problem_type() == Some(ProblemType::IdempotencyKeyReused)
    {
        // The gateway names a capture by its hold.
        payment.withdraw(service);
        return Err(PayerError::HoldCaptured);
    }
    let receipt = made(service, &channel, &bill, &payment, paid).await?;
    channel.holds.end(&wanted.hold.hold.0);
    Ok(Json(receipt))
}

/// Releases a hold without a payment.
pub async fn release(
    State(app): State<App>,
    _: Caller,
    body: Bytes,
) -> Result<Json<serde_json::Value>, PayerError> {
    let wanted: Release = read(&body)?;
    let channel = app.service.channels.open_with(&wanted.hold.operator.0).await?;
    match channel.payer.release(&wanted.hold.held()).await {
        Ok(()) => {
            channel.holds.end(&wanted.hold.hold.0);
            Ok(Json(serde_json::json!({ "released": wanted.hold.hold })))
        }
        Err(error) => Err(app.service.failed(&channel, error).await),
    }
}

/// Returns receipts of a UTC day, oldest first.
pub async fn receipts(
    State(app): State<App>,
    _: Caller,
    query: Result<Query<ReceiptQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<ArchivePage>, PayerError> {
    let invalid = PayerError::InvalidQuery;
    let Query(query) = query.map_err(|error| invalid(error.body_text()))?;
    let day = match query.day {
        Some(text) => text.parse::<Day>().map_err(|error| invalid(format!("day: {error}")))?,
        None => Day::of(now()),
    };
    // A larger one is no place in a file.
    if i64::try_from(query.from).is_err() {
        return Err(invalid("from: expected `next` of an earlier page".to_owned()));
    }
    app.service.export().await?;
    let archive = app.service.archive.clone();
    let limit = query.limit.unwrap_or(Archive::MAX_PAGE);
    let page = tokio::task::spawn_blocking(move || archive.page(day, query.from, limit)).await;
    Ok(Json(page.map_err(|_| PayerError::Internal)??))
}

/// Returns the open channels.
pub async fn channels(
    State(app): State<App>,
    _: Caller,
) -> Result<Json<serde_json::Value>, PayerError> {
    let mut channels = Vec::new();
    for channel in app.service.channels.all() {
        channels.push(ChannelParts {
            channel: Address(channel.payer.channel()),
            operator: Address(channel.operator),
            available: Amount(channel.payer.available()?),
            cumulative: Amount(channel.payer.cumulative()?),
            statement: channel.payer.statement(),
            unanswered: channel.payer.is_unanswered(),
        });
    }
    let (wallet, currency) = (Address(app.service.wallet()), Address(app.service.channels.mint()));
    let about = serde_json::json!({ "wallet": wallet, "currency": currency, "channels": channels });
    Ok(Json(about))
}

/// Returns budgets and spending of this UTC day.
pub async fn budgets(State(app): State<App>, _: Caller) -> Json<serde_json::Value> {
    let service = &app.service;
    let of = |caller: Option<&str>, per_day: Option<u64>| {
        let (all, own) = service.spent_today(caller.unwrap_or_default());
        BudgetParts {
            caller: caller.map(str::to_owned),
            per_day: per_day.map(Amount),
            spent: Amount(if caller.is_some() { own } else { all }),
        }
    };
    let own = service.settings.caller_names();
    let own = own.map(|name| of(Some(name), service.budgets.of_callers().get(name).copied()));
    let budgets: Vec<_> = std::iter::once(of(None, service.budgets.per_day())).chain(own).collect();
    let (today, wallet) = (Day::of(now()), service.channels.wallet_spending());
    let (per_day, spent) = (Amount(wallet.lamports_per_day()), Amount(wallet.lamports(today)));
    let lamports = LamportsParts { per_day, spent };
    Json(serde_json::json!({ "day": today.to_string(), "budgets": budgets, "lamports": lamports }))
}

/// Returns the newest exchanges of the proxy, newest first.
pub async fn exchanges(State(app): State<App>, _: Caller) -> Json<Vec<Exchange>> {
    Json(app.service.exchanges.newest())
}

/// Returns metrics in the OpenMetrics format.
pub async fn metrics(State(app): State<App>, _: Caller) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let service = &app.service;
    let spent = service.settings.caller_names();
    let spent = spent.map(|name| (name.to_owned(), service.spent_today(name).1));
    let available = service.channels.all().into_iter().map(|channel| {
        (channel.payer.channel().to_string(), channel.payer.available().unwrap_or(0))
    });
    let (today, wallet) = (Day::of(now()), service.channels.wallet_spending());
    let text = service.metrics.text(spent, available, wallet.lamports(today));
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

impl Licensed {
    fn bill(&self, caller: &Caller, output_digest: Digest) -> Bill {
        let (caller, request_digest) = (caller.clone(), self.request_digest);
        Bill { caller, units: self.units, request_digest, output_digest }
    }

    fn units_at(&self, operator: Address) -> UnitsWanted {
        UnitsWanted {
            operator: operator.0,
            work: self.work.0,
            licensed_use: self.licensed_use,
            units: self.units,
        }
    }
}

impl HoldParts {
    fn new(operator: Address, held: &HeldGeneration) -> Self {
        Self {
            operator,
            hold: Digest(held.hold),
            license: held.license,
            units: held.units,
            request_digest: Digest(held.request_digest),
            expires_at: held.expires_at,
        }
    }

    fn held(&self) -> HeldGeneration {
        HeldGeneration {
            hold: self.hold.0,
            license: self.license,
            units: self.units,
            request_digest: self.request_digest.0,
            expires_at: self.expires_at,
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, PayerError> {
    serde_json::from_slice(body).map_err(|error| PayerError::MalformedJson(error.to_string()))
}

fn licensed(body: &[u8]) -> Result<Licensed, PayerError> {
    let wanted: Licensed = read(body)?;
    if wanted.units == 0 {
        return Err(PayerError::MalformedJson("units: expected at least 1".to_owned()));
    }
    Ok(wanted)
}

fn missing(name: &str) -> PayerError {
    PayerError::MalformedJson(format!("missing field `{name}`"))
}

/// Returns the given operator, or the only one of the settings' gateways.
async fn operator(service: &PayerService, given: Option<Address>) -> Result<Address, PayerError> {
    if let Some(given) = given {
        return Ok(given);
    }
    let only = service.channels.only_operator().await?;
    let what = "missing field `operator`: required with several gateways";
    only.map(Address).ok_or_else(|| PayerError::MalformedJson(what.to_owned()))
}

async fn would_pay(
    service: &PayerService,
    caller: &Caller,
    operator: Address,
    wanted: &Licensed,
) -> Result<WouldPay, PayerError> {
    let previewed = service.preview(caller, &wanted.units_at(operator), None).await?;
    let (most_cost, preparation) = previewed;
    Ok(WouldPay { operator, most_cost: Amount(most_cost), preparation })
}
