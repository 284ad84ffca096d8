use std::{fmt, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Method, RequestBuilder, StatusCode, Url, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;
use tokio::time::Instant;

use super::{
    ChannelReader, GatewayError, IdempotencyKey, ProblemType, SignedPayerRequest,
    wire::{
        Address, Authentication, AuthenticationRequest, BatchReceipts, BatchRequest, ChannelState,
        Closing, Digest, GenerationRequest, HoldFacts, HoldRequest, LineageFacts, OpenChannel,
        Operator, PaidRoutes, PayerProof, PersonEarnings, PersonProof, Problem, Quote, ReaderProof,
        ReceiptPage, ReceiptParts, ReceiptProofParts, ReleaseRequest, SettlementReport,
        Settlements, UsageBy, UsageReport, WorkDetailsFacts, WorkList, WorkQuery, WorkReceipts,
        WorkUsageBy, WorkUsageReport,
    },
};
use crate::{http, licensing::Use};

/// Client of a gateway's HTTP interface. Clones share connections.
///
/// Unanswered requests are repeated for [`GatewayClient::patience`]. This is safe: reads have no
/// effect, generations have idempotency keys, and the chain settles each statement once.
#[derive(Clone)]
pub struct GatewayClient {
    http: reqwest::Client,
    url: String,
    patience: Duration,
    api_key: Option<Arc<str>>,
    reader: Option<ChannelReader>,
    /// Whether requests follow a channel to another process.
    follows: bool,
}

/// Pauses between attempts; [`GatewayClient::patience`] limits their number.
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(50))
    .with_max_delay(Duration::from_secs(1))
    .without_max_times();
/// Longer than a gateway needs to confirm a transaction.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);
/// Shorter than a gateway's idle timeout.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

impl GatewayClient {
    /// Creates a client of the gateway at `url`, without connecting to it.
    pub fn new(url: &str) -> Self {
        let builder = http::client_builder()
            .timeout(ANSWER_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true);
        Self {
            // Fails only if the system resolver cannot be set up.
            http: builder.build().unwrap_or_default(),
            url: url.trim_end_matches('/').to_owned(),
            patience: Duration::from_secs(10),
            api_key: None,
            reader: None,
            follows: true,
        }
    }

    /// Sets the API key, which gateways without open access require. Default: none.
    pub fn api_key(self, token: &str) -> Self {
        Self { api_key: Some(token.into()), ..self }
    }

    /// Sets the reader of a channel. Without one, and without an API key that is bound to the
    /// channel, the gateway shows the channel as it is on chain only. Default: none.
    pub fn reader(self, reader: ChannelReader) -> Self {
        Self { reader: Some(reader), ..self }
    }

    /// Sets how long unanswered requests are repeated. Default: 10 seconds.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Returns how long unanswered requests are repeated.
    pub(super) fn patience_limit(&self) -> Duration {
        self.patience
    }

    /// Sends the JSON of a batch once; if another process of the gateway serves the channel, to that
    /// one.
    ///
    /// # Errors
    /// [`GatewayError::Unreachable`].
    pub(super) async fn post_batch(
        &self,
        channel: &Pubkey,
        request: &motif_payer::Request,
    ) -> Result<BatchAnswer, GatewayError> {
        let url = format!("{}/v1/channels/{channel}/batches", self.url);
        let post = || {
            let post = self.http.post(&url).header(IdempotencyKey::HEADER, &request.key);
            let post = post.header(CONTENT_TYPE, "application/json").body(request.body.clone());
            match &self.api_key {
                Some(token) => post.bearer_auth(token),
                None => post,
            }
        };
        let answer = BatchAnswer::new(self.exchange(post(), None).await, &self.url)?;
        let holder = answer
            .problem()
            .and_then(|problem| self.holder(&GatewayError::Refused(Box::new(problem))));
        match holder {
            Some(holder) => BatchAnswer::new(self.exchange(post(), Some(&holder)).await, &self.url),
            None => Ok(answer),
        }
    }

    /// Disables following a channel to another process, whose admin listener is unknown.
    pub(super) fn staying(self) -> Self {
        Self { follows: false, ..self }
    }

