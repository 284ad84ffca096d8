use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use motif_sdk::{
    Pubkey,
    gateway::wire::{ChannelState, GenerationRequest, ReaderProof, ReceiptPage, ReceiptParts},
};
use reqwest::{Client, IntoUrl, RequestBuilder, StatusCode};

use crate::world::{next_request, reader_of, voucher_key};

/// Broken promise of the gateway.
pub type Broken = String;

/// Time limit of a request to a running gateway.
const PATIENCE: Duration = Duration::from_secs(30);

/// Payer with its own channel, which records everything acknowledged.
pub struct Payer {
    /// Address of its channel.
    pub channel: Pubkey,
    http: Client,
    sent: u64,
    /// Requests without a response, whose outcome is unknown.
    unanswered: Option<(String, GenerationRequest)>,
    /// Acknowledged receipts by idempotency key.
    pub acknowledged: BTreeMap<String, (GenerationRequest, ReceiptParts)>,
    /// Number of requests answered after a retry.
    pub retried: u64,
}

/// Outcome of a request.
enum Answer {
    Receipt(Box<ReceiptParts>),
    Refused(StatusCode, String),
    Nothing,
}

impl Payer {
    /// Returns the payer of this number, which decides its channel.
    pub fn new(number: u16) -> Self {
        let mut channel = [100; 32];
        channel[..2].copy_from_slice(&number.to_le_bytes());
        Self {
            channel: Pubkey::new_from_array(channel),
            http: Client::new(),
            sent: 0,
            unanswered: None,
            acknowledged: BTreeMap::new(),
            retried: 0,
        }
    }

    /// Pays for generations until the gateway stops responding.
    ///
    /// # Errors
    /// The broken promise.
    pub async fn pay(&mut self, url: &str) -> Result<(), Broken> {
        loop {
            let Some(state) = self.state(url).await else { return Ok(()) };
            self.sent += 1;
            let key = format!("{}-{:06}", self.channel, self.sent);
            let mut request = next_request(&state, &voucher_key());
            request.request_digest.0[..8].copy_from_slice(&self.sent.to_le_bytes());
            match self.send(url, &key, &request).await {
                Answer::Receipt(receipt) => self.acknowledge(key, request, *receipt)?,
                // The worker has closed the statement meanwhile; nothing was charged.
                Answer::Refused(StatusCode::CONFLICT, slug) if slug == "statement-closed" => {}
                // Its store fails.
                Answer::Refused(StatusCode::SERVICE_UNAVAILABLE, _) => {
                    self.unanswered = Some((key, request));
                    return Ok(());
                }
                Answer::Refused(_, slug) => return Err(format!("{key} was refused: {slug}")),
                Answer::Nothing => {
                    self.unanswered = Some((key, request));
                    return Ok(());
                }
            }
        }
    }

    /// Repeats unanswered requests on a running gateway, and a few answered ones.
    ///
    /// # Errors
    /// The broken promise.
    pub async fn settle_doubts(&mut self, url: &str) -> Result<(), Broken> {
        self.until_served(url).await?;
        if let Some((key, request)) = self.unanswered.take() {
            match self.send(url, &key, &request).await {
                Answer::Receipt(receipt) => {
                    self.retried += 1;
                    self.acknowledge(key, request, *receipt)?;
                }
                // It was not accepted, and its statement is closed.
                Answer::Refused(StatusCode::CONFLICT, slug) if slug == "statement-closed" => {}
                Answer::Refused(status, slug) => {
                    return Err(format!("{key}, asked again, was refused: {status} {slug}"));
                }
                Answer::Nothing => return Err(format!("{key}, asked again, got no answer")),
            }
        }
        let newest = self.acknowledged.iter().rev().take(3);
        let newest: Vec<_> = newest.map(|(key, both)| (key.clone(), both.clone())).collect();
        for (key, (request, receipt)) in newest {
            match self.send(url, &key, &request).await {
                Answer::Receipt(again) if *again == receipt => {}
                Answer::Receipt(_) => return Err(format!("{key} has another receipt now")),
                Answer::Refused(status, slug) => {
                    return Err(format!("{key} was acknowledged and is lost: {status} {slug}"));
                }
                Answer::Nothing => return Err(format!("{key}, asked again, got no answer")),
            }
        }
        Ok(())
    }

