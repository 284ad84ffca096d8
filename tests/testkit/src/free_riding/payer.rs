use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, body::Body, http::Request};
use ed25519_dalek::SigningKey;
use motif_sdk::{
    gateway::{
        ChannelReader, IdempotencyKey, PayerAction, PayerRequest, hold_details, hold_id,
        wire::{
            Address, BatchRequest, BatchedGeneration, ChannelState, Digest, GenerationRequest,
            HoldFacts, HoldRequest, PayerProof, ReaderProof, ReleaseRequest, Settlements,
        },
    },
    voucher::{SignedVoucher, Statement, Voucher},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Serialize, de::DeserializeOwned};
use tower::ServiceExt;

use super::{
    Configuration, History,
    clock::now,
    delivery::{answer, deliver, post},
    request::{Asked, Claim},
    seat::Seat,
    stranger::Stranger,
    table::{MIN_VOUCHER_SECONDS, Table},
};
use crate::world::foreign_key;

/// Payer that tries to avoid payment on both channels, concurrently with others.
pub struct Payer {
    service: Router,
    seats: Vec<Seat>,
    history: Arc<History>,
    configuration: Configuration,
    random: StdRng,
    views: Vec<Option<View>>,
    stranger: Stranger,
}

/// A payer's view of a channel.
#[derive(Clone, Debug)]
struct View {
    statement: u64,
    /// Units of all statements before the open one.
    before: [u64; 2],
    open: BTreeMap<u16, u32>,
}

impl Payer {
    pub fn new(table: &Table, history: Arc<History>, seed: u64) -> Self {
        Self {
            service: table.service(),
            seats: table.seats.clone(),
            history,
            configuration: table.configuration(),
            random: StdRng::seed_from_u64(seed),
            views: vec![None; table.seats.len()],
            stranger: Stranger::default(),
        }
    }

    pub async fn play(mut self, requests: u64) {
        for _ in 0..requests {
            // Usually the channel with the large deposit.
            let seat = usize::from(self.random.random_ratio(1, 4));
            match self.random.random_range(0..1_000) {
                0..3 => self.settle(seat).await,
                3..60 => self.repeat(seat).await,
                60..250 => self.forge(seat).await,
                250..256 if self.configuration.mixed => self.race(seat).await,
                256..330 if self.configuration.mixed => self.hold(seat).await,
                330..430 if self.configuration.mixed => self.batch(seat).await,
                430..434 => {
                    let (service, seat) = (&self.service, &self.seats[seat]);
                    self.stranger.flood(service, seat, &mut self.random, &self.history).await;
                }
                434..440 => {
                    self.stranger.read_late(&self.service, &self.seats[seat], &self.history).await;
                }
                _ => self.pay(seat).await,
            }
        }
    }

    /// Sends one honest generation.
    async fn pay(&mut self, seat: usize) {
        let Some(view) = self.view(seat).await else { return };
        let items = vec![self.item()];
        let claim = claim(&self.seats[seat], &view, &items);
        let request = self.one(seat, &claim, items[0], &self.seats[seat].key.clone());
        let forged = self.ended(seat, &items);
        let asked = self.generation(seat, &request, claim, forged);
        self.send(seat, asked).await;
    }

    async fn batch(&mut self, seat: usize) {
        let Some(view) = self.view(seat).await else { return };
        let count = self.random.random_range(1..6);
        let items: Vec<_> = (0..count).map(|_| self.item()).collect();
        let claim = claim(&self.seats[seat], &view, &items);
        let voucher = sign(&self.seats[seat], &claim, &self.seats[seat].key, in_a_day());
        let generations = items.iter().map(|&(license, units)| BatchedGeneration {
            license,
            units,
            request_digest: Digest(self.random.random()),
            output_digest: Digest(self.random.random()),
        });
        let request = BatchRequest { voucher, generations: generations.collect() };
        let path = format!("/v1/channels/{}/batches", self.seats[seat].channel);
        let (key, forged) = (Some(self.key()), self.ended(seat, &items));
        let asked = self.asked(seat, path, key, &request, claim, forged);
        self.send(seat, asked).await;
    }