    /// Returns the URL of the gateway.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Checks that the gateway is ready: its store takes writes and its cluster answers.
    ///
    /// # Errors
    /// [`GatewayError::Refused`] with the reason; [`GatewayError::Unreachable`].
    pub async fn ready(&self) -> Result<(), GatewayError> {
        let request = || self.http.request(Method::GET, format!("{}/readyz", self.url));
        self.send(request).await.map(|_: serde_json::Value| ())
    }

    /// Returns the operator and its conditions.
    ///
    /// # Errors
    /// As all methods: [`GatewayError::Refused`], [`GatewayError::Unreachable`],
    /// [`GatewayError::Untrusted`].
    pub async fn operator(&self) -> Result<Operator, GatewayError> {
        self.get("operator".into()).await
    }

    /// Returns the on-chain state of a work.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn work(&self, work: &Pubkey) -> Result<WorkDetailsFacts, GatewayError> {
        self.get(format!("works/{work}")).await
    }

    /// Returns a work's ancestors and descendants.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn lineage(&self, work: &Pubkey) -> Result<LineageFacts, GatewayError> {
        self.get(format!("works/{work}/lineage")).await
    }

    /// Returns a page of the works that match.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn works(&self, query: &WorkQuery) -> Result<WorkList, GatewayError> {
        self.get(format!("works?{query}")).await
    }

    /// Finds works and receipts for content by digests and fingerprints, without sending the
    /// content.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn authenticate(
        &self,
        request: &AuthenticationRequest,
    ) -> Result<Authentication, GatewayError> {
        self.post("authenticate".into(), request).await
    }

    /// Finds works and receipts for content that is sent to the gateway.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn authenticate_content(
        &self,
        content: Vec<u8>,
    ) -> Result<Authentication, GatewayError> {
        let url = format!("{}/v1/authenticate", self.url);
        self.send(|| self.http.post(&url).body(content.clone())).await
    }

    /// Returns the price of a use of a work.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn quote(&self, work: &Pubkey, licensed_use: Use) -> Result<Quote, GatewayError> {
        self.get(format!("works/{work}/quotes?use={licensed_use}")).await
    }

    /// Returns where the money of a person's works is; with a proof of the person, what payers have signed
    /// for, too.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn person_earnings(
        &self,
        person: &Pubkey,
        proof: Option<&PersonProof>,
    ) -> Result<PersonEarnings, GatewayError> {
        let url = format!("{}/v1/people/{person}/earnings", self.url);
        self.send(|| person_proven(self.http.get(&url), proof)).await
    }

    /// Returns at most `limit` receipts of a work on a channel from a statement's position on, for a person whom
    /// the work pays.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn work_receipts(
        &self,
        work: &Pubkey,
        channel: &Pubkey,
        (statement, position): (u64, u32),
        limit: u32,
        proof: &PersonProof,
    ) -> Result<WorkReceipts, GatewayError> {
        let place = format!("statement={statement}&position={position}&limit={limit}");
        let url = format!("{}/v1/works/{work}/receipts?channel={channel}&{place}", self.url);
        self.send(|| person_proven(self.http.get(&url), Some(proof))).await
    }

    /// Returns who used a work through the gateway, for a person whom it pays.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn work_usage(
        &self,
        work: &Pubkey,
        by: WorkUsageBy,
        proof: &PersonProof,
    ) -> Result<WorkUsageReport, GatewayError> {
        let url = format!("{}/v1/works/{work}/usage?by={by}", self.url);
        self.send(|| person_proven(self.http.get(&url), Some(proof))).await
    }

    /// Has the gateway host the metadata that a registered work names.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn host_metadata(
        &self,
        work: &Pubkey,
        document: Vec<u8>,
    ) -> Result<(), GatewayError> {
        self.host("metadata", work, document).await
    }

    /// Has the gateway host the picture that the hosted metadata of a work names.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn host_preview(&self, work: &Pubkey, picture: Vec<u8>) -> Result<(), GatewayError> {
        self.host("previews", work, picture).await
    }

    async fn host(&self, kind: &str, work: &Pubkey, body: Vec<u8>) -> Result<(), GatewayError> {
        let digest = Digest(hash(&body).to_bytes());
        let url = format!("{}/v1/{kind}/{digest}?work={work}", self.url);
        let hosted: serde_json::Value =
            self.send(|| self.http.put(&url).body(body.clone())).await?;
        drop(hosted);
        Ok(())
    }

    /// Returns the routes behind the gateway's paywall, with their present prices; empty without one.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn paid_routes(&self) -> Result<PaidRoutes, GatewayError> {
        self.get("paywall".into()).await
    }

    /// Registers a channel at the gateway, or makes it read the channel again after a top-up or an
    /// acceptance. Returns the channel as it is on chain, or at the gateway with a
    /// [`GatewayClient::reader`].
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn open_channel(&self, channel: &Pubkey) -> Result<ChannelState, GatewayError> {
        let (url, proof) = (format!("{}/v1/channels", self.url), self.reader_proof()?);
        let body = OpenChannel { channel: Address(*channel) };
        self.send(|| proven(self.http.post(&url), proof.as_deref()).json(&body)).await
    }

    /// Returns the state of a channel at the gateway, to its [`GatewayClient::reader`] or the holder
    /// of an API key that is bound to the channel.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn channel(&self, channel: &Pubkey) -> Result<ChannelState, GatewayError> {
        self.read(format!("channels/{channel}")).await
    }

    /// Pays for a generation. The receipt is unverified: use [`super::Payer::generate`].
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn generate(
        &self,
        channel: &Pubkey,
        key: &IdempotencyKey,
        request: &GenerationRequest,
    ) -> Result<ReceiptParts, GatewayError> {
        let url = format!("{}/v1/channels/{channel}/generations", self.url);
        let header = (IdempotencyKey::HEADER, key.as_str());
        self.send(|| self.http.post(&url).header(header.0, header.1).json(request)).await
    }

    /// Pays for several generations with one voucher, all or none. The receipts are unverified.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn generate_batch(
        &self,
        channel: &Pubkey,
        key: &IdempotencyKey,
        request: &BatchRequest,
    ) -> Result<BatchReceipts, GatewayError> {
        let url = format!("{}/v1/channels/{channel}/batches", self.url);
        let header = (IdempotencyKey::HEADER, key.as_str());
        self.send(|| self.http.post(&url).header(header.0, header.1).json(request)).await
    }

    /// Holds funds for a generation. [`super::Payer::hold`] signs the request.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn hold(
        &self,
        channel: &Pubkey,
        key: &IdempotencyKey,
        request: &HoldRequest,
    ) -> Result<HoldFacts, GatewayError> {
        let url = format!("{}/v1/channels/{channel}/holds", self.url);
        let header = (IdempotencyKey::HEADER, key.as_str());
        self.send(|| self.http.post(&url).header(header.0, header.1).json(request)).await
    }

    /// Pays for a held generation. The receipt is unverified.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn capture(
        &self,
        hold: &[u8; 32],
        request: &GenerationRequest,
    ) -> Result<ReceiptParts, GatewayError> {
        self.post(format!("holds/{}/capture", Digest(*hold)), request).await
    }

    /// Releases a hold without payment.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn release(
        &self,
        hold: &[u8; 32],
        request: &ReleaseRequest,
    ) -> Result<HoldFacts, GatewayError> {
        self.post(format!("holds/{}/release", Digest(*hold)), request).await
    }

    /// Returns usage and spending of a channel, from the unix second `from` to before `until`.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn usage(
        &self,
        channel: &Pubkey,
        by: UsageBy,
        from: Option<i64>,
        until: Option<i64>,
    ) -> Result<UsageReport, GatewayError> {
        let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
        let until = until.map(|until| format!("&until={until}")).unwrap_or_default();
        self.read(format!("channels/{channel}/usage?by={by}{from}{until}")).await
    }

    /// Returns receipts of a statement, by default the open one, in order.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn receipts(
        &self,
        channel: &Pubkey,
        statement: Option<u64>,
        limit: u32,
        offset: u32,
    ) -> Result<ReceiptPage, GatewayError> {
        let statement = statement.map(|number| format!("&statement={number}")).unwrap_or_default();
        let query = format!("limit={limit}&offset={offset}{statement}");
        self.read(format!("channels/{channel}/receipts?{query}")).await
    }

    /// Returns the proof of a settled receipt against its channel's account.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn proof(&self, receipt: &[u8; 32]) -> Result<ReceiptProofParts, GatewayError> {
        self.get(format!("receipts/{}/proof", Digest(*receipt))).await
    }

    /// Settles a channel: one statement in one transaction, after earlier unsettled ones. The
    /// request is a [`super::PayerRequest::settle`].
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn settle(
        &self,
        request: &SignedPayerRequest,
    ) -> Result<Vec<SettlementReport>, GatewayError> {
        let path = format!("channels/{}/settlements", request.request.channel);
        let done: Settlements = self.post(path, &PayerProof::from(request)).await?;
        Ok(done.settlements)
    }

    /// Settles and closes a channel whose payer has started closing, before the end of the grace
    /// period. The request is a [`super::PayerRequest::close`].
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn close(&self, request: &SignedPayerRequest) -> Result<Closing, GatewayError> {
        let path = format!("channels/{}/close", request.request.channel);
        self.post(path, &PayerProof::from(request)).await
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T, GatewayError> {
        let url = format!("{}/v1/{path}", self.url);
        self.send(|| self.http.get(&url)).await
    }

    /// Reads what only the channel's payer may read.
    async fn read<T: DeserializeOwned>(&self, path: String) -> Result<T, GatewayError> {
        let (url, proof) = (format!("{}/v1/{path}", self.url), self.reader_proof()?);
        self.send(|| proven(self.http.get(&url), proof.as_deref())).await
    }

    /// Returns the value of the header `motif-reader`.
    fn reader_proof(&self) -> Result<Option<String>, GatewayError> {
        let proof = self.reader.as_ref().map(ChannelReader::proof).transpose()?;
        Ok(proof.map(|proof| proof.to_header()))
    }

    /// Returns a request with the API key.
    pub(super) fn builder(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/v1/{path}", self.url));
        match &self.api_key {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Adds the proof of the channel's reader.
    pub(super) fn with_reader(
        &self,
        request: RequestBuilder,
    ) -> Result<RequestBuilder, GatewayError> {
        Ok(proven(request, self.reader_proof()?.as_deref()))
    }

    /// Sends a request that has an effect each time, once.
    pub(super) async fn once<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, GatewayError> {
        self.answer(request, None).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: String,
        body: &impl Serialize,
    ) -> Result<T, GatewayError> {
        self.request(Method::POST, path, Some(body)).await
    }

    pub(super) async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: String,
        body: Option<&impl Serialize>,
    ) -> Result<T, GatewayError> {
        let url = format!("{}/v1/{path}", self.url);
        let request = || {
            let request = self.http.request(method.clone(), &url);
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        self.send(request).await
    }

    /// Sends a request, and repeats it until it is answered or `patience` has passed.
    async fn send<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, GatewayError> {
        let deadline = Instant::now() + self.patience;
        let attempt = || self.attempt(&request);
        let is_transient = |error: &GatewayError| {
            matches!(error, GatewayError::Unreachable { .. }) || self.holder(error).is_some()
        };
        attempt.retry(BACKOFF).when(|error| is_transient(error) && Instant::now() < deadline).await
    }

    /// Sends a request once; if another process of the gateway serves the channel, to that one.
    async fn attempt<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, GatewayError> {
        let request = || match &self.api_key {
            Some(token) => request().bearer_auth(token),
            None => request(),
        };
        let answer = self.answer(request(), None).await;
        match answer.as_ref().err().and_then(|error| self.holder(error)) {
            Some(holder) => self.answer(request(), Some(&holder)).await,
            None => answer,
        }
    }

    /// Sends a request to the gateway, or to `holder` in its place.
    async fn answer<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        holder: Option<&Url>,
    ) -> Result<T, GatewayError> {
        let (status, body) = self
            .exchange(request, holder)
            .await
            .map_err(|source| GatewayError::unreachable(&self.url, source))?;
        read(status, &body)
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        holder: Option<&Url>,
    ) -> Result<(StatusCode, Vec<u8>), reqwest::Error> {
        let mut request = request.build()?;
        if let Some(holder) = holder {
            let path = request.url().as_str().strip_prefix(&self.url[..]);
            let moved = path.and_then(|path| {
                let base = holder.as_str().trim_end_matches('/');
                format!("{base}{path}").parse().ok()
            });
            if let Some(moved) = moved {
                *request.url_mut() = moved;
            }
        }
        let response = self.http.execute(request).await?;
        let status = response.status();
        Ok((status, response.bytes().await?.to_vec()))
    }

    /// Returns the URL of the process that serves the channel, if an error names it. A request to
    /// an `https` URL is not repeated over `http`.
    fn holder(&self, refusal: &GatewayError) -> Option<Url> {
        let GatewayError::Refused(problem) = refusal else { return None };
        if !self.follows || problem.problem_type() != Some(ProblemType::ChannelHeldElsewhere) {
            return None;
        }
        let holder: Url = problem.holder.as_ref()?.parse().ok()?;
        let is_encrypted = self.url.starts_with("https://");
        let may = holder.scheme() == "https" || (holder.scheme() == "http" && !is_encrypted);
        Some(holder).filter(|_| may)
    }
}

impl fmt::Debug for GatewayClient {
    /// Omits the API key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("GatewayClient");
        shown.field("url", &self.url).field("patience", &self.patience).finish_non_exhaustive()
    }
}