    /// Compares everything acknowledged with the gateway's receipts.
    ///
    /// # Errors
    /// The difference.
    pub async fn compare(&self, url: &str) -> Result<(), Broken> {
        let Some(state) = self.state(url).await else { return Err("no answer".into()) };
        let mut there = BTreeMap::new();
        for statement in 0..=state.open.statement {
            let mut offset = 0;
            loop {
                let query = format!("statement={statement}&limit=1000&offset={offset}");
                let path = format!("{url}/v1/channels/{}/receipts?{query}", self.channel);
                let answer = self.read(path).send().await.map_err(|error| error.to_string())?;
                let page: ReceiptPage = answer.json().await.map_err(|error| error.to_string())?;
                offset += page.receipts.len() as u32;
                let is_last = page.receipts.is_empty() || offset >= page.total;
                there.extend(page.receipts.into_iter().map(|parts| (parts.digest.0, parts)));
                if is_last {
                    break;
                }
            }
        }
        let acknowledged = self.acknowledged.values();
        let own: BTreeMap<_, _> = acknowledged.map(|(_, parts)| (parts.digest.0, parts)).collect();
        for (digest, parts) in &own {
            if there.get(digest) != Some(*parts) {
                return Err(format!("a receipt of {} is lost or another one", self.channel));
            }
        }
        if there.len() != own.len() {
            let (here, there) = (own.len(), there.len());
            return Err(format!("{} acknowledged, {there} charged: {}", here, self.channel));
        }
        let total = state.cumulative.0;
        if total != own.len() as u64 * 102 {
            return Err(format!("{} receipts, and a total of {total}", own.len()));
        }
        Ok(())
    }

    fn acknowledge(
        &mut self,
        key: String,
        request: GenerationRequest,
        receipt: ReceiptParts,
    ) -> Result<(), Broken> {
        let digest = receipt.digest;
        let is_twice = self.acknowledged.values().rev().take(50).any(|(_, it)| it.digest == digest);
        if is_twice {
            return Err(format!("{key} got the receipt of another generation"));
        }
        self.acknowledged.insert(key, (request, receipt));
        Ok(())
    }

    /// Waits until the gateway serves the channel.
    async fn until_served(&self, url: &str) -> Result<(), Broken> {
        let deadline = Instant::now() + PATIENCE;
        let body = serde_json::json!({ "channel": self.channel.to_string() });
        loop {
            let asked = self.http.post(format!("{url}/v1/channels")).json(&body).send().await;
            let said = match asked {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                return Err(format!("{} is not served any more: {said}", self.channel));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Creates a read of the channel, with the proof of its payer.
    fn read(&self, url: impl IntoUrl) -> RequestBuilder {
        let proof = reader_of(self.channel).proof().unwrap().to_header();
        self.http.get(url).header(ReaderProof::HEADER, proof)
    }

    async fn state(&self, url: &str) -> Option<ChannelState> {
        let url = format!("{url}/v1/channels/{}", self.channel);
        let (status, body) = self.answered(|| self.read(&url)).await?;
        serde_json::from_slice(&body).ok().filter(|_| status.is_success())
    }

    async fn send(&self, url: &str, key: &str, request: &GenerationRequest) -> Answer {
        let url = format!("{url}/v1/channels/{}/generations", self.channel);
        let asked = || self.http.post(&url).header("idempotency-key", key).json(request);
        let Some((status, body)) = self.answered(asked).await else { return Answer::Nothing };
        if status.is_success() {
            let receipt = serde_json::from_slice(&body).map(Box::new);
            return receipt.map_or(Answer::Nothing, Answer::Receipt);
        }
        Answer::Refused(status, slug(&body))
    }

    /// Returns the response after any takeover of the channel; `None` without a response.
    async fn answered(&self, ask: impl Fn() -> RequestBuilder) -> Option<(StatusCode, Vec<u8>)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = ask().send().await.ok()?;
            let status = answer.status();
            let body = answer.bytes().await.ok()?.to_vec();
            let moves = ["channel-moving", "channel-held-elsewhere"].contains(&&*slug(&body));
            if !moves || Instant::now() > deadline {
                return Some((status, body));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Returns the slug of a problem response.
fn slug(body: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    problem["type"].as_str().unwrap_or("none").to_owned()
}
