use std::{collections::VecDeque, sync::Mutex};

use axum::{Router, body::Body, http::Request, response::Response};
use ed25519_dalek::SigningKey;
use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::{
        ChannelReader, PayerRequest,
        wire::{Digest, PayerProof, ReaderProof},
    },
};
use rand::{Rng, rngs::StdRng};
use tower::ServiceExt;

use super::{History, delivery::post, seat::Seat};
use crate::world::foreign_key;

/// Client without a key of the channels. It sends floods of requests and reads answers late.
#[derive(Default)]
pub struct Stranger {
    /// Responses whose bodies are not read.
    unread: Mutex<VecDeque<Response>>, // bodies are not `Sync`
}

/// Maximum number of responses that a stranger leaves unread.
const UNREAD: usize = 8;
/// Number of requests of a flood.
const FLOOD: usize = 16;

impl Stranger {
    /// Sends many requests at once. None may be served, and none may fail the gateway.
    pub async fn flood(
        &self,
        service: &Router,
        seat: &Seat,
        random: &mut StdRng,
        history: &History,
    ) {
        let kind = random.random_range(0..5);
        let calls = (0..FLOOD).map(|_| {
            let request = request(kind, &seat.channel, &seat.account, random);
            tokio::spawn(service.clone().oneshot(request))
        });
        let calls: Vec<_> = calls.collect();
        for call in calls {
            let response = call.await.unwrap().unwrap();
            let status = response.status();
            if status.is_server_error() && status != 503 {
                history.broke(format!("a stranger was answered with {status}"));
            }
            if status.is_success() && kind != 4 {
                history.broke(format!("a stranger was served: request {kind}"));
            }
        }
        history.count(|counts| {
            counts.requests += FLOOD as u64;
            counts.anonymous += FLOOD as u64;
        });
    }

    /// Requests receipts with the payer's proof, and leaves the response unread.
    pub async fn read_late(&self, service: &Router, seat: &Seat, history: &History) {
        let path = format!("/v1/channels/{}/receipts?limit=1000", seat.channel);
        let request = read(&path, &seat.channel, &seat.account, &seat.key);
        let response = service.clone().oneshot(request).await.unwrap();
        let mut unread = self.unread.lock().unwrap();
        unread.push_back(response);
        if unread.len() > UNREAD {
            unread.pop_front();
        }
        drop(unread);
        history.count(|counts| {
            counts.requests += 1;
            counts.unread += 1;
        });
    }
}

fn read(path: &str, channel: &Pubkey, account: &Channel, key: &SigningKey) -> Request<Body> {
    let proof = ChannelReader::new(*channel, account, key.clone()).proof().unwrap().to_header();
    Request::get(path).header(ReaderProof::HEADER, proof).body(Body::empty()).unwrap()
}

fn request(kind: u8, channel: &Pubkey, account: &Channel, random: &mut StdRng) -> Request<Body> {
    let digest = Digest(random.random()).to_string();
    match kind {
        0 => Request::get(format!("/v1/channels/{channel}")).body(Body::empty()).unwrap(),
        1 => read(&format!("/v1/channels/{channel}/receipts"), channel, account, &foreign_key()),
        2 => {
            let proof =
                PayerProof::from(&PayerRequest::settle(channel, account).sign(&foreign_key()));
            let body = serde_json::to_vec(&proof).unwrap();
            post(&format!("/v1/channels/{channel}/settlements"), None, body)
        }
        3 => post(&format!("/v1/holds/{digest}/capture"), None, b"{}".to_vec()),
        _ => {
            let body = format!(r#"{{"digest":"{digest}"}}"#).into_bytes();
            post("/v1/authenticate", None, body)
        }
    }
}
