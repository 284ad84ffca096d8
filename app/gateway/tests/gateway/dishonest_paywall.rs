//! A dishonest paywall gets no wrong signature from the SDK's client, or is detected.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use motif_sdk::gateway::{
    GatewayError, PaidRequest,
    wire::{Due, Payment, PaymentRequired, ReceiptParts},
};
use serde_json::json;
use tokio::time::timeout;

use crate::sold::Sold;

/// Proxy between client and paywall that changes responses.
#[derive(Clone)]
struct Liar {
    honest: String,
    own: String,
    lie: Lie,
    /// Forwarded payments.
    payments: Arc<Mutex<Vec<Payment>>>,
}

#[derive(Clone, Copy)]
enum Lie {
    Due(fn(&mut Due)),
    Body,
    Receipt(fn(&mut ReceiptParts)),
    NoReceipt,
    /// A paid answer breaks off.
    Lose,
    /// A stream breaks off before its first paid part.
    Cut,
    /// A stream sends this event instead of its first paid part.
    End(&'static str),
    /// Nothing is answered.
    Silence,
}

async fn lie(State(liar): State<Liar>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let payment = parts.headers[Payment::HEADER].to_str().unwrap();
    liar.payments.lock().unwrap().push(Payment::from_header(payment).unwrap());
    if matches!(liar.lie, Lie::Silence) {
        std::future::pending::<()>().await;
    }
    let url = format!("{}{}", liar.honest, parts.uri.path());
    let body = to_bytes(body, 10_000).await.unwrap();
    let asked = reqwest::Client::new().request(parts.method, url).headers(parts.headers);
    let answer = asked.body(body).send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    if matches!(liar.lie, Lie::Cut) && headers["content-type"] == "text/event-stream" {
        return Response::new(Body::from_stream(futures::stream::unfold(answer, cut)));
    }
    if let Lie::End(event) = liar.lie
        && headers["content-type"] == "text/event-stream"
    {
        let chunks = futures::stream::unfold(Some(answer), move |left| end_early(left, event));
        return Response::new(Body::from_stream(chunks));
    }
    let mut body = answer.bytes().await.unwrap().to_vec();
    headers.remove("content-length");
    headers.remove("transfer-encoding");
    match liar.lie {
        Lie::Due(change) => {
            if let Some(required) = headers.get(PaymentRequired::HEADER) {
                let required = PaymentRequired::from_header(required.to_str().unwrap());
                let PaymentRequired::Due(mut due) = required.unwrap() else { panic!("no due") };
                change(&mut due);
                let header = PaymentRequired::Due(due).to_header();
                headers.insert(PaymentRequired::HEADER, header.parse().unwrap());
            }
        }
        Lie::Body => body.push(0),
        Lie::Receipt(change) => {
            if let Some(receipt) = headers.get(ReceiptParts::HEADER) {
                let mut parts = ReceiptParts::from_header(receipt.to_str().unwrap()).unwrap();
                change(&mut parts);
                headers.insert(ReceiptParts::HEADER, parts.to_header().parse().unwrap());
            }
        }
        Lie::Lose if status.is_success() => {
            let half = [Ok(body[..10].to_vec()), Err(std::io::Error::other("told to break off"))];
            return Response::new(Body::from_stream(futures::stream::iter(half)));
        }
        Lie::Lose | Lie::Cut | Lie::End(_) | Lie::Silence => {}
        Lie::NoReceipt => drop(headers.remove(ReceiptParts::HEADER)),
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Returns the next chunk of a stream, up to the one with a part.
async fn cut(
    mut answer: reqwest::Response,
) -> Option<(Result<Vec<u8>, &'static str>, reqwest::Response)> {
    let chunk = answer.chunk().await.unwrap()?.to_vec();
    let is_part = chunk.windows(13).any(|bytes| bytes == b"event: output");
    Some((if is_part { Err("told to break off") } else { Ok(chunk) }, answer))
}

/// As [`cut`], with an event in place of the part.
async fn end_early(
    answer: Option<reqwest::Response>,
    event: &str,
) -> Option<(Result<Vec<u8>, &'static str>, Option<reqwest::Response>)> {
    let (chunk, answer) = cut(answer?).await?;
    match chunk {
        Ok(chunk) => Some((Ok(chunk), Some(answer))),
        Err(_) => Some((Ok(event.as_bytes().to_vec()), None)),
    }
}

async fn behind(sold: &Sold, lie_of: Lie) -> (Liar, PaidRequest) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = format!("http://{}", listener.local_addr().unwrap());
    let url = format!("{own}/images");
    let liar = Liar { honest: sold.url(""), own, lie: lie_of, payments: Arc::default() };
    let router = Router::new().fallback(lie).with_state(liar.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let request = sold.request("/images", json!({ "prompt": "New York", "count": 2 }));
    (liar, PaidRequest { url, ..request })
}

#[tokio::test]
async fn unrequested_payment_is_not_signed() {
    let lies: [fn(&mut Due); 5] = [
        |due| due.units = 5,
        |due| due.units = 0,
        |due| due.license = 1,
        |due| due.answer.0[0] ^= 1,
        |due| due.request_digest.0[0] ^= 1,
    ];
    for change in lies {
        let mut sold = Sold::new().await;
        let (liar, request) = behind(&sold, Lie::Due(change)).await;
        let refused = sold.fetch(&request).await.unwrap_err();
        assert!(matches!(refused, GatewayError::Untrusted(_)), "{refused}");
        let is_signed = |payment: &Payment| match payment {
            Payment::Ask(ask) => ask.voucher.is_some(),
            Payment::Pay(_) => true,
        };
        assert!(!liar.payments.lock().unwrap().iter().any(is_signed));
        assert_eq!((sold.owed().await, sold.session.cumulative().unwrap()), (0, 0));
    }
}

#[tokio::test]
async fn wrong_price_is_not_paid() {
    let mut sold = Sold::new().await;
    let dearer = Lie::Due(|due| {
        due.price.0 *= 10;
        due.expected.cumulative.0 *= 10;
        // Another statement, with units that the payer did not sign.
        due.expected.statement += 1;
        let entry = motif_sdk::gateway::wire::StatementEntry { license: 0, units: 9 };
        due.expected.entries.push(entry);
    });
    let (_, request) = behind(&sold, dearer).await;
    let answer = sold.fetch(&request).await.unwrap();
    assert_eq!(answer.receipt.receipt.amount, 200, "by the license's own price");
    assert_eq!(sold.owed().await, 204);
}

#[tokio::test]
async fn mismatched_answer_is_rejected() {
    let lies = [
        Lie::Body,
        Lie::NoReceipt,
        Lie::Receipt(|receipt| receipt.units = 1),
        Lie::Receipt(|receipt| receipt.amount.0 = 1),
        Lie::Receipt(|receipt| receipt.output_digest.0[0] ^= 1),
        Lie::Receipt(|receipt| receipt.signature.0[0] ^= 1),
        Lie::Receipt(|receipt| receipt.cumulative.0 += 1),
    ];
    for lie in lies {
        let mut sold = Sold::new().await;
        let (_, request) = behind(&sold, lie).await;
        let refused = sold.fetch(&request).await.unwrap_err();
        assert!(matches!(refused, GatewayError::Untrusted(_)), "{refused}");
        // A retry without interference returns the paid answer.
        let honest = PaidRequest { url: sold.url("/images"), ..request };
        let answer = sold.fetch(&honest).await.unwrap();
        assert_eq!(answer.receipt.receipt.units, 2);
        assert_eq!((sold.owed().await, sold.session.cumulative().unwrap()), (204, 204));
        assert_eq!(sold.server.asked(), 1);
    }
}

#[tokio::test]
async fn lost_answer_is_paid_once() {
    for path in ["/images", "/pictures"] {
        let mut sold = Sold::new().await;
        let (liar, request) = behind(&sold, Lie::Lose).await;
        let url = request.url.replace("/images", path);
        let PaidRequest { method, headers, units, key, .. } = sold.request(path, json!({}));
        let body = json!({ "prompt": "New York" }).to_string().into_bytes();
        let request = PaidRequest { url, method, headers, units, key, body, ..request };
        let lost = sold.fetch(&request).await.unwrap_err();
        assert!(matches!(lost, GatewayError::Unreachable { .. }), "{lost}");
        assert_eq!(sold.owed().await, 102, "it was paid for");
        let honest = PaidRequest { url: sold.url(path), ..request };
        let answer = sold.fetch(&honest).await.unwrap();
        assert!(image::load_from_memory(&answer.body).is_ok());
        assert_eq!((sold.owed().await, sold.session.cumulative().unwrap()), (102, 102));
        assert_eq!(sold.server.asked(), 1);
        let another = sold.request(path, json!({ "prompt": "Boston" }));
        sold.fetch(&another).await.unwrap();
        assert!(liar.payments.lock().unwrap().len() <= 2);
    }
}

#[tokio::test]
async fn broken_paid_part_is_refetched() {
    let mut sold = Sold::new().await;
    let (liar, _) = behind(&sold, Lie::Cut).await;
    let request = sold.request("/stories", json!({ "prompt": "t", "tokens": 30 }));
    let url = request.url.replace(&liar.honest, &liar.own);
    let request = PaidRequest { url, ..request };
    let mut stream = sold.session.stream(&sold.client, &request).await.unwrap();
    let part = stream.next().await.unwrap().unwrap();
    assert_eq!(part.body.iter().filter(|byte| **byte == b'\n').count(), 10);
    let over = stream.next().await.unwrap_err();
    assert!(matches!(over, GatewayError::Untrusted(_)), "{over}");
    assert_eq!((sold.owed().await, sold.session.cumulative().unwrap()), (102, 102));
    // The channel still works.
    let another = sold.request("/images", json!({ "prompt": "New York" }));
    sold.fetch(&another).await.unwrap();
}

#[tokio::test]
async fn silent_paywall_is_left_after_hold() {
    let mut sold = Sold::new().await;
    let (_, request) = behind(&sold, Lie::Silence).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let request = PaidRequest { expires_at: now as i64 + 5, ..request };
    let left = timeout(Duration::from_secs(60), sold.fetch(&request)).await;
    let error = left.expect("no time limit").unwrap_err();
    assert!(matches!(error, GatewayError::Unreachable { .. }), "{error}");
    let streamed = sold.session.stream(&sold.client, &request);
    let left = timeout(Duration::from_secs(60), streamed).await;
    assert!(left.expect("no time limit").is_err());
}

#[tokio::test]
async fn stream_without_paid_part_is_incomplete() {
    for event in [
        "event: end\ndata: {\"parts\":0,\"units\":0,\"bytes\":0}\n\n",
        "event: failed\ndata: {\"type\":\"upstream-failed\",\"detail\":\"no\"}\n\n",
    ] {
        let sold = Sold::new().await;
        let (liar, _) = behind(&sold, Lie::End(event)).await;
        let request = sold.request("/stories", json!({ "prompt": "t", "tokens": 30 }));
        let url = request.url.replace(&liar.honest, &liar.own);
        let request = PaidRequest { url, ..request };
        let mut stream = sold.session.stream(&sold.client, &request).await.unwrap();
        // The paid part is fetched again.
        let part = stream.next().await.unwrap().unwrap();
        assert_eq!(part.body.iter().filter(|byte| **byte == b'\n').count(), 10);
        let over = stream.next().await.unwrap_err();
        assert!(matches!(over, GatewayError::Untrusted(_)), "{over}");
        assert_eq!((sold.owed().await, sold.session.cumulative().unwrap()), (102, 102));
    }
}
