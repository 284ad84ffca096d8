//! Events that creators and payers are told, by streams and by webhooks.
//!
//! - [`EventSource`]: finds out what happened, in this gateway's books and on chain.
//! - [`EventHub`]: streams of events, and the webhooks of persons.
//! - [`WebhookSender`]: sends events to webhooks.

mod books;
mod chain;
mod hub;
mod id;
mod places;
mod readers;
mod sender;
mod source;
mod stream;
mod webhooks;

pub use hub::EventHub;
pub use sender::WebhookSender;
pub use source::EventSource;
pub use stream::EventsOf;