/// Answer to a batch.
pub(super) struct BatchAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl BatchAnswer {
    fn new(
        exchanged: Result<(StatusCode, Vec<u8>), reqwest::Error>,
        url: &str,
    ) -> Result<Self, GatewayError> {
        let (status, body) = exchanged.map_err(|source| GatewayError::unreachable(url, source))?;
        Ok(Self { status: status.as_u16(), body })
    }

    /// Returns the problem, unless the batch is accepted.
    fn problem(&self) -> Option<Problem> {
        let is_accepted = (200..300).contains(&self.status);
        (!is_accepted).then(|| serde_json::from_slice(&self.body).ok()).flatten()
    }
}

fn person_proven(request: RequestBuilder, proof: Option<&PersonProof>) -> RequestBuilder {
    match proof {
        Some(proof) => request.header(PersonProof::HEADER, proof.to_header()),
        None => request,
    }
}

fn proven(request: RequestBuilder, proof: Option<&str>) -> RequestBuilder {
    match proof {
        Some(proof) => request.header(ReaderProof::HEADER, proof),
        None => request,
    }
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, GatewayError> {
    let unreadable = |error: serde_json::Error| {
        GatewayError::Untrusted(format!("status {status} with an unreadable body: {error}"))
    };
    if status.is_success() {
        return serde_json::from_slice(body).map_err(unreadable);
    }
    let problem: Problem = serde_json::from_slice(body).map_err(unreadable)?;
    Err(GatewayError::Refused(Box::new(problem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(slug: ProblemType, holder: Option<&str>) -> GatewayError {
        GatewayError::Refused(Box::new(Problem {
            slug: slug.slug().to_owned(),
            title: String::new(),
            status: 421,
            detail: String::new(),
            expected: None,
            holder: holder.map(str::to_owned),
            payment: None,
            items: Vec::new(),
        }))
    }

    #[test]
    fn holder_is_asked_but_not_downgraded() {
        let slug = ProblemType::ChannelHeldElsewhere;
        let (open, encrypted) =
            (GatewayClient::new("http://a.example"), GatewayClient::new("https://a.example"));
        let plain = refusal(slug, Some("http://b.example"));
        assert_eq!(open.holder(&plain).unwrap().as_str(), "http://b.example/");
        assert_eq!(encrypted.holder(&plain), None);
        let safe = refusal(slug, Some("https://b.example/gateway"));
        assert!(open.holder(&safe).is_some() && encrypted.holder(&safe).is_some());
        for other in [
            refusal(slug, None),
            refusal(slug, Some("file:///etc/passwd")),
            refusal(slug, Some("b.example")),
            refusal(ProblemType::UnknownChannel, Some("https://b.example")),
        ] {
            assert_eq!(open.holder(&other), None);
        }
        assert_eq!(open.staying().holder(&plain), None, "the secret stays with its gateway");
    }
}