    /// Returns why these items must be rejected, if a license has ended.
    fn ended(&self, seat: usize, items: &[(u16, u32)]) -> Option<&'static str> {
        let ended = self.seats[seat].ended?;
        let is_named = items.iter().any(|(license, _)| *license == ended);
        is_named.then_some("its license has ended")
    }

    /// Places a hold, which is then captured, released, or exceeded.
    async fn hold(&mut self, seat: usize) {
        let (license, units) = (self.item().0, self.random.random_range(1..9));
        let key: IdempotencyKey = self.key().parse().unwrap();
        let request_digest = self.random.random();
        let expires_at = now() + self.random.random_range(1..60);
        let own = self.seats[seat].clone();
        let prove = |action| {
            PayerProof::from(&PayerRequest::new(action, &own.channel, &own.account).sign(&own.key))
        };
        let details = hold_details(&key, license, units, &request_digest, expires_at);
        let proof = prove(PayerAction::Hold(details));
        let request_digest = Digest(request_digest);
        let request = HoldRequest { license, units, request_digest, expires_at, proof };
        let path = format!("/v1/channels/{}/holds", own.channel);
        let placed = self.ask::<HoldFacts>(&path, Some(key.as_str()), &request).await;
        if placed.is_none() {
            return;
        }
        let hold = hold_id(&own.channel, own.account.opened_slot, &key);
        let mut is_over = false;
        if self.random.random_ratio(1, 3) {
            let path = format!("/v1/holds/{}/release", Digest(hold));
            let proof = prove(PayerAction::Release(hold));
            let request = ReleaseRequest { channel: Address(own.channel), proof };
            is_over = self.ask::<HoldFacts>(&path, None, &request).await.is_some();
        }
        let Some(view) = self.view(seat).await else { return };
        let used = self.random.random_range(1..=units + 2);
        let claim = claim(&own, &view, &[(license, used)]);
        let mut request = self.one(seat, &claim, (license, used), &own.key);
        request.request_digest = request_digest;
        let forged = match (is_over, used > units) {
            (true, _) => Some("its hold was given up"),
            (false, true) => Some("it uses more than was held"),
            (false, false) => self.ended(seat, &[(license, used)]),
        };
        let path = format!("/v1/holds/{}/capture", Digest(hold));
        let asked = self.asked(seat, path, None, &request, claim, forged);
        self.send(seat, asked).await;
    }

    /// Places and releases one hold many times concurrently. At the end the hold is released, and
    /// a capture is rejected.
    async fn race(&mut self, seat: usize) {
        let own = self.seats[seat].clone();
        let (license, units, request_digest) = (self.item().0, 1, self.random.random());
        let (key, expires_at) = (self.key().parse::<IdempotencyKey>().unwrap(), now() + 60);
        let prove = |action| {
            PayerProof::from(&PayerRequest::new(action, &own.channel, &own.account).sign(&own.key))
        };
        let details = hold_details(&key, license, units, &request_digest, expires_at);
        let proof = prove(PayerAction::Hold(details));
        let request_digest = Digest(request_digest);
        let hold = HoldRequest { license, units, request_digest, expires_at, proof };
        let hold = serde_json::to_vec(&hold).unwrap();
        let id = hold_id(&own.channel, own.account.opened_slot, &key);
        let proof = prove(PayerAction::Release(id));
        let release = ReleaseRequest { channel: Address(own.channel), proof };
        let released = serde_json::to_vec(&release).unwrap();
        let places = format!("/v1/channels/{}/holds", own.channel);
        let releases = format!("/v1/holds/{}/release", Digest(id));
        let mut racers = Vec::new();
        for racer in 0..24 {
            let request = match racer % 2 {
                0 => post(&places, Some(key.as_str()), hold.clone()),
                _ => post(&releases, None, released.clone()),
            };
            racers.push(tokio::spawn(self.service.clone().oneshot(request)));
        }
        for racer in racers {
            let status = racer.await.unwrap().unwrap().status();
            if status.is_server_error() {
                self.history.broke(format!("a hold that was raced for was answered {status}"));
            }
        }
        self.history.count(|counts| {
            counts.requests += 24;
            counts.races += 1;
        });
        let is_over = self.ask::<HoldFacts>(&releases, None, &release).await.is_some();
        let Some(view) = self.view(seat).await.filter(|_| is_over) else { return };
        let claim = claim(&own, &view, &[(license, units)]);
        let mut request = self.one(seat, &claim, (license, units), &own.key);
        request.request_digest = request_digest;
        let path = format!("/v1/holds/{}/capture", Digest(id));
        let forged = Some("its hold was given up");
        let asked = self.asked(seat, path, None, &request, claim, forged);
        self.send(seat, asked).await;
    }

    /// Repeats a served request under its key, which must return the same receipts.
    async fn repeat(&mut self, seat: usize) {
        let choice = self.random.random_range(0..usize::MAX / 2);
        let Some(number) = self.history.served(choice, &self.seats[seat].channel) else { return };
        self.history.count(|counts| counts.retried += 1);
        deliver(self.service.clone(), &self.history, number, None).await;
    }

    /// Sends a request that must be rejected.
    async fn forge(&mut self, seat: usize) {
        let Some(view) = self.view(seat).await else { return };
        let (own, other) = (self.seats[seat].clone(), self.seats[1 - seat].clone());
        let item = self.item();
        let good = claim(&own, &view, &[item]);
        let honest = self.one(seat, &good, item, &own.key);
        let resigned = |claim: &Claim, seat: &Seat, key: &SigningKey, expires_at| {
            let voucher = sign(seat, claim, key, expires_at);
            GenerationRequest { voucher, ..honest }
        };
        let (request, why) = match self.random.random_range(0..10) {
            // A free generation cannot cost less.
            0 if good.cumulative > 0 => {
                let less = Claim { cumulative: good.cumulative - 1, ..good.clone() };
                (resigned(&less, &own, &own.key, in_a_day()), "it pays one base unit less")
            }
            0 | 1 => {
                let more = Claim { cumulative: good.cumulative + 1, ..good.clone() };
                (resigned(&more, &own, &own.key, in_a_day()), "it pays one base unit more")
            }
            2 => (resigned(&good, &own, &foreign_key(), in_a_day()), "another key signed"),
            3 => (resigned(&good, &other, &other.key, in_a_day()), "it is another channel's"),
            4 => {
                let expires_at =
                    now() + self.random.random_range(0..i64::from(MIN_VOUCHER_SECONDS));
                (resigned(&good, &own, &own.key, expires_at), "it is over before it can settle")
            }
            5 => (GenerationRequest { units: honest.units + 1, ..honest }, "it uses more"),
            6 => (GenerationRequest { license: 1 - honest.license, ..honest }, "another license"),
            7 => (GenerationRequest { units: 0, ..honest }, "it uses nothing"),
            8 => (GenerationRequest { license: 9, ..honest }, "there is no such license"),
            _ => return self.replay(seat).await,
        };
        let asked = self.generation(seat, &request, good, Some(why));
        self.send(seat, asked).await;
    }

    /// Sends a used voucher for another request or under another key.
    async fn replay(&mut self, seat: usize) {
        let choice = self.random.random_range(0..usize::MAX / 2);
        let Some(number) = self.history.served(choice, &self.seats[seat].channel) else { return };
        let first = self.history.asked(number);
        let Ok(mut request) = serde_json::from_slice::<GenerationRequest>(&first.body) else {
            return; // a batch
        };
        let (key, why) = match self.random.random_bool(0.5) {
            true => (Some(self.key()), "its voucher has paid already"),
            false => {
                request.output_digest = Digest(self.random.random());
                (first.key.clone(), "its key was used for something else")
            }
        };
        let path = first.path.clone();
        let asked = self.asked(seat, path, key, &request, first.claim, Some(why));
        self.send(seat, asked).await;
    }

    async fn settle(&mut self, seat: usize) {
        let own = &self.seats[seat];
        let request = PayerRequest::settle(&own.channel, &own.account).sign(&own.key);
        let path = format!("/v1/channels/{}/settlements", own.channel);
        let proof = PayerProof::from(&request);
        // Without an open statement, nothing settles.
        let settled = self.ask::<Settlements>(&path, None, &proof).await;
        let settled = settled.map_or(0, |settled| settled.settlements.len() as u64);
        self.history.count(|counts| counts.settled_for_payers += settled);
        self.views[seat] = None;
    }

    /// Sends a request; sometimes drops its response.
    async fn send(&mut self, seat: usize, asked: Asked) {
        let number = self.history.ask(asked);
        let drops = self.configuration.drops && self.random.random_ratio(1, 8);
        let polls = drops.then(|| self.random.random_range(1..12));
        let served = deliver(self.service.clone(), &self.history, number, polls).await;
        match served {
            Some(true) => self.follow(seat, number),
            Some(false) | None => self.views[seat] = None,
        }
        if served.is_none() && self.random.random_bool(0.5) {
            // At once, while the first may still be in progress.
            self.history.count(|counts| counts.retried += 1);
            deliver(self.service.clone(), &self.history, number, None).await;
        }
    }

    /// Updates the payer's view after a payment.
    fn follow(&mut self, seat: usize, number: usize) {
        let claim = self.history.asked(number).claim;
        if let Some(view) = &mut self.views[seat] {
            if view.statement == claim.statement {
                view.open = claim.entries;
            } else {
                self.views[seat] = None;
            }
        }
    }

    /// Returns the payer's view of the channel, or the gateway's state.
    async fn view(&mut self, seat: usize) -> Option<View> {
        if let Some(view) = &self.views[seat] {
            return Some(view.clone());
        }
        let Seat { channel, account, key, .. } = &self.seats[seat];
        let reader = ChannelReader::new(*channel, account, key.clone());
        let proof = reader.proof().unwrap().to_header();
        let request = Request::get(format!("/v1/channels/{channel}"));
        let request = request.header(ReaderProof::HEADER, proof).body(Body::empty()).unwrap();
        self.history.count(|counts| counts.requests += 1);
        let state: ChannelState =
            answer(self.service.clone().oneshot(request).await.unwrap()).await.ok()?;
        let mut before = [0; 2];
        for (of, license) in state.licenses.iter().enumerate().take(2) {
            before[of] = license.settled_units;
        }
        for entry in state.unsettled.iter().flat_map(|statement| &statement.entries) {
            before[usize::from(entry.license)] += u64::from(entry.units);
        }
        let open = state.open.entries.iter().map(|entry| (entry.license, entry.units));
        let view = View { statement: state.open.statement, before, open: open.collect() };
        self.views[seat] = Some(view.clone());
        Some(view)
    }

    /// Returns an expiry of a voucher: usually in a day, sometimes as soon as the gateway accepts.
    fn expires_at(&mut self) -> i64 {
        if self.random.random_ratio(9, 10) {
            return in_a_day();
        }
        self.history.count(|counts| counts.short += 1);
        now() + i64::from(MIN_VOUCHER_SECONDS) + self.random.random_range(1..4)
    }

    fn item(&mut self) -> (u16, u32) {
        (u16::from(self.random.random_ratio(1, 5)), self.random.random_range(1..4))
    }

    fn key(&mut self) -> String {
        format!("{:032x}", self.random.random::<u128>())
    }

    fn one(
        &mut self,
        seat: usize,
        claim: &Claim,
        (license, units): (u16, u32),
        key: &SigningKey,
    ) -> GenerationRequest {
        let expires_at = self.expires_at();
        GenerationRequest {
            voucher: sign(&self.seats[seat], claim, key, expires_at),
            license,
            units,
            request_digest: Digest(self.random.random()),
            output_digest: Digest(self.random.random()),
        }
    }

    fn generation(
        &mut self,
        seat: usize,
        request: &GenerationRequest,
        claim: Claim,
        forged: Option<&'static str>,
    ) -> Asked {
        let path = format!("/v1/channels/{}/generations", self.seats[seat].channel);
        let key = Some(self.key());
        self.asked(seat, path, key, request, claim, forged)
    }

    fn asked(
        &self,
        seat: usize,
        path: String,
        key: Option<String>,
        request: &impl Serialize,
        claim: Claim,
        forged: Option<&'static str>,
    ) -> Asked {
        let body = serde_json::to_vec(request).unwrap();
        let channel = self.seats[seat].channel;
        let (is_answered, receipts) = (false, Vec::new());
        Asked { channel, path, key, body, claim, forged, is_answered, receipts }
    }

    /// Sends a request without payment.
    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
        body: &impl Serialize,
    ) -> Option<T> {
        self.history.count(|counts| counts.requests += 1);
        let request = post(path, key, serde_json::to_vec(body).unwrap());
        answer(self.service.clone().oneshot(request).await.unwrap()).await.ok()
    }
}

/// Returns the statement and total to sign for these items.
fn claim(seat: &Seat, view: &View, items: &[(u16, u32)]) -> Claim {
    let mut entries = view.open.clone();
    for (license, units) in items {
        *entries.entry(*license).or_default() += units;
    }
    let of = |of: usize| {
        let open = entries.get(&(of as u16)).copied().unwrap_or(0);
        seat.prices[of].of(view.before[of] + u64::from(open))
    };
    let prices = of(0) + of(1);
    let cumulative = prices + prices * seat.fee_bps / 10_000;
    Claim { statement: view.statement, cumulative, entries, items: items.to_vec() }
}

fn sign(seat: &Seat, claim: &Claim, key: &SigningKey, expires_at: i64) -> SignedVoucher {
    let statement: Statement = claim.entries.iter().map(|(l, u)| (*l, *u)).collect();
    let voucher = Voucher {
        cluster: seat.account.cluster,
        channel: seat.channel,
        opened_slot: seat.account.opened_slot,
        statement: claim.statement,
        cumulative: claim.cumulative,
        statement_digest: statement.digest(),
        expires_at,
    };
    SignedVoucher::sign(voucher, key)
}

fn in_a_day() -> i64 {
    now() + 86_400
}
