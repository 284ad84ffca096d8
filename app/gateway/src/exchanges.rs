//! The newest exchanges at the paywall, for the operator's page.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use motif_sdk::gateway::{
    ProblemType,
    wire::{Exchange, Payment, PaymentForm, ReceiptParts, mpp, sign_in::SignIn, x402},
};
use parking_lot::Mutex;

use crate::clock::system_now;

/// Ring of the newest exchanges of this process.
#[derive(Default)]
pub struct Exchanges {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    newest: VecDeque<Exchange>,
    next: u64,
}

/// When the model server has responded to a request: an extension of the request.
#[derive(Clone)]
pub struct AnsweredAfter {
    began: Instant,
    /// Milliseconds; [`u64::MAX`] before.
    after: Arc<AtomicU64>,
}

impl Exchanges {
    /// Maximum number of exchanges.
    const MAX: usize = 200;
    /// Maximum length of a path, characters.
    const MAX_PATH: usize = 200;

    /// Returns the exchanges, newest first.
    pub fn newest(&self) -> Vec<Exchange> {
        self.kept.lock().newest.iter().rev().cloned().collect()
    }

    fn add(&self, exchange: Exchange) {
        let mut kept = self.kept.lock();
        kept.next += 1;
        let number = kept.next;
        if kept.newest.len() >= Self::MAX {
            kept.newest.pop_front();
        }
        kept.newest.push_back(Exchange { number, ..exchange });
    }
}

impl AnsweredAfter {
    fn begin() -> Self {
        Self { began: Instant::now(), after: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Records that the model server has responded.
    pub fn record(&self) {
        self.after.store(self.elapsed(), Ordering::Relaxed);
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Records a request and its response.
pub async fn record(
    State(exchanges): State<Arc<Exchanges>>,
    mut request: Request,
    next: Next,
) -> Response {
    let answered = AnsweredAfter::begin();
    request.extensions_mut().insert(answered.clone());
    let (method, payment) = (request.method().to_string(), form(request.headers()));
    let path = request.uri().path().chars().take(Exchanges::MAX_PATH).collect();
    let response = next.run(request).await;
    let problem = response.extensions().get::<ProblemType>();
    let receipts = [ReceiptParts::HEADER, x402::RESPONSE_HEADER, mpp::RECEIPT_HEADER];
    let answered_after = answered.after.load(Ordering::Relaxed);
    exchanges.add(Exchange {
        number: 0,
        at: system_now(),
        method,
        path,
        payment,
        answered_after: (answered_after != u64::MAX).then_some(answered_after),
        status: response.status().as_u16(),
        problem: problem.map(|problem| problem.slug().to_owned()),
        has_receipt: receipts.iter().any(|name| response.headers().contains_key(*name)),
        after: answered.elapsed(),
    });
    response
}

/// Returns how a request pays, by its headers' names.
fn form(headers: &HeaderMap) -> PaymentForm {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(value) = text(Payment::HEADER) {
        return match Payment::from_header(value) {
            Ok(Payment::Pay(_)) => PaymentForm::Voucher,
            _ => PaymentForm::Hold,
        };
    }
    let has = |name: &str| headers.contains_key(name);
    if has(x402::PAYMENT_HEADER) || has(x402::PAYMENT_HEADER_V1) {
        return PaymentForm::X402;
    }
    let is_mpp = |value: &str| {
        value.split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("payment"))
    };
    if text(AUTHORIZATION.as_str()).is_some_and(is_mpp) {
        return PaymentForm::Mpp;
    }
    if has(SignIn::HEADER) { PaymentForm::SignIn } else { PaymentForm::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_are_kept() {
        let exchanges = Exchanges::default();
        for status in 0..250 {
            exchanges.add(Exchange {
                number: 0,
                at: 0,
                method: String::new(),
                path: String::new(),
                payment: PaymentForm::None,
                answered_after: None,
                status,
                problem: None,
                has_receipt: false,
                after: 0,
            });
        }
        let newest = exchanges.newest();
        assert_eq!((newest.len(), newest[0].number, newest[199].number), (200, 250, 51));
    }
}
