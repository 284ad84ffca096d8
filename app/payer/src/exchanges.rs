use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde::Serialize;

use crate::{callers::Caller, clock::now};

/// Newest exchanges of the proxy, for its page. They hold no tokens, headers, queries or bodies.
#[derive(Default)]
pub struct Exchanges {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    newest: VecDeque<Exchange>,
    next: u64,
}

/// Request of a client, and the messages that paid for it.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// Number, ascending.
    pub number: u64,
    /// Unix second of the request.
    pub at: i64,
    /// Caller.
    pub caller: String,
    /// Method and URL without its query.
    pub request: String,
    /// Messages, in order.
    pub steps: Vec<Step>,
    /// Number of messages that were left out.
    pub left_out: u64,
}

/// Message of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Sender.
    pub from: Party,
    /// Recipient.
    pub to: Party,
    /// Contents.
    pub what: String,
    /// Milliseconds since the request.
    pub after: u64,
}

/// Party of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// Client of the service.
    Client,
    /// This service.
    Payer,
    /// Paywall of the target.
    Paywall,
    /// Gateway that takes the vouchers.
    Gateway,
    /// Cluster.
    Chain,
}

/// Recorder of one exchange. Clones share it.
#[derive(Clone)]
pub struct Recorder {
    exchanges: Arc<Exchanges>,
    number: u64,
    began: Instant,
}

impl Exchanges {
    /// Maximum number of exchanges.
    const MAX: usize = 200;
    /// Maximum number of messages of one exchange; a long stream has more.
    const MAX_STEPS: usize = 64;
    /// Maximum length of a text, characters.
    const MAX_TEXT: usize = 300;

    /// Starts an exchange.
    pub fn begin(self: &Arc<Self>, caller: &Caller, request: &str) -> Recorder {
        let mut kept = self.kept();
        kept.next += 1;
        let number = kept.next;
        if kept.newest.len() >= Self::MAX {
            kept.newest.pop_front();
        }
        kept.newest.push_back(Exchange {
            number,
            at: now(),
            caller: caller.to_string(),
            request: shortened(request),
            steps: Vec::new(),
            left_out: 0,
        });
        Recorder { exchanges: self.clone(), number, began: Instant::now() }
    }

    /// Returns the exchanges, newest first.
    pub fn newest(&self) -> Vec<Exchange> {
        self.kept().newest.iter().rev().cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    /// Adds a message.
    pub fn add(&self, from: Party, to: Party, what: impl AsRef<str>) {
        let after = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut kept = self.exchanges.kept();
        let found = kept.newest.iter_mut().find(|exchange| exchange.number == self.number);
        let Some(exchange) = found else { return };
        if exchange.steps.len() >= Exchanges::MAX_STEPS {
            exchange.left_out += 1;
            return;
        }
        exchange.steps.push(Step { from, to, what: shortened(what.as_ref()), after });
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(Exchanges::MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_and_steps_are_bounded() {
        let exchanges = Arc::new(Exchanges::default());
        let caller = Caller::from("local");
        let first = exchanges.begin(&caller, "GET a");
        for _ in 0..Exchanges::MAX {
            exchanges.begin(&caller, "GET b");
        }
        first.add(Party::Client, Party::Payer, "lost");
        let last = exchanges.begin(&caller, &"x".repeat(1_000));
        for _ in 0..=Exchanges::MAX_STEPS {
            last.add(Party::Payer, Party::Paywall, "asks");
        }
        let newest = exchanges.newest();
        assert_eq!(newest.len(), Exchanges::MAX);
        assert_eq!((newest[0].steps.len(), newest[0].left_out), (Exchanges::MAX_STEPS, 1));
        assert_eq!(newest[0].request.len(), Exchanges::MAX_TEXT);
        assert!(newest.iter().all(|exchange| exchange.request != "GET a"));
    }
}
